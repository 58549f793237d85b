"""Open and write files of pages: one picture or several by Pillow, here; PDF by pdf.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import IO, BinaryIO, Protocol, cast

import numpy as np
from PIL import Image, TiffImagePlugin

from legible.documents.formats import (
    Format,
    format_called,
    format_of,
    spoken_list,
    suffixes,
    written_formats,
)
from legible.documents.frames import read_frame
from legible.documents.page import MOST_PIXELS, Page, check_size
from legible.documents.pdf import Pdf, is_pdf, write_pdf
from legible.documents.pictures import NotAPicture, naming, open_picture
from legible.documents.saving import save_page
from legible.documents.tiff import copy_page
from legible.errors import ArgumentError, InputError
from legible.libtiff import collect_messages
from legible.output import new_file


class _Closes(Protocol):
    def close(self) -> None: ...


class Document:
    """A file of pages, opened: read them one after the other. Use it as a context."""

    def __init__(self, path: Path, opened: _Closes, n_pages: int, pages: Iterator[Page]) -> None:
        self.path, self.n_pages = path, n_pages
        self._opened, self._pages = opened, pages

    def __iter__(self) -> Iterator[Page]:
        """The pages; each is read when it is its turn."""
        return self._pages

    def __enter__(self) -> Document:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()


def open_document(
    source: Path | bytes,
    *,
    dpi: float | None = None,
    most_pixels: int = MOST_PIXELS,
    colour: bool = True,
    keep_damaged: bool = False,
) -> Document:
    """Open a file of pages, or the bytes of one.

    dpi: to draw a PDF's pages at; else as fine as the largest picture on each. colour: whether coloured pages
    stay so, or are read in grey. keep_damaged: whether one of several pages of a TIFF that
    cannot be decoded is a page with `damage`, instead of an error.

    Raises InputError, naming the file, for one that cannot be read, is empty, asks for a password, or has a
    page of more than `most_pixels` pixels.
    """
    path = source if isinstance(source, Path) else Path("the given file")
    if source is path and not path.exists():
        raise InputError(f"there is no file {path}. Check the path.")
    if is_pdf(source) if isinstance(source, bytes) else _is_named_pdf(path):
        pdf = Pdf(path, source)
        drawn = (
            pdf.read_page(number, dpi=dpi, most_pixels=most_pixels, colour=colour)
            for number in range(pdf.n_pages)
        )
        return Document(path, pdf, pdf.n_pages, drawn)
    with naming(path), _any_size():
        opened = open_picture(source)
        try:
            found = format_called(opened.format)  # whatever the file's name says
            several = found is not None and found.pages != "one"
            n_pages = getattr(opened, "n_frames", 1) if several else 1  # of an animation, the first picture
        except BaseException:
            opened.close()
            raise
    frames = _Frames(path, source, n_pages, most_pixels, colour, keep_damaged and n_pages > 1)
    return Document(path, opened, n_pages, _read_frames(opened, frames))


def write_document(path: Path, pages: Iterable[Page], *, overwrite: bool = False) -> Path:
    """Write pages in turn to a new file, in the format that its ending names; return its path.

    Nothing half-written is left. Raises ArgumentError for an ending that names no format that is written, and
    for more or larger pages than the format holds; OutputError where the file exists already, unless
    overwrite is set, or cannot be written.
    """
    form = format_of(path)
    if form is None or not form.written:
        endings = spoken_list(suffixes(written=True))
        raise ArgumentError(f"{path} cannot be written: name a file that ends in {endings}.")
    with new_file(path, overwrite=overwrite) as temporary:
        if form.pages == "pdf":
            write_pdf(temporary, pages, form.settings)
        elif form.pages == "tiff":
            with TiffImagePlugin.AppendingTiffWriter(str(temporary), new=True) as file:
                for page in pages:
                    save_page(page, cast("IO[bytes]", file), form, path)
                    file.newFrame()
        else:
            _write_one(temporary, pages, form, path)
    return path


def _write_one(temporary: Path, pages: Iterable[Page], form: Format, path: Path) -> None:
    """The only page, in a format that holds one. path: the file's name in messages."""
    first, *more = islice(pages, 2)
    if more:
        several = spoken_list(each.suffixes[0] for each in written_formats() if each.pages != "one")
        raise ArgumentError(f"{path}: {form.name} holds one page. Choose {several} for several.")
    with temporary.open("wb") as file:
        save_page(first, cast("IO[bytes]", _Plain(file)), form, path)


@dataclass(frozen=True)
class _Frames:
    """How the pictures of a file are read: the settings of open_document."""

    path: Path
    source: Path | bytes
    n_pages: int
    most_pixels: int
    colour: bool
    keep_damaged: bool


def _read_frames(opened: Image.Image, how: _Frames) -> Iterator[Page]:
    for number in range(how.n_pages):
        try:
            page = _read_one(opened, number, how)
        except NotAPicture as error:
            if not how.keep_damaged:
                raise
            page = _keep_damaged(opened, number, error, how)
        if how.n_pages == 1:
            opened.close()  # its own copy of the pixels, as large as the page
        yield page


def _read_one(opened: Image.Image, number: int, how: _Frames) -> Page:
    with naming(how.path), _any_size(), collect_messages() if opened.format == "TIFF" else nullcontext():
        opened.seek(number)
        check_size(how.path, opened.size, how.most_pixels)
        found = opened.mode
        if not how.colour and opened.format == "JPEG":
            opened.draft("L", opened.size)  # a third of the time and of the memory
        return read_frame(opened, how.colour, found, how.source)


def _keep_damaged(opened: Image.Image, number: int, error: NotAPicture, how: _Frames) -> Page:
    """The current page, which cannot be decoded, with what is in its file."""
    with BytesIO(how.source) if isinstance(how.source, bytes) else how.source.open("rb") as file:
        raw = copy_page(opened, file) if opened.tell() == number else None  # else it cannot be found
    reason = str(error.__cause__).rstrip(".")
    return Page(np.zeros(opened.size[::-1], np.uint8), damage=reason, raw=raw)


def _is_named_pdf(path: Path) -> bool:
    form = format_of(path)
    return form is not None and form.pages == "pdf"


@contextmanager
def _any_size() -> Iterator[None]:
    """Without Pillow's own limit: ours is explained in a sentence, and can be raised."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


@dataclass
class _Plain:
    """A file without a number: given one, Pillow's JPEG writer does not notice when a disk is full."""

    file: BinaryIO

    def write(self, data: bytes) -> int:
        """Write to the file."""
        return self.file.write(data)

    def flush(self) -> None:
        """Nothing is held back."""
