"""The current picture of an opened file as a page, upright."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from legible.documents.deep import is_deep_colour, read_deep_colour, to_16_bits
from legible.documents.metadata import ORIENTATION, read_encoding, read_metadata
from legible.documents.page import PROFILE, Page
from legible.documents.tiff import copy_page

_COLOURS = {"1": "L", "LA": "L", "P": "RGB", "PA": "RGB", "RGBA": "RGB"}  # of modes that say more
_ROWS = 512  # that are copied at a time
_TURN = Image.Transpose
_TURNS = {  # of each orientation in EXIF data
    2: _TURN.FLIP_LEFT_RIGHT, 3: _TURN.ROTATE_180, 4: _TURN.FLIP_TOP_BOTTOM, 5: _TURN.TRANSPOSE,
    6: _TURN.ROTATE_270, 7: _TURN.TRANSVERSE, 8: _TURN.ROTATE_90,
}  # fmt: skip


def read_frame(
    opened: Image.Image, colour: bool = True, found: str = "", source: Path | bytes | None = None
) -> Page:
    """The current picture, upright, as a page. found: its mode in its file, if another.

    source: its file, from which colours of 16 bits are read.
    """
    deep = _read_deep(opened, source) if source and is_deep_colour(opened) else None
    if deep is not None and not colour:
        deep = (cv2.cvtColor(deep[0], cv2.COLOR_RGB2GRAY), None) if deep[1] is None else None
    profile, dpi = opened.info.get(PROFILE), _plain_dpi(opened.info.get("dpi"))
    kept, orientation, warned = read_metadata(opened)
    encoding, n_colours = read_encoding(opened), _count_colours(opened)
    if deep is not None:
        pixels, alpha, bilevel, same_colours = (
            *(_turn_array(each, orientation) for each in deep),
            False,
            colour,
        )
    else:
        picture = opened.transpose(_TURNS[orientation]) if orientation > 1 else opened
        pixels, alpha, same_colours = _read_pixels(picture, colour, found or opened.mode)
        bilevel = picture.mode == "1"
    if profile and same_colours:
        kept[PROFILE] = profile
    if dpi and orientation >= 5:
        dpi = dpi[::-1]
    return Page(
        pixels, alpha, dpi, bilevel, kept,
        encoding=encoding, n_colours=n_colours, warnings=tuple(warned),
    )  # fmt: skip


def _read_deep(opened: Image.Image, source: Path | bytes) -> tuple[np.ndarray, np.ndarray | None] | None:
    """Colours of 16 bits with their transparency, not turned upright; None where they cannot be had."""
    if opened.format != "TIFF":
        return read_deep_colour(source, 0)
    with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        page = copy_page(opened, file, without=[ORIENTATION])  # some versions of cv2 follow it, others don't
    if page is not None:
        return read_deep_colour(page, 0)
    return read_deep_colour(source, opened.tell()) if opened.getexif().get(ORIENTATION, 1) == 1 else None


def _read_pixels(
    picture: Image.Image, colour: bool, found: str
) -> tuple[np.ndarray, np.ndarray | None, bool]:
    """Pixels, transparency, and whether they have the colours of the file, whose mode is `found`."""
    if picture.mode == "F" or picture.mode.startswith("I"):  # 16 bits, which a PGM has in 32
        return to_16_bits(np.asarray(picture)), None, True
    alpha = None
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        alpha = np.asarray(picture.getchannel("A"))
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    if picture.mode not in ("L", "RGB"):
        picture = picture.convert("L" if picture.mode in ("1", "LA") else "RGB")
    if not colour:
        picture = picture.convert("L")
    return _to_array(picture), alpha, picture.mode == _COLOURS.get(found, found)


def _count_colours(opened: Image.Image) -> int:
    """How many colours a palette holds; 0 without one."""
    palette = opened.palette if opened.mode == "P" else None
    return len(palette.palette) // len(palette.mode) if palette is not None else 0


def _turn_array(array: np.ndarray | None, orientation: int) -> Any:
    """An array (H, W, ...) upright."""
    if array is None or orientation == 1:
        return array
    if orientation >= 5:
        array = np.swapaxes(array, 0, 1)
    down, across = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    return np.ascontiguousarray(array[:: -1 if down else 1, :: -1 if across else 1])


def _to_array(picture: Image.Image) -> np.ndarray:
    """(H, W) or (H, W, 3) bytes, copied a few rows at a time: a copy at once needs twice the memory."""
    shape = (picture.height, picture.width, 3) if picture.mode == "RGB" else (picture.height, picture.width)
    pixels = np.empty(shape, np.uint8)
    for top in range(0, picture.height, _ROWS):
        bottom = min(top + _ROWS, picture.height)
        pixels[top:bottom] = np.asarray(picture.crop((0, top, picture.width, bottom)))
    return pixels


def _plain_dpi(dpi: Any) -> tuple[float, float] | None:
    try:
        across, down = (float(each) for each in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if across > 1 and down > 1 else None
