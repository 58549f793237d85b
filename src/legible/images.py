"""The one image contract: float32 (N, C, H, W) in [0, 1], 1 = ink.

Whatever comes from outside (bytes, floats, colour, any layout, dark on light or light on dark)
passes through `from_array` once, and is that afterwards everywhere. Labels are int64 (N,).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np

from legible.choices import Layout, Polarity
from legible.errors import ArgumentError, InputError

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels
Predict = Callable[[np.ndarray], np.ndarray]  # images (N, C, H, W) to what a network gives for them
LAYOUTS: tuple[Layout, ...] = ("auto", "channels-first", "channels-last")
POLARITIES: tuple[Polarity, ...] = ("auto", "dark-on-light", "light-on-dark")
_COLOURS = {1: "grey", 3: "RGB", 4: "RGBA"}
_GREY_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)  # luma of ITU-R BT.601
_DARK_PAPER, _LIGHT_PAPER = 0.4, 0.6  # between the two nobody can tell paper from ink
_IMAGES_LOOKED_AT = 2000  # so many, evenly taken, are plenty to tell the paper's brightness


def check_images(images: np.ndarray, what: str = "images") -> np.ndarray:
    """Return the images unchanged if they obey the contract. Raises InputError with the reason if not."""
    if images.ndim != 4:
        raise InputError(f"{what}: expected an array (N, C, H, W), got shape {images.shape}.")
    if images.dtype != np.float32:
        raise InputError(f"{what}: expected float32 in [0, 1], got {images.dtype}. Use images.from_array.")
    if images.size == 0:
        raise InputError(f"{what}: there is no image in an array of shape {images.shape}.")
    low, high = float(images.min()), float(images.max())
    if not (low >= 0.0 and high <= 1.0):  # also catches NaN, which compares false
        raise InputError(f"{what}: values must lie in [0, 1], found {low:g} to {high:g}.")
    return images


def to_bytes(values: np.ndarray) -> np.ndarray:
    """Numbers in [0, 1] of any shape as bytes 0 to 255, rounded."""
    pixels: np.ndarray = np.rint(values * 255).astype(np.uint8)
    return pixels


def from_array(
    array: np.ndarray,
    *,
    layout: Layout = "auto",
    polarity: Polarity = "auto",
    size: tuple[int, int] | None = None,
    grey: bool = True,
) -> tuple[np.ndarray, str]:
    """Bring any array of images to the contract, and say in one sentence how it was read.

    array: (N, H, W), (N, H, W, C) or (N, C, H, W) with C = 1, 3 or 4 (RGBA is laid on white paper);
    bool, bytes, 16-bit, or floats in 0..1 or 0..255. Not changed in place.
    polarity: auto looks at the outermost pixels; where they are light, the images are inverted.
    size: (height, width) to scale to without distorting; what has to be added is paper.
    grey: turn colour to grey; otherwise colour keeps its 3 channels.
    Returns float32 (N, 1 or 3, H, W) in [0, 1], 1 = ink. Raises InputError for values or shapes that
    cannot be images, ArgumentError where layout or polarity must be said.
    """
    pictures, layout_words = _put_channels_first(np.asarray(array), layout)  # (N, C, H, W), a view
    n_images, n_channels, height, width = pictures.shape
    brightness, range_words = _to_brightness(pictures)
    brightness = _mix_channels(brightness, grey)  # (N, 1 or 3, H, W)
    is_light, polarity_words = _is_paper_light(brightness, polarity)
    ink = np.subtract(1, brightness, out=brightness) if is_light else brightness
    ink = resize_images(np.ascontiguousarray(ink), size) if size else np.ascontiguousarray(ink)
    colour_words = _COLOURS[n_channels] + (" turned to grey" if n_channels > ink.shape[1] == 1 else "")
    size_words = f" scaled to {ink.shape[2]} x {ink.shape[3]}" if ink.shape[2:] != (height, width) else ""
    return ink, (
        f"{n_images:,} images of {height} x {width} pixels (height x width){size_words}, {colour_words}"
        f"{layout_words}, {range_words}, {polarity_words}."
    )


def shrink_to(pixels: np.ndarray, most_px: float) -> np.ndarray:
    """Pixels (H, W) or (H, W, 3) reduced until the longer side has most_px at most; as they are if it has.

    Of the shorter side a pixel is left, however long the other one is.
    """
    scale = most_px / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    if min(pixels.shape[:2]) * scale >= 1:
        return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


def resize_images(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Scale images to (height, width) without distorting them; what has to be added is paper.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; returned unchanged if they have the size already.
    """
    check_size(size)
    if images.shape[2:] == tuple(size):
        return images
    planes = images.reshape(-1, *images.shape[2:])  # (N * C, H, W)
    resized = np.empty((len(planes), *size), np.float32)
    for i, plane in enumerate(planes):
        resized[i] = fit_picture(plane, size)
    np.clip(resized, 0, 1, out=resized)  # interpolation may overshoot by a rounding error
    return resized.reshape(*images.shape[:2], *size)


