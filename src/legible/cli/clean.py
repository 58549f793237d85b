"""`legible clean`: scans in, clean pages out, without PyTorch."""

from __future__ import annotations

import math
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from legible.choices import CLEANER, Mode, parse_mode
from legible.cli import options
from legible.cli.clean_words import MANY, Words, show_dry_run
from legible.cli.screen import Screen
from legible.errors import ArgumentError, ExitCode

if TYPE_CHECKING:
    from legible.cleaning.folder_run import FolderRun, Wish


def parse_mode_option(text: str) -> Mode:
    """Return the mode that was typed. Raises typer.BadParameter for an unknown one."""
    try:
        return parse_mode(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


results = partial(typer.Option, rich_help_panel="What to show")
Compare = Annotated[
    Path | None,
    results(
        metavar="FOLDER",
        help="Write pictures of each page there, before and after side by side; folders are mirrored.",
    ),
]
Report = Annotated[
    Path | None,
    results(
        metavar="FOLDER",
        help="Write a report there: index.html with small pictures of all pages, pages.csv and pages.jsonl.",
    ),
]
Pages = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBERS",
        help="Clean only these pages, such as 2, 1,3-5, 3- or -4; all others are written as they are.",
    ),
]
Dpi = Annotated[
    float | None,
    typer.Option(
        min=30, max=1200, help="With --redraw, or PDF to another format: resolution to draw pages at."
    ),
]
Redraw = Annotated[
    bool,
    typer.Option("--redraw", help="Draw PDF pages anew as pictures: text, links and forms are lost."),
]
AllowSigned = Annotated[
    bool,
    typer.Option("--allow-signed", help="Clean signed PDFs too: their signatures become invalid."),
]
ModeOption = Annotated[
    Mode,
    typer.Option(
        parser=parse_mode_option,
        metavar=f"[{'|'.join(get_args(Mode))}]",
        help="colour keeps coloured ink, as of stamps and signatures.",
    ),
]


@options.with_formats
def clean(
    sources: Annotated[
        list[Path], typer.Argument(metavar="IN...", help="Scans, or folders of them; - for stdin.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="OUT", help="A file for one scan, else a folder; - for stdout."
        ),
    ],
    mode: ModeOption = "grey",
    pages: Pages = None,
    dpi: Dpi = None,
    redraw: Redraw = False,
    allow_signed: AllowSigned = False,
    overwrite: options.Overwrite = False,
    model: Annotated[str, typer.Option(help="A saved restorer's name or folder.")] = CLEANER,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Files at once; by default one for each core.")
    ] = None,
    max_megapixels: options.MaxMegapixels = 250,
    dry_run: Annotated[
        bool, results("--dry-run", help="Say page by page what would be done, and write nothing.")
    ] = False,
    compare: Compare = None,
    report: Report = None,
    quiet: Annotated[bool, results("--quiet", "-q", help="Say nothing but errors.")] = False,
    verbose: Annotated[bool, results("--verbose", "-v", help="Say a line for each page.")] = False,
    as_json: options.AsJsonLines = False,
) -> None:
    """Remove stains, creases, shadows and bleed-through from scanned pages.

    {written}, of any size, each written in its own format with its resolution kept; other pictures are
    written as PNG. Inside a PDF the scans are cleaned in their place: its text, links and forms, and pages
    without a scan, stay as they are. Inputs are never changed.

    Folders are searched and mirrored; hidden files are passed over. Files that exist already are left as they
    are: after an interruption, the same command goes on where it stopped.
    """
    from legible.cleaning.folder_run import Wish
    from legible.cleaning.pipes import PIPE, pipe_files
    from legible.documents.page_range import parse_pages

    chosen = None if pages is None else parse_pages(pages)
    if quiet and verbose:
        raise ArgumentError("--quiet and --verbose contradict each other. Leave one of them out.")
    if as_json and output == PIPE:
        raise ArgumentError("--json and -o - would both write to standard output. Leave one of them out.")
    piped = PIPE in (*sources, output)
    if piped and report is not None:
        raise ArgumentError("--report shows files that stay. Leave it out, or name files in the place of -.")
    streams = (typer.get_binary_stream("stdin"), typer.get_binary_stream("stdout")) if piped else None
    with pipe_files(sources, output, streams) as (files, target, names):
        words = Words(quiet, verbose, as_json, output == PIPE, names)
        most_pixels = round(max_megapixels * 1e6)
        wish = Wish(
            files, target, mode, dpi, chosen, model, most_pixels, compare, report,
            overwrite, redraw, allow_signed,
        )  # fmt: skip
        code = _run(wish, workers, words, dry_run=dry_run)
    if code:
        raise typer.Exit(code)


def _run(wish: Wish, workers: int | None, words: Words, *, dry_run: bool) -> int:
    """Plan the run and carry it out, or say what it would do; return the exit code."""
    from legible.cleaning.folder_run import plan_run

    run = plan_run(wish)
    if dry_run:
        return ExitCode.INPUT if show_dry_run(run, words) else ExitCode.OK
    words.begin(run)
    codes: list[int] = []
    try:
        _carry_out(run, workers, words, codes)
    except KeyboardInterrupt:
        done = len(codes) if wish.overwrite else sum(job.target.exists() for _, job in run.to_do)
        words.interrupted(done, len(run.to_do))
        return ExitCode.INTERRUPTED
    if len(run.files) > 1 or run.skipped:
        words.end()
    return next((code for code in codes if code), ExitCode.OK)


def _carry_out(run: FolderRun, workers: int | None, words: Words, codes: list[int]) -> None:
    """Clean the files and say what becomes of each. codes: the exit code of each is appended."""
    n_files = len(run.to_do)
    with (
        Screen(every_s=math.inf if words.quiet else 10, bars=not words.quiet) as screen,
        closing(run.carry_out(workers)) as reports,
    ):
        for report in reports:
            words.file(report, with_seconds=n_files <= MANY)
            codes.append(report.exit_code)
            screen.count("cleaning", len(codes), n_files)
