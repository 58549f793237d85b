"""Page files: PNG, JPEG, WebP, TIFF and PDF in and out, page by page, with what belongs to a scan."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, TiffImagePlugin

from legible.errors import ArgumentError, InputError, MissingExtra
from legible.pictures import naming, upper_byte

FORMS = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF",
    ".pdf": "PDF",
}  # fmt: skip
READ_ONLY = (".bmp", ".gif", ".pgm", ".ppm", ".pnm", ".jp2")  # written as PNG
MOST_PIXELS = 250_000_000  # of a page: larger ones may be meant to fill the memory
PDF_DPI = 300.0  # of a page of which nothing tells how finely it was scanned
_POINTS_PER_INCH = 72
_MOST_DPI = 1200.0
_ORIENTATION = 0x0112  # of EXIF
_JPEG_QUALITY = 90
_ROWS = 512  # that are copied at a time
_PNG_LEVEL = 2  # a third of the time of 6, the usual one, for 15 % more bytes of a clean page


@dataclass(frozen=True, eq=False)
class Page:
    """One page as it was found.

    pixels: (H, W) or (H, W, 3), bytes or 16 bits, the highest number white. alpha: (H, W) bytes, 255 = solid.
    dpi: across and down. two_valued: stored with one bit a pixel. kept: what its file says besides, by the
    name that Pillow writes it under. size_points: of a PDF's page.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    dpi: tuple[float, float] | None = None
    two_valued: bool = False
    kept: dict[str, Any] = field(default_factory=dict)
    size_points: tuple[float, float] | None = None

    def with_pixels(self, pixels: np.ndarray, *, two_valued: bool) -> Page:
        """The page with other pixels of the same size."""
        return replace(self, pixels=pixels, two_valued=two_valued)


class Document:
    """A file of pages, opened: read them one after the other. Use it as a context."""

    def __init__(self, path: Path, opened: Any, n_pages: int, pages: Iterator[Page]) -> None:
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
    path: Path, *, dpi: float | None = None, most_pixels: int = MOST_PIXELS, colour: bool = True
) -> Document:
    """Open a file of pages. dpi: to draw a PDF's pages at; else as fine as the largest picture on each.

    colour: whether coloured pages are wanted so, or in grey.

    Raises InputError, naming the file, for what cannot be read, is empty, asks for a password, or has a page
    of more than `most_pixels` pixels.
    """
    if not path.exists():
        raise InputError(f"there is no file {path}. Check the path.")
    if path.suffix.lower() == ".pdf":
        return _open_pdf(path, dpi, most_pixels, colour)
    with naming(path), _any_size():
        opened = Image.open(path)
    # of what moves, the first picture
    n_pages = getattr(opened, "n_frames", 1) if opened.format == "TIFF" else 1
    return Document(path, opened, n_pages, _read_frames(path, opened, n_pages, most_pixels, colour))


def _read_frames(
    path: Path, opened: Image.Image, n_pages: int, most_pixels: int, colour: bool
) -> Iterator[Page]:
    for number in range(n_pages):
        with naming(path), _any_size():
            opened.seek(number)
            _check_size(path, opened.size, most_pixels)
            if not colour and opened.format == "JPEG":
                opened.draft("L", opened.size)  # a third of the time and of the memory
            page = _read_frame(opened, colour)
            if n_pages == 1:
                opened.close()  # its own copy of the pixels, as large as the page
        yield page


def _read_frame(opened: Image.Image, colour: bool) -> Page:
    """The picture at hand, upright, as a page."""
    kept = {name: opened.info[name] for name in ("icc_profile",) if opened.info.get(name)}
    dpi, form, exif = opened.info.get("dpi"), opened.format, opened.getexif()
    picture: Image.Image = opened
    if exif.get(_ORIENTATION, 1) != 1:
        picture = ImageOps.exif_transpose(opened)
        exif = picture.getexif()
    if form != "TIFF" and len(exif):
        kept["exif"] = exif.tobytes()
    two_valued, alpha = picture.mode == "1", None
    if picture.mode.startswith("I;16"):
        pixels = np.array(picture, np.uint16)
    else:
        if picture.has_transparency_data:
            picture = picture.convert("RGBA")
            alpha = np.asarray(picture.getchannel("A"))
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        if picture.mode not in ("L", "RGB"):
            picture = picture.convert("L" if picture.mode in ("1", "LA", "I", "F") else "RGB")
        if not colour:
            picture = picture.convert("L")
        pixels = _to_array(picture)
    return Page(pixels, alpha, _plain_dpi(dpi), two_valued, kept)


