"""`legible clean`: dirty scans in, clean ones out, without PyTorch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from legible.choices import Mode
from legible.cli import options
from legible.cli.screen import counting, say
from legible.errors import ArgumentError, InputError

if TYPE_CHECKING:
    from legible.apply.batch import Job, Report

LARGER = 2.0  # times the input's size: more is told
_MANY = 20  # files; of so many or fewer, each is told


Compare = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="Write pictures of each page there, before beside after; folders are mirrored."
    ),
]
Dpi = Annotated[
    float | None,
    typer.Option(min=30, max=1200, help="To draw PDF pages at; as fine as their scans if not said."),
]


def clean(
    sources: Annotated[list[Path], typer.Argument(metavar="IN...", help="Scans, or folders of them.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help="A file for one scan, else a folder.")
    ],
    mode: Annotated[Mode, typer.Option(help="colour keeps stamps and signatures in colour ink.")] = "grey",
    compare: Compare = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Files at once; one a core if not said.")] = None,
    dpi: Dpi = None,
    max_megapixels: options.MaxMegapixels = 250,
    model: Annotated[str, typer.Option(help="A saved restorer's name or folder.")] = "page-cleaner",
    overwrite: options.Overwrite = False,
    as_json: options.AsJsonLines = False,
) -> None:
    """Take stains, creases, shadows and bleed-through off scanned pages.

    PNG, JPEG, WebP, TIFF and PDF, of any size, each written in its own form with its resolution kept. Folders
    are searched and mirrored. What is there already is left as it is, so that a second run goes on where the
    first one stopped. Inputs are never changed.
    """
    from legible.apply.workers import clean_all

    jobs = plan_jobs(sources, output, mode=mode, dpi=dpi, most_pixels=round(max_megapixels * 1e6),
                     compare=compare, overwrite=overwrite)  # fmt: skip
    to_do = [job for job in jobs if overwrite or not job.target.exists()]
    if len(to_do) < len(jobs):
        say(f"{len(jobs) - len(to_do):,} of {len(jobs):,} files are there already; --overwrite replaces them")
    failures = []
    with counting("cleaning", every_s=10) as progress:
        for n_done, report in enumerate(clean_all(to_do, model, workers), start=1):
            show_report(report, as_json=as_json, tell=len(to_do) <= _MANY)
            if report.error:
                failures.append(report)
            progress(n_done, len(to_do))
    if len(to_do) > 1:
        n_pages = len(to_do) - len(failures)
        say(f"{n_pages:,} files cleaned, {len(failures):,} failed, {len(jobs) - len(to_do):,} were there")
    if failures:
        raise typer.Exit(failures[0].code)


def plan_jobs(
    sources: list[Path], output: Path, *, mode: Mode,
    dpi: float | None, most_pixels: int, compare: Path | None, overwrite: bool,
) -> list[Job]:  # fmt: skip
    """Say which file becomes which. Raises InputError for what is not there, ArgumentError for a clash."""
    from legible.apply.batch import Job
    from legible.apply.pages import FORMS

    pairs = list(_pair_files(sources, output, compare))
    seen: dict[Path, Path] = {}
    for source, target in pairs:
        if target in seen:
            raise ArgumentError(f"{seen[target]} and {source} would both become {target}. Clean them apart.")
        if target.resolve() == source.resolve():
            raise ArgumentError(f"{source} would be written over. Choose another place for the clean pages.")
        seen[target] = source
    jobs = []
    for source, target in pairs:
        inner = target.name if target == output else target.relative_to(output)
        compared = None if compare is None else compare / inner
        form = FORMS[target.suffix.lower()]
        jobs.append(Job(source, target, form, mode, dpi, most_pixels, compared, overwrite))
    return jobs


def _pair_files(sources: list[Path], output: Path, compare: Path | None) -> Iterator[tuple[Path, Path]]:
    """Each scan with what it becomes; what lies where results go is no scan, though that be in its folder."""
    from legible.apply.pages import FORMS, KNOWN, files_in, in_form

    for source in sources:
        if not source.exists():
            raise InputError(f"there is no file or folder {source}. Check the path.")
    is_folder = output.is_dir()
    if len(sources) == 1 and output.suffix.lower() in FORMS and not sources[0].is_dir() and not is_folder:
        yield sources[0], output
        return
    if output.is_file():
        raise ArgumentError(f"{output} is a file; several scans go into a folder. Name another place.")
    if output.suffix.lower() in KNOWN and not is_folder:
        forms = ", ".join(FORMS)
        raise ArgumentError(f"{output} would be a folder. Name a folder, or for one scan a file: {forms}.")
    for source in sources:
        if not source.is_dir():
            yield source, output / in_form(Path(source.name))
            continue
        made_before = [
            made.resolve() for made in (output, compare) if made and made.resolve() != source.resolve()
        ]
        files = [
            file for file in files_in(source) if not any(map(file.resolve().is_relative_to, made_before))
        ]
        if not files:
            raise InputError(f"{source} holds no scans: {', '.join(KNOWN)}.")
        root = output / source.name if len(sources) > 1 else output
        yield from ((file, root / in_form(file.relative_to(source))) for file in files)


def show_report(report: Report, *, as_json: bool, tell: bool) -> None:
    """Print what became of a file: JSON lines or its name to stdout, words to stderr."""
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
            gone = f"text may be gone in {len(line['vanished'])} places ({places}): compare it."
            say(f"{report.job.source}, page {line['page']}: {gone}")
    if report.grew > LARGER:
        say(f"{report.job.target} is {report.grew:.1f} times as large as {report.job.source}.")
    if not as_json:
        typer.echo(report.job.target)
    if tell:
        seconds = sum(line["seconds"] for line in report.pages)
        n = len(report.pages)
        say(f"{report.job.source}: {n} page{'s' * (n > 1)} in {seconds:.2f} s")