def fit_picture(picture: np.ndarray, size: tuple[int, int], paper: Any = 0.0) -> np.ndarray:
    """Scale one picture to (height, width) without distorting it, in the middle of `paper`.

    picture: (H, W) or (H, W, C), bytes or float32; the same kind comes back. paper: the value of what is
    added, one number or one per channel. Averages areas when shrinking, interpolates when enlarging.
    """
    scale = min(size[0] / picture.shape[0], size[1] / picture.shape[1])
    height, width = (max(1, round(n * scale)) for n in picture.shape[:2])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(picture, (width, height), interpolation=interpolation)
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    canvas = np.empty((*size, *picture.shape[2:]), picture.dtype)
    canvas[:] = paper
    canvas[top : top + height, left : left + width] = scaled.reshape(height, width, *picture.shape[2:])
    return canvas


def pad_widths(lines: Sequence[np.ndarray], multiple: int = 8) -> np.ndarray:
    """Lines (H, W) of one height as one batch (N, 1, H, widest), a multiple wide; what is added is paper."""
    widest = -(-max(line.shape[1] for line in lines) // multiple) * multiple
    batch = np.zeros((len(lines), 1, lines[0].shape[0], widest), np.float32)
    for row, line in zip(batch, lines, strict=True):
        row[0, :, : line.shape[1]] = line
    return batch


def border_of(pictures: np.ndarray) -> np.ndarray:
    """The outermost pixels of pictures (..., H, W), as (..., n_pixels)."""
    sides = (pictures[..., 0, :], pictures[..., -1, :], pictures[..., 1:-1, 0], pictures[..., 1:-1, -1])
    return np.concatenate(sides, axis=-1)


def to_channels(images: np.ndarray, layout: Layout) -> np.ndarray:
    """Give images as channels-first (N, C, H, W), as they are here, or channels-last (N, H, W, C).

    images: (N, C, H, W) float32 in [0, 1], 1 = ink. Raises ArgumentError for any other layout.
    """
    _check_choice("layout", layout, LAYOUTS[1:])
    check_images(images)
    return images if layout == "channels-first" else np.ascontiguousarray(np.moveaxis(images, 1, -1))


def to_labels(labels: Any, n_classes: int | None = None) -> np.ndarray:
    """Read labels as class numbers, int64 (N,), from integers, whole floats or one-hot rows (N, K).

    n_classes: how many classes there are; a label outside 0..n_classes-1 is an InputError that names it.
    """
    given = np.asarray(labels)
    if given.dtype.kind not in "buif":
        raise InputError(f"labels must be whole numbers or one-hot rows, not {given.dtype} values.")
    if given.ndim == 2 and given.shape[1] > 1:
        n_classes = n_classes or given.shape[1]
        given = _from_one_hot(given)
    elif given.ndim == 2:
        given = given[:, 0]
    if given.ndim != 1:
        raise InputError(f"labels must be (N,) or one-hot (N, K), got shape {given.shape}.")
    _refuse_first(given, ~np.isfinite(given) | (given != np.floor(given)), "which is not a whole number")
    limit = f"outside the classes 0 to {n_classes - 1}" if n_classes else "which is below 0"
    _refuse_first(given, (given < 0) | (given >= (n_classes or np.inf)), limit)
    return given.astype(np.int64)


def to_one_hot(labels: Any, n_classes: int) -> np.ndarray:
    """Write class numbers as one-hot rows, float32 (N, n_classes). Raises InputError as to_labels does."""
    rows: np.ndarray = np.eye(n_classes, dtype=np.float32)[to_labels(labels, n_classes)]
    return rows


def check_size(size: tuple[int, int]) -> None:
    """Raise ArgumentError unless the size is (height, width), two whole numbers from 1 up."""
    if len(size) != 2 or any(int(n) != n or n < 1 for n in size):
        raise ArgumentError(f"size is (height, width), two whole numbers from 1 up, not {size!r}.")


def _check_choice(option: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ArgumentError(f"{option} must be one of {', '.join(choices)}, not {value!r}.")


def _put_channels_first(array: np.ndarray, layout: Layout) -> tuple[np.ndarray, str]:
    """View an array as (N, C, H, W), and say how its axes were read."""
    _check_choice("layout", layout, LAYOUTS)
    if array.size == 0:
        raise InputError(f"there is no image in an array of shape {array.shape}.")
    if array.ndim == 3 and array.shape[2] in (3, 4):
        raise InputError(
            f"an array of shape {array.shape} looks like one colour image: add a first axis, "
            "array[None]. Grey images so narrow: array[:, None]."
        )
    if array.ndim == 3:
        return array[:, None], ""
    if array.ndim != 4:
        raise InputError(
            f"images must be (N, H, W), (N, H, W, C) or (N, C, H, W), got shape {array.shape}. "
            "For one image, add a first axis: array[None]."
        )
    axes = {"channels-first": 1, "channels-last": 3}
    possible = axes if layout == "auto" else [layout]
    fitting = [name for name in possible if array.shape[axes[name]] in _COLOURS]
    if len(fitting) > 1:
        raise ArgumentError(
            f"images of shape {array.shape} may be channels-first or channels-last: "
            "say which with layout (--layout)."
        )
    if not fitting:
        said = "" if layout == "auto" else f" where {layout} has it"
        raise InputError(f"images of shape {array.shape} have no axis of 1, 3 or 4 channels{said}.")
    pictures = np.moveaxis(array, axes[fitting[0]], 1)
    return pictures, f", {fitting[0]}{' (detected)' if layout == 'auto' else ''}"


def _to_brightness(pictures: np.ndarray) -> tuple[np.ndarray, str]:
    """Scale any numbers to a new float32 array in [0, 1], and say which range was found."""
    code = pictures.dtype.kind
    if code not in "buif":
        raise InputError(f"images must be numbers, not {pictures.dtype} values.")
    low, high = float(pictures.min()), float(pictures.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        bad = int(np.argmin(np.isfinite(pictures).all(axis=(1, 2, 3))))
        raise InputError(f"image {bad} holds NaN or infinity.")
    tops = (1, 255) if code == "f" else (1, 255, 65535)
    top = next((top for top in tops if high <= top), None)
    if low < 0 or top is None:
        ranges = " or ".join(f"0..{top}" for top in tops)
        raise InputError(
            f"image values must lie in {ranges}, found {low:g} to {high:g}. Scale them to 0..1 first."
        )
    brightness = pictures.astype(np.float32)
    if top > 1:
        brightness /= top
    return brightness, f"values {low:g} to {high:g} of {top}"


def _mix_channels(brightness: np.ndarray, grey: bool) -> np.ndarray:
    """Lay RGBA on white paper, and turn RGB to grey where grey is wanted."""
    if brightness.shape[1] == 4:
        alpha = brightness[:, 3:]
        brightness = np.clip(brightness[:, :3] * alpha + (1 - alpha), 0, 1)
    if grey and brightness.shape[1] == 3:
        brightness = np.clip(np.einsum("nchw,c->nhw", brightness, _GREY_WEIGHTS), 0, 1)[:, None]
    return brightness


def _is_paper_light(brightness: np.ndarray, polarity: Polarity) -> tuple[bool, str]:
    """Whether the images show dark ink on light paper, as said or as their outermost pixels show."""
    _check_choice("polarity", polarity, POLARITIES)
    words = {True: "dark ink on light paper, inverted", False: "light ink on dark paper"}
    if polarity != "auto":
        return polarity == "dark-on-light", words[polarity == "dark-on-light"]
    some = brightness[:: max(1, len(brightness) // _IMAGES_LOOKED_AT)]
    paper = float(np.median(border_of(some)))
    if _DARK_PAPER < paper < _LIGHT_PAPER:
        raise ArgumentError(
            f"the images' borders are neither light nor dark (median {paper:.2f}, 0 black, 1 "
            "white): say polarity (--polarity) dark-on-light or light-on-dark."
        )
    return paper >= _LIGHT_PAPER, f"{words[paper >= _LIGHT_PAPER]} (detected)"


def _from_one_hot(rows: np.ndarray) -> np.ndarray:
    """The class numbers of one-hot rows (N, K)."""
    wrong: np.ndarray = ((rows != 0) & (rows != 1)).any(axis=1) | ((rows == 1).sum(axis=1) != 1)
    if wrong.any():
        raise InputError(f"label {int(np.argmax(wrong))} is not one-hot: a row needs a single 1 and zeros.")
    classes: np.ndarray = np.argmax(rows, axis=1)
    return classes


def _refuse_first(labels: np.ndarray, wrong: np.ndarray, why: str) -> None:
    if wrong.any():
        index = int(np.argmax(wrong))
        raise InputError(f"label {index} is {labels[index]}, {why}.")
