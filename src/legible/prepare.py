"""Bring ink to the form that networks were trained on: the one place where training, reading and tests do so.

All pictures here are ink, (H, W) float32 in [0, 1], 1 = ink.
"""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np

from legible.errors import ArgumentError
from legible.images import from_array

SIDE_PX, BOX_PX, CENTRE = 28, 20, 14  # of MNIST: the picture, the digit's longer side, its centre of mass
LINE_PX = 40  # height of a line
_FAINT = 0.25  # of the darkest ink: what is paler is paper, where a digit's box is found
_BACKGROUND_PX = 61  # side of the square whose mean is a line's paper
_TRIED, _SAME = 100, 0.02  # images; mean change of a pixel up to which an image is as it was
_LEAST_CONTRAST = 0.05  # between paper and ink: less is not stretched further


def prepare_digit(ink: np.ndarray) -> np.ndarray:
    """One digit as MNIST has them: in a box of 20 x 20, its centre of mass at (14, 14) of 28 x 28.

    ink: (H, W) float32, 1 = ink, of any size. An MNIST image comes back as it is (tests/facts). Blank paper
    comes back blank. Source: LeCun et al., Gradient-Based Learning Applied to Document Recognition, 1998.
    """
    answer = np.zeros((SIDE_PX, SIDE_PX), np.float32)
    peak = float(ink.max())
    is_ink = ink > _FAINT * peak
    if peak <= 0 or not is_ink.any():
        return answer
    crop = _crop(ink, is_ink)
    scale = BOX_PX / max(crop.shape)
    if scale != 1:
        size = max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale))
        crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC).clip(
            0, 1
        )
    height, width = crop.shape
    total = crop.sum()
    top = round(CENTRE - float(crop.sum(1) @ np.arange(height) / total))
    left = round(CENTRE - float(crop.sum(0) @ np.arange(width) / total))
    top, left = (int(np.clip(first, 0, SIDE_PX - side)) for first, side in ((top, height), (left, width)))
    answer[top : top + height, left : left + width] = crop
    return answer


def center_digit(small: np.ndarray) -> np.ndarray:
    """One small digit as MNIST has them, scaled to 20 x 20, its centre of mass at (14, 14) of 28 x 28.

    small: (H, W) float32, 1 = ink, cropped already, as scikit-learn's digits of 8 x 8 are.
    """
    # cubic, as a neighbour search among MNIST's own images knows more of these digits: 85.8 %, linear 83.9 %
    digit = np.clip(cv2.resize(small, (BOX_PX, BOX_PX), interpolation=cv2.INTER_CUBIC), 0, 1)
    image = np.zeros((SIDE_PX, SIDE_PX), np.float32)
    top, left = (_place(digit.sum(axis=axis)) for axis in (1, 0))
    image[top : top + BOX_PX, left : left + BOX_PX] = digit
    return image


def _place(mass: np.ndarray) -> int:
    """Where BOX_PX pixels start in SIDE_PX so that their centre of mass falls on pixel CENTRE."""
    center = float((mass * np.arange(BOX_PX)).sum() / mass.sum())
    return int(np.clip(round(CENTRE - center), 0, SIDE_PX - BOX_PX))


def are_prepared(images: np.ndarray) -> bool:
    """Whether images are in MNIST's form: whether prepare_digit leaves most of them as they are.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; a hundred of them are tried.
    """
    if images.shape[1:] != (1, SIDE_PX, SIDE_PX):
        return False
    some = images[:: max(1, len(images) // _TRIED), 0]
    changed = [float(np.abs(prepare_digit(image) - image).mean()) for image in some]
    return float(np.median(changed)) < _SAME


def prepare_line(darkness: np.ndarray, *, height_px: int = LINE_PX) -> np.ndarray:
    """A line of text as the line reader sees it: illumination flattened, ink near 1, height_px high.

    darkness: (H, W) float32 in [0, 1], 1 = black; ink darker than its paper. Returns (height_px, width).
    """
    scale = height_px / darkness.shape[0]
    if scale != 1:
        size = max(8, round(darkness.shape[1] * scale)), height_px
        darkness = cv2.resize(darkness, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    around = cv2.blur(darkness, (_BACKGROUND_PX, _BACKGROUND_PX), borderType=cv2.BORDER_REFLECT)
    above = darkness - around
    low, high = np.percentile(above, (10, 99))
    line: np.ndarray = ((above - low) / max(high - low, _LEAST_CONTRAST)).clip(0, 1).astype(np.float32)
    return line


def prepare_whole(pixels: np.ndarray, image_shape: tuple[int, int, int]) -> np.ndarray:
    """A whole picture as a classifier of your own pictures saw them when it was trained: scaled, not cropped.

    pixels: (H, W) or (H, W, 3) RGB, bytes or 16-bit numbers, the highest white. image_shape: (C, H, W) that
    the classifier takes. Returns (1, C, H, W) float32 in [0, 1], 1 = ink, light ink on dark paper inverted;
    where the border does not show which of the two the paper is, it is taken for light.
    """
    channels, *size = image_shape
    colour = np.atleast_3d(pixels) if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    array = (colour if channels == 3 else np.atleast_3d(pixels))[None]
    form = partial(from_array, array, layout="channels-last", size=(size[0], size[1]), grey=channels == 1)
    try:
        return form()[0]
    except ArgumentError:
        return form(polarity="dark-on-light")[0]


def _crop(ink: np.ndarray, is_ink: np.ndarray) -> np.ndarray:
    """The ink's box, with the pale rim of its strokes."""
    rim = cv2.dilate(is_ink.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    near = np.where(rim, ink, 0)
    rows, columns = np.nonzero(near.max(1) > 0)[0], np.nonzero(near.max(0) > 0)[0]
    return near[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
