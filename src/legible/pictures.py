"""Read picture files: upright, on white paper, as bytes."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from legible.errors import InputError, LegibleError


class NotAPicture(InputError):
    """A file that is no picture, or a damaged one."""


def upper_byte(pixels: np.ndarray) -> np.ndarray:
    """Pixels of 16 bits by their upper 8; bytes as they are."""
    return pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Turn whatever a picture's decoder raises into an InputError that names the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # Pillow's, about data that we do without
            yield
    except LegibleError:
        raise
    except (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, struct.error,
            Image.DecompressionBombError) as error:  # fmt: skip
        raise NotAPicture(f"{file} is not a picture, or damaged: {error}. Replace or remove it.") from error


def read_picture(file: Path, *, grey: bool) -> np.ndarray:
    """One picture as bytes (H, W, 1), or (H, W, 3) RGB, 255 = white.

    Turned upright as its EXIF data say; laid on white paper where it is transparent; of 16 bits, the upper 8.
    Raises InputError naming the file.
    """
    with naming(file), Image.open(file) as opened:
        picture: Image.Image = ImageOps.exif_transpose(opened)
        if picture.mode.startswith("I"):  # 16 bits a pixel
            picture = Image.fromarray(upper_byte(np.asarray(picture)))
        if picture.has_transparency_data:
            page = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(page, picture.convert("RGBA"))
        return np.atleast_3d(np.asarray(picture.convert("L" if grey else "RGB")))
