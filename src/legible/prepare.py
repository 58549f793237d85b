"""Bring ink to the form that networks learnt from: the one place where training, reading and tests do so.

All pictures here are ink, (H, W) float32 in [0, 1], 1 = ink.
"""

from __future__ import annotations

import cv2
import numpy as np

SIDE_PX, BOX_PX, CENTRE = 28, 20, 14  # of MNIST: the picture, the digit's longer side, its centre of mass
LINE_PX = 40  # height of a line
_FAINT = 0.25  # of the darkest ink: what is paler is paper, where a digit's box is found
_BACKGROUND_PX = 61  # side of the square whose mean is a line's paper
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
    cut = _cut(ink, is_ink)
    scale = BOX_PX / max(cut.shape)
    if scale != 1:
        size = max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale))
        cut = cv2.resize(cut, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC).clip(0, 1)
    height, width = cut.shape
    total = cut.sum()
    top = round(CENTRE - float(cut.sum(1) @ np.arange(height) / total))
    left = round(CENTRE - float(cut.sum(0) @ np.arange(width) / total))
    top, left = (int(np.clip(first, 0, SIDE_PX - side)) for first, side in ((top, height), (left, width)))
    answer[top : top + height, left : left + width] = cut
    return answer


def prepare_line(darkness: np.ndarray, *, height_px: int = LINE_PX) -> np.ndarray:
    """A line of writing as the line reader sees it: paper evened out, ink near 1, height_px high.

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


def _cut(ink: np.ndarray, is_ink: np.ndarray) -> np.ndarray:
    """The ink's box, with the pale rim of its strokes."""
    rim = cv2.dilate(is_ink.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    near = np.where(rim, ink, 0)
    rows, columns = np.nonzero(near.max(1) > 0)[0], np.nonzero(near.max(0) > 0)[0]
    return near[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
