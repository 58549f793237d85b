"""Pictures as people have them: a path, the bytes of a file, a Pillow picture, an array; or several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from legible.documents.document import open_document
from legible.documents.frames import read_frame
from legible.documents.page import MOST_PIXELS, Page
from legible.errors import InputError, LegibleError

File = str | Path | bytes | Image.Image  # a path, a file's bytes, or what Pillow has opened
Given = File | np.ndarray
_CHANNELS = {1, 3, 4}  # grey, RGB, RGBA
_FLAT = 2  # between a picture's lightest and darkest pixel: there is nothing in it but its outline


def split_batch(given: object) -> list[Any] | None:
    """The pictures of a batch: those of a list or tuple, or of an array of four axes; None for one picture.

    An array is (N, C, H, W) or (N, H, W, C), with 1, 3 or 4 channels. Raises InputError for any other.
    """
    if isinstance(given, list | tuple):
        return list(given)
    if not hasattr(given, "__array__") or isinstance(given, Image.Image):
        return None
    array = np.asarray(given)
    if array.ndim != 4:
        return None
    first, last = array.shape[1] in _CHANNELS, array.shape[3] in _CHANNELS
    if first == last:
        which = "may be (N, C, H, W) or (N, H, W, C)" if first else "has no axis of 1, 3 or 4 channels"
        raise InputError(f"an array of shape {array.shape} {which}. Give a list of pictures (H, W, C).")
    return list(np.moveaxis(array, 1, 3) if first else array)


def open_given(given: object, *, most_pixels: int = MOST_PIXELS) -> list[Page]:
    """The pages of one picture or file: all of a TIFF's or a PDF's, one of anything else.

    given: a path; the bytes of a file; a picture that Pillow opened, of any mode; or an array, as
    page_of_array says. Raises InputError with a sentence for everything else.
    """
    if isinstance(given, str | Path):
        with open_document(Path(given), most_pixels=most_pixels) as document:
            return list(document)
    if isinstance(given, bytes | bytearray | memoryview):
        with open_document(bytes(given), most_pixels=most_pixels) as document:
            return list(document)
    if isinstance(given, Image.Image):
        return [_page_of_picture(given)]
    if hasattr(given, "__array__"):
        return [page_of_array(np.asarray(given))]
    raise InputError(
        f"an object of type {type(given).__name__} is not a picture. Give a path, the bytes of a file, a "
        "Pillow picture, or an array (H, W) or (H, W, 3)."
    )


def page_of_array(array: np.ndarray) -> Page:
    """An array as a page.

    array: (H, W), (H, W, 1), (1, H, W), (H, W, 3) RGB or (H, W, 4) RGBA; truth values, whole numbers up to
    255 or to 65,535, or floats in [0, 1], the highest number white; not changed. RGBA is laid on white paper.
    Floats become numbers of 16 bits. Raises InputError.
    """
    if array.size == 0 or array.ndim not in (2, 3):
        raise InputError(_not_a_picture(array))
    if array.ndim == 3 and array.shape[0] == 1 and array.shape[2] not in _CHANNELS:
        array = array[0]
    if array.ndim == 3 and array.shape[2] not in _CHANNELS:
        raise InputError(_not_a_picture(array))
    pixels = _to_whole_numbers(array)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return Page(pixels)
    return _lay_on_white(pixels)


def _not_a_picture(array: np.ndarray) -> str:
    return (
        f"an array of shape {array.shape} is not a picture (H, W), (H, W, 3) or (H, W, 4). Give several "
        "pictures as a list, or as (N, C, H, W)."
    )


def _to_whole_numbers(array: np.ndarray) -> np.ndarray:
    """The array as bytes or numbers of 16 bits, the highest white."""
    if array.dtype in (np.uint8, np.uint16):
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind not in "uif":
        raise InputError(f"a picture is an array of numbers, not of {array.dtype}.")
    low, high = float(array.min()), float(array.max())
    if array.dtype.kind == "f":
        if not (low >= 0 and high <= 1):  # nor is NaN
            raise InputError(
                f"floats of a picture lie in [0, 1], 1 = white; found {low:g} to {high:g}. Scale them."
            )
        return np.rint(array * 65_535.0).astype(np.uint16)
    if low < 0 or high > 65_535:
        raise InputError(
            f"whole numbers of a picture lie in 0..255 or 0..65535, found {low:g} to {high:g}. Scale them."
        )
    return array.astype(np.uint8 if high <= 255 else np.uint16)


def _lay_on_white(pixels: np.ndarray) -> Page:
    """RGBA pixels (H, W, 4) as a page on white paper."""
    highest = np.iinfo(pixels.dtype).max
    share = pixels[..., 3:].astype(np.float32) / highest
    laid = np.rint(pixels[..., :3] * share + highest * (1 - share)).astype(pixels.dtype)
    return Page(laid, alpha=np.rint(share[..., 0] * 255).astype(np.uint8))


def _page_of_picture(picture: Image.Image) -> Page:
    if picture.mode == "I":  # numbers of 32 bits
        return page_of_array(np.asarray(picture))
    try:
        return read_frame(picture)
    except LegibleError:
        raise
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"the picture cannot be used: {error}. Convert or replace it.") from error


def visible_pixels(page: Page) -> np.ndarray:
    """What is to be seen of a page: its pixels, or its outline where these are all alike, as of white ink."""
    if page.alpha is None or int(page.pixels.max()) - int(page.pixels.min()) > _FLAT:
        return page.pixels
    return 255 - page.alpha
