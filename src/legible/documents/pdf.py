"""PDF files: pages drawn to pixels, and pixels written as pages."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from legible.documents.page import Page, check_size
from legible.documents.pictures import NotAPicture, upper_byte
from legible.errors import InputError, MissingExtra

DEFAULT_DPI = 300.0  # of a page whose file does not say how finely it was scanned
_POINTS_PER_INCH = 72
_MOST_DPI = 1200.0
_SIGN, _SIGN_WITHIN = b"%PDF-", 1024  # what a PDF begins with, and within how many bytes
_BARE, _BARE_GREY = (255, 0, 254), 119  # paper that no picture has: a picture that fails leaves it bare
_LOCK = RLock()  # pdfium is for one thread at a time, whichever documents the threads work on


def is_pdf(data: bytes) -> bool:
    """Whether a file that begins with these bytes is a PDF."""
    return _SIGN in data[:_SIGN_WITHIN]


class Pdf:
    """An open PDF. path: its name in messages. source: the file, or its bytes. n_pages: how many it has.

    Raises MissingExtra without pypdfium2; InputError for a damaged file, an empty one or one with a password.
    """

    def __init__(self, path: Path, source: Path | bytes) -> None:
        pdfium = _import_pdfium()
        self._path = path
        try:
            with _LOCK:
                self._opened = pdfium.PdfDocument(source)
                self.n_pages = len(self._opened)
        except pdfium.PdfiumError as error:
            asks = "password" in str(error).lower()
            damage = f"is not a PDF, or damaged: {str(error).rstrip('.')}. Replace or remove it"
            reason = "asks for a password; save a copy without one" if asks else damage
            raise NotAPicture(f"{path} {reason}.") from error
        if self.n_pages == 0:
            raise InputError(f"{path} has no pages.")

    def read_page(self, number: int, *, dpi: float | None, most_pixels: int, colour: bool) -> Page:
        """Draw a page, counted from 0. dpi: else as fine as the largest picture on it."""
        pdfium = _import_pdfium()
        with _LOCK, ExitStack() as closing:
            try:
                sheet = self._opened[number]
                closing.callback(sheet.close)
                points = sheet.get_size()
                fine = dpi or _finest_dpi(sheet)
                size = tuple(round(side * fine / _POINTS_PER_INCH) for side in points)
                check_size(self._path, size, most_pixels)
                scale = fine / _POINTS_PER_INCH * (1 - 1e-5)  # a fraction of a pixel would be a pixel more
                bitmap = sheet.render(scale=scale, rev_byteorder=True, grayscale=not colour)
            except pdfium.PdfiumError as error:
                raise NotAPicture(
                    f"page {number + 1} of {self._path} is damaged: {str(error).rstrip('.')}. "
                    "Replace or remove it."
                ) from error
            closing.callback(bitmap.close)
            drawn = bitmap.to_numpy()
            if drawn.ndim == 3 and not (drawn[..., :3] != drawn[..., :1]).any():
                drawn = drawn[..., 0]
            pixels = np.array(drawn if drawn.ndim == 2 else drawn[..., :3])
        return Page(pixels, dpi=(fine, fine), size_points=points)

    def close(self) -> None:
        """Close the file, while no other thread is at work in pdfium."""
        with _LOCK:
            self._opened.close()


def write_pdf(path: Path, pages: Iterable[Page], settings: Mapping[str, Any]) -> None:
    """Write a PDF with a picture on each page, of the page's size. settings: of the JPEG pictures in it."""
    pdfium = _import_pdfium()
    with _LOCK:
        document = pdfium.PdfDocument.new()
    for page in pages:
        with _LOCK:
            _add_page(document, page, settings)
    with path.open("wb") as file, _LOCK:
        keeper = _KeepsError(file)
        document.save(keeper)
        document.close()
        if keeper.error is not None:
            raise keeper.error


def _finest_dpi(sheet: Any) -> float:
    """How finely the largest picture on a PDF's page was scanned."""
    found = 0.0
    for thing in sheet.get_objects(filter=[3]):  # pictures
        left, bottom, right, top = thing.get_bounds()
        if (right - left) * (top - bottom) > 0.2 * sheet.get_width() * sheet.get_height():
            found = max(found, thing.get_px_size()[0] * _POINTS_PER_INCH / max(right - left, 1))
    return min(found, _MOST_DPI) or DEFAULT_DPI


def _add_page(document: Any, page: Page, settings: Mapping[str, Any]) -> None:
    """A page of a PDF, with a picture as large as the page."""
    pdfium = _import_pdfium()
    height, width = page.pixels.shape[:2]
    dpi = page.dpi or (DEFAULT_DPI, DEFAULT_DPI)
    points = page.size_points or tuple(
        side * _POINTS_PER_INCH / d for side, d in zip((width, height), dpi, strict=True)
    )
    sheet, picture = document.new_page(*points), pdfium.PdfImage.new(document)
    image = Image.fromarray(upper_byte(page.pixels))
    if page.bilevel:
        picture.set_bitmap(pdfium.PdfBitmap.from_pil(image))
    else:
        stored = io.BytesIO()
        image.save(stored, format="JPEG", **settings)
        picture.load_jpeg(stored, inline=True)
    picture.set_matrix(pdfium.PdfMatrix().scale(*points))
    sheet.insert_obj(picture)
    sheet.gen_content()
    sheet.close()


@dataclass
class _KeepsError:
    """A file for pdfium, which does not notice when writing fails."""

    file: BinaryIO
    error: OSError | None = None

    def write(self, data: bytes) -> None:
        """Write, unless that has failed before."""
        try:
            if self.error is None:
                self.file.write(data)
        except OSError as error:
            self.error = error


def _import_pdfium() -> Any:
    """The library that reads and writes PDF. Raises MissingExtra where there is none."""
    try:
        import pypdfium2
    except ImportError:
        raise MissingExtra("PDF files need pypdfium2. Install it: pip install pypdfium2") from None
    return pypdfium2


def draw_picture(data: bytes, size: tuple[int, int], *, grey: bool) -> np.ndarray | None:
    """Draw a PDF of one page, (H, W) or (H, W, 3) bytes; None if it stays bare.

    data: the file's bytes. size: width and height in pixels. grey: whether it has no colours.
    Raises OSError for a file that pdfium cannot open.
    """
    pdfium = _import_pdfium()
    bare = (_BARE_GREY,) * 3 if grey else _BARE
    with _LOCK, ExitStack() as closing:
        try:
            opened = pdfium.PdfDocument(data)
            closing.callback(opened.close)
            sheet = opened[0]
            closing.callback(sheet.close)
            scale = size[0] / sheet.get_width() * (1 - 1e-6)
            bitmap = sheet.render(
                scale=scale, rev_byteorder=True, grayscale=grey, fill_color=(*bare, 255), no_smoothimage=True
            )
        except pdfium.PdfiumError as error:
            raise OSError(str(error)) from error
        closing.callback(bitmap.close)
        drawn = bitmap.to_numpy()[: size[1], : size[0]]
        pixels = np.array(drawn[..., 0] if grey and drawn.ndim == 3 else drawn if grey else drawn[..., :3])
    is_bare = (pixels == np.array(bare[0] if grey else bare, np.uint8)).all()
    return None if is_bare or pixels.shape[:2] != size[::-1] else pixels
