"""Read picture files as bytes, upright and on a white background."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from legible.errors import InputError, LegibleError


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
            warnings.simplefilter("ignore", UserWarning)  # Pillow's, about data that isn't used
            yield
    except LegibleError:
        raise
    except (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, struct.error,
            Image.DecompressionBombError) as error:  # fmt: skip
        reason = "its format is not known" if isinstance(error, UnidentifiedImageError) else error
        raise NotAPicture(f"{file} is not a picture, or damaged: {reason}. Replace or remove it.") from error


def read_picture(file: Path, *, grey: bool) -> np.ndarray:
    """One picture as bytes (H, W, 1), or (H, W, 3) RGB, 255 = white.

    Rotated upright according to its EXIF data; transparency is composed on white; of 16 bits, the upper 8 are
    used. Raises InputError that names the file.
    """
    with naming(file), Image.open(file) as opened:
        picture: Image.Image = ImageOps.exif_transpose(opened)
        if picture.mode.startswith("I"):  # 16 bits a pixel
            picture = Image.fromarray(upper_byte(np.asarray(picture)))
        if picture.has_transparency_data:
            page = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(page, picture.convert("RGBA"))
        return np.atleast_3d(np.asarray(picture.convert("L" if grey else "RGB")))
