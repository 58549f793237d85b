"""Open and write files of pages: one picture or several by Pillow, here; PDF by pdf.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol, cast

import numpy as np
from PIL import Image, ImageOps, TiffImagePlugin

from legible.documents.formats import (
    Format,
    format_called,
    format_of,
    spoken_list,
    suffixes,
    written_formats,
)
from legible.documents.page import MOST_PIXELS, PROFILE, Page, check_size
from legible.documents.pdf import Pdf, is_pdf, write_pdf
from legible.errors import ArgumentError, InputError
from legible.output import new_file
from legible.pictures import naming, open_picture, upper_byte

_ORIENTATION = 0x0112  # of EXIF
_COLOURS = {"1": "L", "LA": "L", "P": "RGB", "PA": "RGB", "RGBA": "RGB"}  # of modes that say more
_ROWS = 512  # that are copied at a time


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
    source: Path | bytes, *, dpi: float | None = None, most_pixels: int = MOST_PIXELS, colour: bool = True
) -> Document:
    """Open a file of pages, or the bytes of one.

    dpi: to draw a PDF's pages at; else as fine as the largest picture on each. colour: whether coloured pages
    stay so, or are read in grey.

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
    return Document(path, opened, n_pages, _read_frames(path, opened, n_pages, most_pixels, colour))


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
                    picture, settings = _to_picture(page, form, path)
                    picture.save(file, format=form.pillow_name, **settings)
                    file.newFrame()
        else:
            _write_one(temporary, pages, form, path)
    return path


def _write_one(temporary: Path, pages: Iterable[Page], form: Format, path: Path) -> None:
    """The only page, in a format that holds one. path: the file's name in messages."""
    first, *more = islice(pages, 2)
    picture, settings = _to_picture(first, form, path)
    if more:
        several = spoken_list(each.suffixes[0] for each in written_formats() if each.pages != "one")
        raise ArgumentError(f"{path}: {form.name} holds one page. Choose {several} for several.")
    with temporary.open("wb") as file:
        picture.save(cast("IO[bytes]", _Plain(file)), format=form.pillow_name, **settings)


def _read_frames(
    path: Path, opened: Image.Image, n_pages: int, most_pixels: int, colour: bool
) -> Iterator[Page]:
    for number in range(n_pages):
        with naming(path), _any_size():
            opened.seek(number)
            check_size(path, opened.size, most_pixels)
            found = opened.mode
            if not colour and opened.format == "JPEG":
                opened.draft("L", opened.size)  # a third of the time and of the memory
            page = read_frame(opened, colour, found)
            if n_pages == 1:
                opened.close()  # its own copy of the pixels, as large as the page
        yield page


def read_frame(opened: Image.Image, colour: bool = True, found: str = "") -> Page:
    """The current picture, upright, as a page. found: its mode in its file, if another."""
    kept = {PROFILE: opened.info[PROFILE]} if opened.info.get(PROFILE) else {}
    dpi, form, exif = opened.info.get("dpi"), format_called(opened.format), opened.getexif()
    picture: Image.Image = opened
    if exif.get(_ORIENTATION, 1) != 1:
        picture = ImageOps.exif_transpose(opened)
        exif = picture.getexif()
    if len(exif) and (form is None or form.exif_apart):
        kept["exif"] = exif.tobytes()
    bilevel, alpha = picture.mode == "1", None
    if picture.mode == "F":
        raise ValueError("its pixels are floating-point numbers; convert it to 8 or 16 bits")
    if picture.mode.startswith("I"):  # 16 bits, which a PGM has in 32
        pixels = np.asarray(picture).clip(0, 65_535).astype(np.uint16)
    else:
        if picture.has_transparency_data:
            picture = picture.convert("RGBA")
            alpha = np.asarray(picture.getchannel("A"))
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        if picture.mode not in ("L", "RGB"):
            picture = picture.convert("L" if picture.mode in ("1", "LA") else "RGB")
        if not colour:
            picture = picture.convert("L")
        pixels = _to_array(picture)
        if picture.mode != _COLOURS.get(found or opened.mode, found or opened.mode):
            kept.pop(PROFILE, None)
    return Page(pixels, alpha, _plain_dpi(dpi), bilevel, kept)


def _to_array(picture: Image.Image) -> np.ndarray:
    """(H, W) or (H, W, 3) bytes, copied a few rows at a time: a copy at once needs twice the memory."""
    shape = (picture.height, picture.width, 3) if picture.mode == "RGB" else (picture.height, picture.width)
    pixels = np.empty(shape, np.uint8)
    for top in range(0, picture.height, _ROWS):
        bottom = min(top + _ROWS, picture.height)
        pixels[top:bottom] = np.asarray(picture.crop((0, top, picture.width, bottom)))
    return pixels


def _to_picture(page: Page, form: Format, path: Path) -> tuple[Image.Image, dict[str, Any]]:
    """A page as Pillow writes it in a format, and the settings to save it with. path: named in messages."""
    picture = Image.fromarray(page.pixels if 16 in form.bits else upper_byte(page.pixels))
    if form.most_px is not None and max(picture.size) > form.most_px:
        others = (each for each in written_formats() if each.pillow_name and each.most_px is None)
        choice = spoken_list(each.suffixes[0] for each in others)
        raise ArgumentError(
            f"{path}: {form.name} holds {form.most_px:,} pixels a side, not {max(picture.size):,}. "
            f"Choose {choice}."
        )
    if page.alpha is not None and form.alpha and picture.mode in ("L", "RGB"):
        picture.putalpha(Image.fromarray(page.alpha))
    if page.bilevel and 1 in form.bits and picture.mode == "L":
        picture = picture.convert("1", dither=Image.Dither.NONE)
    # where one bit a pixel can be kept, transparency or 16 bits may still need more
    bilevel = picture.mode == "1" or (page.bilevel and 1 not in form.bits)
    settings = form.bilevel_settings if bilevel and form.bilevel_settings is not None else form.settings
    return picture, {**page.kept, **({"dpi": page.dpi} if page.dpi else {}), **settings}


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


def _plain_dpi(dpi: Any) -> tuple[float, float] | None:
    try:
        across, down = (float(each) for each in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if across > 1 and down > 1 else None


@dataclass
class _Plain:
    """A file without a number: given one, Pillow's JPEG writer does not notice when a disk is full."""

    file: BinaryIO

    def write(self, data: bytes) -> int:
        """Write to the file."""
        return self.file.write(data)

    def flush(self) -> None:
        """Nothing is held back."""
