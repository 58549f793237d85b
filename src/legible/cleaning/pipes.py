"""A scan from standard input and a clean page to standard output: `-` in the place of a file's name."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from legible.documents.formats import Format, format_called, format_of, written_name
from legible.documents.pdf import is_pdf
from legible.documents.pictures import NotAPicture, naming, open_picture
from legible.errors import ArgumentError, InputError

PIPE = Path("-")
STDIN, STDOUT = "standard input", "standard output"


@contextmanager
def pipe_files(
    sources: list[Path], output: Path, streams: tuple[BinaryIO, BinaryIO] | None
) -> Iterator[tuple[list[Path], Path, dict[str, str]]]:
    """Yield sources and output with files in the place of `-`, and the words by which to name these.

    streams: standard input and output, in bytes; None if neither is meant. What is written to the output's
    file goes to stdout when the block ends without an error. Raises ArgumentError where `-` makes no sense,
    InputError where there is no scan in stdin.
    """
    if sources.count(PIPE) > 1:
        raise ArgumentError("- is given twice, but there is one standard input. Name files instead.")
    if streams is None:
        yield sources, output, {}
        return
    stdin, stdout = streams
    if output == PIPE:
        _check_stdout(sources, stdout)
    with tempfile.TemporaryDirectory(prefix="legible-") as name:
        folder, names = Path(name), {}
        if PIPE in sources:
            scan = _keep_stdin(stdin, folder)
            sources = [scan if source == PIPE else source for source in sources]
            names[str(scan)] = STDIN
        if output == PIPE:
            output = folder / "out" / written_name(Path(sources[0].name))
            names[str(output)] = STDOUT
        yield sources, output, names
        if names.get(str(output)) == STDOUT and output.exists():
            with output.open("rb") as file:
                shutil.copyfileobj(file, stdout)
            stdout.flush()


def _check_stdout(sources: list[Path], stdout: BinaryIO) -> None:
    if len(sources) > 1 or (sources and sources[0].is_dir()):
        raise ArgumentError("-o - is for one scan. Name a folder for several.")
    if stdout.isatty():
        raise ArgumentError("standard output is a terminal, which shows no pictures. Add > FILE, or -o FILE.")


def _keep_stdin(stdin: BinaryIO, folder: Path) -> Path:
    """Standard input as a file, whose ending says its format."""
    if stdin.isatty():
        raise InputError("standard input is a terminal. Give it a scan: legible clean - -o - < scan.png")
    data = stdin.read()
    if not data:
        raise InputError("standard input is empty. Give it a scan: legible clean - -o - < scan.png")
    form = format_of(Path("x.pdf")) if is_pdf(data) else _picture_format(data)
    if form is None:
        raise InputError(
            "standard input is not a scan in a known format, or damaged. Give it a file as it was scanned."
        )
    scan = folder / f"stdin{form.suffixes[0]}"
    scan.write_bytes(data)
    return scan


def _picture_format(data: bytes) -> Format | None:
    try:
        with naming(Path(STDIN)), open_picture(data) as opened:
            return format_called(opened.format)
    except NotAPicture:
        return None
