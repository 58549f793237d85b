"""Read picture files as bytes, upright and on a white background."""

from __future__ import annotations

import logging
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError, features

from legible.documents.formats import FORMATS
from legible.errors import InputError, LegibleError, MissingExtra
from legible.libtiff import collect_messages

logging.getLogger("PIL").addHandler(logging.NullHandler())  # else its records would go to stderr
_BRANDS = {  # that a file of one of these formats names in its first box, and the format's name in Pillow
    b"heic": "HEIF", b"heix": "HEIF", b"hevc": "HEIF", b"heim": "HEIF", b"heis": "HEIF",
    b"avif": "AVIF", b"avis": "AVIF", b"mif1": "HEIF", b"msf1": "HEIF",
}  # fmt: skip


class NotAPicture(InputError):
    """A file that is not a picture, or is damaged."""


def upper_byte(pixels: np.ndarray) -> np.ndarray:
    """The upper 8 bits of 16-bit pixels; bytes unchanged."""
    return pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Convert errors of a picture's decoder to an InputError that names the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, about data that isn't used
            yield
    except LegibleError:
        raise
    except (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, struct.error,
            Image.DecompressionBombError) as error:  # fmt: skip
        reason = "its format is not known" if isinstance(error, UnidentifiedImageError) else error
        raise NotAPicture(f"{file} is not a picture, or damaged: {reason}. Replace or remove it.") from error


def open_picture(source: Path | bytes) -> Image.Image:
    """Open a picture in one of the formats of the table: no other decoder ever sees it.

    Raises MissingExtra for a format whose decoder is not installed, and what Pillow raises.
    """
    names = [each.pillow_name for each in FORMATS if each.pillow_name]
    with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        named = _container_format(file.read(64))
    if named == "HEIF":
        _add_heic_decoder()
    elif named == "AVIF" and not features.check("avif"):
        raise MissingExtra("AVIF files need Pillow 11.3 or later. Install it: pip install --upgrade pillow")
    names = [named] if named else [name for name in names if name not in _BRANDS.values()]
    return Image.open(BytesIO(source) if isinstance(source, bytes) else source, formats=names)


def _container_format(start: bytes) -> str:
    """The name in Pillow of a HEIC or AVIF file that starts with these bytes; an empty text for others."""
    if start[4:8] != b"ftyp":
        return ""
    length = int.from_bytes(start[:4], "big")
    found = [start[at : at + 4] for at in (8, *range(16, min(length, len(start)), 4))]
    return next((name for brand, name in _BRANDS.items() if brand in found), "")


def _add_heic_decoder() -> None:
    try:
        import pillow_heif
    except ImportError:
        raise MissingExtra.of("heic", "reading HEIC files") from None
    pillow_heif.register_heif_opener()


def read_picture(file: Path, *, grey: bool) -> np.ndarray:
    """One picture as bytes (H, W, 1), or (H, W, 3) RGB, 255 = white.

    Rotated upright according to its EXIF data; transparency is composed on white; of 16 bits, the upper 8 are
    used. Raises InputError that names the file.
    """
    with naming(file), open_picture(file) as opened, collect_messages():
        picture: Image.Image = ImageOps.exif_transpose(opened)
        if picture.mode.startswith("I"):  # 16 bits a pixel
            picture = Image.fromarray(upper_byte(np.asarray(picture)))
        if picture.has_transparency_data:
            page = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(page, picture.convert("RGBA"))
        return np.atleast_3d(np.asarray(picture.convert("L" if grey else "RGB")))
