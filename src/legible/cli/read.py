"""`legible read`: pictures in, the digits that are written there out, without PyTorch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from legible.choices import DIGIT_READER, LINE_READER, ReadMode
from legible.cli import options
from legible.cli.screen import counting, say
from legible.errors import ArgumentError, ExitCode
from legible.output import check_free

if TYPE_CHECKING:
    from legible.reading.open_pictures import Opened
    from legible.reading.result import Reading


MinConfidence = Annotated[
    float | None, typer.Option(min=0, max=1, help="Refuse what is less sure than this, 0 to 1.")
]
ErrorRate = Annotated[
    float | None,
    typer.Option(
        metavar="RATE",
        help="For single digits: print all that each may be, as [49]; at most this share lacks it.",
    ),
]
Plot = Annotated[
    Path | None,
    typer.Option(
        metavar="OUT", help="Draw boxes and readings on the picture: a PNG file, for several a folder."
    ),
]


@options.with_formats
def read(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Pictures, or folders of them.")],
    mode: Annotated[ReadMode, typer.Option(help="What a picture shows; auto finds out.")] = "auto",
    min_confidence: MinConfidence = None,
    error_rate: ErrorRate = None,
    plot: Plot = None,
    max_megapixels: options.MaxMegapixels = 250,
    line_model: Annotated[str, typer.Option(help="A saved reader of lines.")] = LINE_READER,
    digit_model: Annotated[str, typer.Option(help="A saved classifier of single digits.")] = DIGIT_READER,
    overwrite: options.Overwrite = False,
    as_json: options.AsJsonLines = False,
) -> None:
    """Read handwritten digits in pictures: one digit, a line of them, or all on a page or photo.

    Dark on light or light on dark, {read}.
    Prints a line for each picture: its digits, with a space between two lines of them, and its name in front
    where there are several pictures. Anything that isn't a digit is refused, and stderr says why.
    """
    from legible.reading.open_pictures import find_pictures, open_pictures
    from legible.reading.read import load_reader

    files = list(find_pictures(images))
    alone = len(files) == 1
    _check_plot(plot, alone=alone, overwrite=overwrite)
    reader = load_reader("" if mode == "digit" else line_model, digit_model)
    code, n_done = ExitCode.OK, 0
    with counting("reading", every_s=10) as progress:
        for batch in open_pictures(files, most_pixels=round(max_megapixels * 1e6)):
            good = [one for one in batch if one.error is None]
            readings = iter(
                reader.read_all(
                    [one.pixels for one in good],
                    mode=mode, min_confidence=min_confidence, error_rate=error_rate,
                )
            )  # fmt: skip
            for opened in batch:
                if opened.error is not None:
                    code = code or opened.error.exit_code
                    _show_error(opened, as_json=as_json)
                    continue
                reading = next(readings)
                _show(opened.name, reading, alone=alone, as_json=as_json)
                if plot is not None:
                    target = _place(opened.name, images, plot)
                    _draw(reading, target, overwrite=overwrite)
            n_done += len(batch)
            progress(min(n_done, len(files)), len(files))
    if code:
        raise typer.Exit(code)


def _show(name: str, reading: Reading, *, alone: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"file": name, **reading.to_json()}))
        return
    text = " ".join("".join(digit.label for digit in line.digits) for line in reading.lines)
    typer.echo(text if alone else f"{name}\t{text}")
    if reading.reason:
        say(f"{name}: {reading.reason}.")


def _show_error(opened: Opened, *, as_json: bool) -> None:
    say(f"legible: {opened.error}")
    if as_json:
        typer.echo(json.dumps({"file": opened.name, "error": str(opened.error)}))


def _check_plot(plot: Path | None, *, alone: bool, overwrite: bool) -> None:
    if plot is None:
        return
    if plot.suffix and plot.suffix.lower() != ".png" and not plot.is_dir():
        raise ArgumentError(f"--plot draws PNG files: name {plot.with_suffix('.png')}, or a folder.")
    if plot.suffix and not plot.is_dir():
        if not alone:
            raise ArgumentError(f"{plot} is one file, and there are several pictures. Name a folder.")
        check_free(plot, overwrite=overwrite)


def _place(name: str, sources: list[Path], plot: Path) -> Path:
    """Where a picture is drawn to: the file named, or in the folder named its place in its own folder.

    Pages of one file are numbered, as in their names: `scan.pdf:2`.
    """
    if plot.suffix and not plot.is_dir():
        number = name.removeprefix(str(sources[0])).strip(":") if sources[0].is_file() else ""
        return plot.with_name(f"{plot.stem}.{number}{plot.suffix}") if number else plot
    path = Path(name)
    roots = [source for source in sources if source.is_dir() and path.is_relative_to(source)]
    inner = path.relative_to(roots[0]) if roots else Path(path.name)
    return plot / inner.with_name(f"{inner.name.replace(':', '.')}.read.png")


def _draw(reading: Reading, target: Path, *, overwrite: bool) -> None:
    from legible.output import new_file

    with new_file(target, overwrite=overwrite) as temporary:
        reading.draw()[0].save(temporary, "PNG")
    say(f"drawn: {target}")
