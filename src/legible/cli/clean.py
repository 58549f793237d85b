"""`legible clean`: scans in, clean pages out, without PyTorch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from legible.choices import CLEANER, Mode, parse_mode
from legible.cli import options
from legible.cli.screen import counting, say

if TYPE_CHECKING:
    from legible.cleaning.files import FileReport


LARGER = 2.0  # times the input's size: the user is warned of more
_MANY = 20  # files; up to so many, a line is printed for each


def parse_mode_option(text: str) -> Mode:
    """Return the mode that was typed. Raises typer.BadParameter for an unknown one."""
    try:
        return parse_mode(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


Compare = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Write pictures of each page there, before and after side by side; folders are mirrored.",
    ),
]
Dpi = Annotated[
    float | None,
    typer.Option(min=30, max=1200, help="Resolution to draw PDF pages at; by default that of their scans."),
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
    sources: Annotated[list[Path], typer.Argument(metavar="IN...", help="Scans, or folders of them.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help="A file for one scan, else a folder.")
    ],
    mode: ModeOption = "grey",
    compare: Compare = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Files at once; by default one for each core.")
    ] = None,
    dpi: Dpi = None,
    max_megapixels: options.MaxMegapixels = 250,
    model: Annotated[str, typer.Option(help="A saved restorer's name or folder.")] = CLEANER,
    overwrite: options.Overwrite = False,
    as_json: options.AsJsonLines = False,
) -> None:
    """Remove stains, creases, shadows and bleed-through from scanned pages.

    {written}, of any size, each written in its own format with its resolution kept; other pictures are
    written as PNG. Folders are searched and mirrored. Files that exist already are left as they are, so that
    a second run goes on where the first one stopped. Inputs are never changed.
    """
    from legible.cleaning.files import Job, clean_files
    from legible.documents.folders import plan_files

    most_pixels = round(max_megapixels * 1e6)
    jobs = [
        Job(file.source, file.target, mode, dpi, most_pixels, compare and compare / file.inner, overwrite)
        for file in plan_files(sources, output, results=[compare] if compare else [])
    ]
    to_do = [job for job in jobs if overwrite or not job.target.exists()]
    if len(to_do) < len(jobs):
        say(f"{len(jobs) - len(to_do):,} of {len(jobs):,} files exist already; --overwrite replaces them")
    failures = []
    with counting("cleaning", every_s=10) as progress:
        for n_done, report in enumerate(clean_files(to_do, model, workers), start=1):
            show_report(report, as_json=as_json, with_seconds=len(to_do) <= _MANY)
            if report.error:
                failures.append(report)
            progress(n_done, len(to_do))
    if len(to_do) > 1:
        n_cleaned, n_there = len(to_do) - len(failures), len(jobs) - len(to_do)
        say(f"{n_cleaned:,} files cleaned, {len(failures):,} failed, {n_there:,} existed already")
    if failures:
        raise typer.Exit(failures[0].code)


def show_report(report: FileReport, *, as_json: bool, with_seconds: bool) -> None:
    """Print the result of a file: JSON lines or the name written to stdout, messages to stderr."""
    if report.error:
        say(f"legible: {report.error}")
        if as_json:
            typer.echo(json.dumps({"file": str(report.job.source), "error": report.error}))
        return
    for line in report.pages:
        if as_json:
            typer.echo(json.dumps(line))
        if line["vanished"]:
            places = "; ".join("{}, {} to {}, {}".format(*box) for box in line["vanished"][:3])
            n_lost = len(line["vanished"])
            lost = (
                f"text may have been lost in {n_lost} place{'s' * (n_lost > 1)} ({places}): compare the pages"
            )
            say(f"{report.job.source}, page {line['page']}: {lost}")
    if report.grew > LARGER:
        say(f"{report.job.target} is {report.grew:.1f} times the size of {report.job.source}.")
    if not as_json:
        typer.echo(report.job.target)
    if with_seconds:
        seconds = sum(line["seconds"] for line in report.pages)
        n = len(report.pages)
        say(f"{report.job.source}: {n} page{'s' * (n > 1)} in {seconds:.2f} s")
