"""Write pages to a file: one picture, several in a TIFF, or a PDF."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from PIL import Image, TiffImagePlugin

from legible.apply.pages import PDF_DPI, PDFIUM, POINTS_PER_INCH, Page, import_pdfium
from legible.errors import ArgumentError
from legible.pictures import upper_byte

_JPEG_QUALITY = 90
_MOST_WEBP_PX = 16_383
_PNG_LEVEL = 2  # a third of the time of 6, the usual one, for 15 % more bytes of a clean page


def write_document(path: Path, pages: Iterator[Page], *, form: str) -> None:
    """Write pages in turn. form: one of FORMS' values; all but TIFF and PDF hold a single page."""
    if form == "PDF":
        _write_pdf(path, pages)
    elif form == "TIFF":
        with TiffImagePlugin.AppendingTiffWriter(str(path), new=True) as file:
            for page in pages:
                picture, settings = _to_picture(page, form)
                picture.save(file, format=form, **settings)
                file.newFrame()
    else:
        first = next(pages)
        picture, settings = _to_picture(first, form)
        if next(pages, None) is not None:
            raise ArgumentError(f"{path.name}: {form} holds one page. Choose .tif or .pdf for several.")
        with path.open("wb") as file:
            picture.save(cast("IO[bytes]", _Plain(file)), format=form, **settings)


def _to_picture(page: Page, form: str) -> tuple[Image.Image, dict[str, Any]]:
    """A page as Pillow writes it, with what belongs to its form."""
    settings = dict(page.kept)
    if page.dpi:
        settings["dpi"] = page.dpi
    picture = Image.fromarray(page.pixels if form in ("PNG", "TIFF") else upper_byte(page.pixels))
    if page.alpha is not None and form in ("PNG", "WEBP", "TIFF") and picture.mode in ("L", "RGB"):
        picture.putalpha(Image.fromarray(page.alpha))
    if page.two_valued and form in ("PNG", "TIFF") and picture.mode == "L":
        picture = picture.convert("1", dither=Image.Dither.NONE)
    if form == "JPEG":
        settings |= {"quality": _JPEG_QUALITY}
    if form == "PNG":
        settings |= {"compress_level": _PNG_LEVEL}
    if form == "WEBP":
        if max(picture.size) > _MOST_WEBP_PX:
            raise ArgumentError(
                f"WebP holds {_MOST_WEBP_PX:,} pixels a side, not {max(picture.size):,}. Choose .png or .tif."
            )
        settings |= {"lossless": True} if page.two_valued else {"quality": _JPEG_QUALITY}
    if form == "TIFF":
        settings |= {"compression": "group4" if picture.mode == "1" else "tiff_adobe_deflate"}
    return picture, settings


def _write_pdf(path: Path, pages: Iterator[Page]) -> None:
    """A PDF with a picture on each page, of the page's size."""
    pdfium = import_pdfium()
    with PDFIUM:
        document = pdfium.PdfDocument.new()
    for page in pages:
        with PDFIUM:
            _add_page(document, page)
    with path.open("wb") as file, PDFIUM:
        keeper = _KeepsError(file)
        document.save(keeper)
        document.close()
        if keeper.error is not None:
            raise keeper.error


def _add_page(document: Any, page: Page) -> None:
    """A page of a PDF, with a picture as large as the page."""
    pdfium = import_pdfium()
    height, width = page.pixels.shape[:2]
    dpi = page.dpi or (PDF_DPI, PDF_DPI)
    points = page.size_points or tuple(
        side * POINTS_PER_INCH / d for side, d in zip((width, height), dpi, strict=True)
    )
    sheet, picture = document.new_page(*points), pdfium.PdfImage.new(document)
    image, _ = _to_picture(replace(page, alpha=None, two_valued=False), "JPEG")
    if page.two_valued:
        picture.set_bitmap(pdfium.PdfBitmap.from_pil(image))
    else:
        stored = io.BytesIO()
        image.save(stored, format="JPEG", quality=_JPEG_QUALITY)
        picture.load_jpeg(stored, inline=True)
    picture.set_matrix(pdfium.PdfMatrix().scale(*points))
    sheet.insert_obj(picture)
    sheet.gen_content()
    sheet.close()


@dataclass
class _Plain:
    """A file without a number: given one, Pillow's JPEG writer takes no notice when a disk is full."""

    file: BinaryIO

    def write(self, data: bytes) -> int:
        """Write to the file."""
        return self.file.write(data)

    def flush(self) -> None:
        """Nothing is held back."""


@dataclass
class _KeepsError:
    """A file for pdfium, which takes no notice when writing fails."""

    file: BinaryIO
    error: OSError | None = None

    def write(self, data: bytes) -> None:
        """Write, unless that has failed before."""
        try:
            if self.error is None:
                self.file.write(data)
        except OSError as error:
            self.error = error
