"""Page files: PNG, JPEG, WebP, TIFF and PDF, page by page, with what belongs to a scan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from legible.errors import InputError, MissingExtra
from legible.pictures import NotAPicture, naming

FORMS = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF",
    ".pdf": "PDF",
}  # fmt: skip
READ_ONLY = (".bmp", ".gif", ".pgm", ".ppm", ".pnm", ".jp2")  # written as PNG
KNOWN = (*FORMS, *READ_ONLY)
MOST_PIXELS = 250_000_000  # of a page: larger ones may be meant to fill the memory
PDF_DPI = 300.0  # of a page of which nothing tells how finely it was scanned
POINTS_PER_INCH = 72
_MOST_DPI = 1200.0
_ORIENTATION = 0x0112  # of EXIF
_PROFILE = "icc_profile"  # of the colours that a file has, of no use for others
_COLOURS = {"1": "L", "LA": "L", "P": "RGB", "PA": "RGB", "RGBA": "RGB"}  # of modes that say more
_ROWS = 512  # that are copied at a time
PDFIUM = RLock()  # the library takes one thread at a time, whichever documents they work on


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
        same_colours = pixels.ndim == self.pixels.ndim
        kept = self.kept if same_colours else {k: v for k, v in self.kept.items() if k != _PROFILE}
        return replace(self, pixels=pixels, two_valued=two_valued, kept=kept)


class PageTooLarge(InputError):
    """A page of more pixels than was allowed."""


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


def files_in(folder: Path) -> list[Path]:
    """All files of pages or pictures in a folder and below it, by their endings, sorted."""
    return [file for file in sorted(folder.rglob("*")) if file.suffix.lower() in KNOWN and file.is_file()]


def in_form(path: Path) -> Path:
    """The same name, as PNG where its own form is not written."""
    return path if path.suffix.lower() in FORMS else path.with_suffix(".png")


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
        try:  # of what moves, the first picture
            n_pages = getattr(opened, "n_frames", 1) if opened.format == "TIFF" else 1
        except BaseException:
            opened.close()
            raise
    return Document(path, opened, n_pages, _read_frames(path, opened, n_pages, most_pixels, colour))


def _read_frames(
    path: Path, opened: Image.Image, n_pages: int, most_pixels: int, colour: bool
) -> Iterator[Page]:
    for number in range(n_pages):
        with naming(path), _any_size():
            opened.seek(number)
            _check_size(path, opened.size, most_pixels)
            found = opened.mode
            if not colour and opened.format == "JPEG":
                opened.draft("L", opened.size)  # a third of the time and of the memory
            page = _read_frame(opened, colour, found)
            if n_pages == 1:
                opened.close()  # its own copy of the pixels, as large as the page
        yield page


def _read_frame(opened: Image.Image, colour: bool, found: str) -> Page:
    """The picture at hand, upright, as a page. found: its mode in the file."""
    kept = {_PROFILE: opened.info[_PROFILE]} if opened.info.get(_PROFILE) else {}
    dpi, form, exif = opened.info.get("dpi"), opened.format, opened.getexif()
    picture: Image.Image = opened
    if exif.get(_ORIENTATION, 1) != 1:
        picture = ImageOps.exif_transpose(opened)
        exif = picture.getexif()
    if form != "TIFF" and len(exif):
        kept["exif"] = exif.tobytes()
    two_valued, alpha = picture.mode == "1", None
    if picture.mode == "F":
        raise ValueError("its pixels are floating-point numbers, where 8 or 16 bits are wanted")
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
        if picture.mode != _COLOURS.get(found, found):
            kept.pop(_PROFILE, None)
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
    pdfium = import_pdfium()
    try:
        with PDFIUM:
            opened = pdfium.PdfDocument(path)
            n_pages = len(opened)
    except pdfium.PdfiumError as error:
        asks = "password" in str(error).lower()
        damage = f"is no PDF, or damaged: {str(error).rstrip('.')}. Replace or remove it"
        reason = "asks for a password; save a copy without one" if asks else damage
        raise NotAPicture(f"{path} {reason}.") from error
    if n_pages == 0:
        raise InputError(f"{path} has no pages.")
    pages = (_draw_page(path, opened, number, dpi, most_pixels, colour) for number in range(n_pages))
    return Document(path, _Closing(opened), n_pages, pages)


@dataclass
class _Closing:
    """An open PDF, to be closed while no other thread is at work in pdfium."""

    opened: Any

    def close(self) -> None:
        with PDFIUM:
            self.opened.close()


def _draw_page(
    path: Path, opened: Any, number: int, dpi: float | None, most_pixels: int, colour: bool
) -> Page:
    pdfium = import_pdfium()
    with PDFIUM, ExitStack() as closing:
        try:
            sheet = opened[number]
            closing.callback(sheet.close)
            points = sheet.get_size()
            fine = dpi or _finest_dpi(sheet)
            _check_size(path, tuple(round(side * fine / POINTS_PER_INCH) for side in points), most_pixels)
            scale = fine / POINTS_PER_INCH * (1 - 1e-5)  # a fraction of a pixel would be a pixel more
            bitmap = sheet.render(scale=scale, rev_byteorder=True, grayscale=not colour)
        except pdfium.PdfiumError as error:
            raise NotAPicture(
                f"page {number + 1} of {path} is damaged: {str(error).rstrip('.')}. Replace or remove it."
            ) from error
        closing.callback(bitmap.close)
        drawn = bitmap.to_numpy()
        if drawn.ndim == 3 and not (drawn[..., :3] != drawn[..., :1]).any():
            drawn = drawn[..., 0]
        pixels = np.array(drawn if drawn.ndim == 2 else drawn[..., :3])
    return Page(pixels, dpi=(fine, fine), size_points=points)


def _finest_dpi(sheet: Any) -> float:
    """How finely the largest picture on a PDF's page was scanned."""
    found = 0.0
    for thing in sheet.get_objects(filter=[3]):  # pictures
        left, bottom, right, top = thing.get_bounds()
        if (right - left) * (top - bottom) > 0.2 * sheet.get_width() * sheet.get_height():
            found = max(found, thing.get_px_size()[0] * POINTS_PER_INCH / max(right - left, 1))
    return min(found, _MOST_DPI) or PDF_DPI


def _check_size(path: Path, size: tuple[int, ...], most_pixels: int) -> None:
    if size[0] * size[1] > most_pixels:
        raise PageTooLarge(
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


def import_pdfium() -> Any:
    """The library that reads and writes PDF. Raises MissingExtra where there is none."""
    try:
        import pypdfium2
    except ImportError:
        raise MissingExtra("PDF files need pypdfium2. Install it: pip install pypdfium2") from None
    return pypdfium2