def _to_array(picture: Image.Image) -> np.ndarray:
    """(H, W) or (H, W, 3) bytes, copied some rows at a time: at once takes the memory of the page twice."""
    shape = (picture.height, picture.width, 3) if picture.mode == "RGB" else (picture.height, picture.width)
    pixels = np.empty(shape, np.uint8)
    for top in range(0, picture.height, _ROWS):
        bottom = min(top + _ROWS, picture.height)
        pixels[top:bottom] = np.asarray(picture.crop((0, top, picture.width, bottom)))
    return pixels


def _open_pdf(path: Path, dpi: float | None, most_pixels: int, colour: bool) -> Document:
    pdfium = _import_pdfium()
    try:
        opened = pdfium.PdfDocument(path)
        n_pages = len(opened)
    except pdfium.PdfiumError as error:
        asks = "password" in str(error).lower()
        damage = f"is no PDF, or damaged: {str(error).rstrip('.')}. Replace or remove it"
        reason = "asks for a password; save a copy without one" if asks else damage
        raise InputError(f"{path} {reason}.") from error
    if n_pages == 0:
        raise InputError(f"{path} has no pages.")
    return Document(path, opened, n_pages, _draw_pages(path, opened, dpi, most_pixels, colour))


def _draw_pages(path: Path, opened: Any, dpi: float | None, most_pixels: int, colour: bool) -> Iterator[Page]:
    for sheet in opened:
        points = sheet.get_size()
        fine = dpi or _finest_dpi(sheet)
        _check_size(path, tuple(round(side * fine / _POINTS_PER_INCH) for side in points), most_pixels)
        scale = fine / _POINTS_PER_INCH * (1 - 1e-5)  # a fraction of a pixel would be a pixel more
        drawn = sheet.render(scale=scale, rev_byteorder=True, grayscale=not colour).to_numpy()
        if drawn.ndim == 3 and not (drawn[..., :3] != drawn[..., :1]).any():
            drawn = drawn[..., 0]
        pixels = np.array(drawn if drawn.ndim == 2 else drawn[..., :3])
        yield Page(pixels, dpi=(fine, fine), size_points=points)


def _finest_dpi(sheet: Any) -> float:
    """How finely the largest picture on a PDF's page was scanned."""
    found = 0.0
    for thing in sheet.get_objects(filter=[3]):  # pictures
        left, bottom, right, top = thing.get_bounds()
        if (right - left) * (top - bottom) > 0.2 * sheet.get_width() * sheet.get_height():
            found = max(found, thing.get_px_size()[0] * _POINTS_PER_INCH / max(right - left, 1))
    return min(found, _MOST_DPI) or PDF_DPI


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
        stored = io.BytesIO()  # Pillow's JPEG writer takes no notice when a disk is full
        picture.save(stored, format=form, **settings)
        path.write_bytes(stored.getbuffer())


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
        settings |= {"lossless": True} if page.two_valued else {"quality": _JPEG_QUALITY}
    if form == "TIFF":
        settings |= {"compression": "group4" if picture.mode == "1" else "tiff_adobe_deflate"}
    return picture, settings


def _write_pdf(path: Path, pages: Iterator[Page]) -> None:
    """A PDF with a picture on each page, of the page's size."""
    pdfium = _import_pdfium()
    document = pdfium.PdfDocument.new()
    for page in pages:
        height, width = page.pixels.shape[:2]
        dpi = page.dpi or (PDF_DPI, PDF_DPI)
        points = page.size_points or tuple(
            side * _POINTS_PER_INCH / d for side, d in zip((width, height), dpi, strict=True)
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
    with path.open("wb") as file:
        keeper = _KeepsError(file)
        document.save(keeper)
        if keeper.error is not None:
            raise keeper.error


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


def _check_size(path: Path, size: tuple[int, ...], most_pixels: int) -> None:
    if size[0] * size[1] > most_pixels:
        raise InputError(
            f"{path} has a page of {size[0]:,} x {size[1]:,} pixels, more than the limit of "
            f"{most_pixels / 1e6:,.0f} million. If you trust it, raise --max-megapixels."
        )


@contextmanager
def _any_size() -> Iterator[None]:
    """Pillow's own limit aside: ours is told in a sentence, and can be raised."""
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


def _import_pdfium() -> Any:
    try:
        import pypdfium2
    except ImportError:
        raise MissingExtra("PDF files need pypdfium2. Install it: pip install pypdfium2") from None
    return pypdfium2
