"""How wide the strokes of a page are: a measure of how finely it was scanned."""

from __future__ import annotations

import cv2
import numpy as np

_SAMPLE_PX = 768  # side of the square that is looked at
_N_SAMPLES = 6
_LEAST_INK, _MOST_INK = 0.002, 0.5  # shares of a sample; with less there is no text, with more no page
_CONTRAST = 40  # of 255, between paper and ink


def estimate_stroke_px(grey: np.ndarray) -> float | None:
    """The median width in pixels of the strokes on a page, by their length; None where there are none.

    grey: (H, W) bytes, 255 = white. A letter of area A and outline P has strokes of about 2 A / P; so has a
    stain, but its outline is short beside that of all letters.
    """
    measured = [_measure(sample) for sample in _take_samples(grey)]
    widths, outlines = (np.concatenate(parts) for parts in zip(*measured, strict=True))
    if not len(widths):
        return None
    order = np.argsort(widths)
    reached = np.cumsum(outlines[order])
    return float(widths[order][np.searchsorted(reached, reached[-1] / 2)])


def _take_samples(grey: np.ndarray) -> list[np.ndarray]:
    """The squares with the most edges, of all that lie side by side."""
    tops = range(0, max(1, grey.shape[0] - _SAMPLE_PX // 2), _SAMPLE_PX)
    lefts = range(0, max(1, grey.shape[1] - _SAMPLE_PX // 2), _SAMPLE_PX)
    squares = [grey[top : top + _SAMPLE_PX, left : left + _SAMPLE_PX] for top in tops for left in lefts]
    squares.sort(key=lambda square: -float(np.abs(np.diff(square[::7].astype(np.int16), axis=1)).mean()))
    return squares[:_N_SAMPLES]


def _measure(square: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The widths and outlines of all connected components of ink, in pixels; none where there is no text."""
    ink = find_ink(square)
    if not _LEAST_INK < ink.mean() < _MOST_INK:
        return np.empty(0), np.empty(0)
    n, components, stats, _ = cv2.connectedComponentsWithStats(np.pad(ink, 1).astype(np.uint8))
    outlines = np.zeros(n)
    for one, other in ((components[1:], components[:-1]), (components[:, 1:], components[:, :-1])):
        at = (one == 0) != (other == 0)
        outlines += np.bincount(np.maximum(one[at], other[at]), minlength=n)
    outlines = outlines[1:] * np.pi / 4  # a slanting line has 4 / pi times as many edges as it is long
    return 2 * stats[1:, cv2.CC_STAT_AREA] / outlines, outlines


def find_ink(square: np.ndarray) -> np.ndarray:
    """Where ink is darker than the paper around it: (H, W) bool. A rough guess, made quickly."""
    small = square[::4, ::4]
    around = cv2.blur(cv2.dilate(small, np.ones((15, 15), np.uint8)), (15, 15))
    paper = cv2.resize(around, square.shape[::-1], interpolation=cv2.INTER_LINEAR)
    depth = cv2.subtract(paper, square)
    threshold, _ = cv2.threshold(depth, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    ink: np.ndarray = depth > max(float(threshold), _CONTRAST)
    return ink
