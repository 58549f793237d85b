"""Bring what a network restored on a reduced page back to full size, with sharp edges.

Source: He and Sun, "Fast Guided Filter", 2015: in a window, the output is a linear function of the page.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_RADIUS_PX = 2  # of the reduced page: the window that a linear function holds in
_EVENNESS = 1e-3  # regularisation: variance in a window, in [0, 1]^2, below which it counts as flat


@dataclass(frozen=True, eq=False)
class Guide:
    """A reduced page, and the same restored by the network: both (H, W) bytes, 255 = ink."""

    reduced: np.ndarray
    restored: np.ndarray

    def apply(self, ink: np.ndarray, top: int, height: int) -> np.ndarray:
        """Rows `top` to `top + len(ink)` of a page `height` pixels high, restored at full size.

        ink: those rows of the page (h, W) float32 in [0, 1], 1 = ink. Returns the same shape and range.
        """
        rows, width = ink.shape
        y = _places(top, rows, height, len(self.reduced))
        around = slice(max(0, int(y[0]) - 2 * _RADIUS_PX), int(y[-1]) + 2 + 2 * _RADIUS_PX)
        page, answer = (plane[around].astype(np.float32) / 255 for plane in (self.reduced, self.restored))
        mean_page, mean_answer = _mean(page), _mean(answer)
        spread = _mean(page * page) - mean_page * mean_page
        slope = (_mean(page * answer) - mean_page * mean_answer) / (spread + _EVENNESS)
        offset = mean_answer - slope * mean_page
        slope, offset = (_take_rows(_mean(each), y - around.start, width) for each in (slope, offset))
        answered: np.ndarray = np.clip(slope * ink + offset, 0, 1)
        return answered


def enlarge(plane: np.ndarray, top: int, rows: int, height: int, width: int) -> np.ndarray:
    """Rows `top` to `top + rows` of a plane (h, w) as it would be at height x width, linear in between."""
    y = _places(top, rows, height, len(plane))
    first = int(y[0])
    return _take_rows(plane[first : int(y[-1]) + 2], y - first, width)


def _places(top: int, rows: int, height: int, n: int) -> np.ndarray:
    """Where the middles of these rows of `height` lie among n."""
    middles = (np.arange(top, top + rows) + 0.5) * (n / height) - 0.5
    places: np.ndarray = middles.clip(0, n - 1)
    return places


def _take_rows(plane: np.ndarray, y: np.ndarray, width: int) -> np.ndarray:
    wide = cv2.resize(plane, (width, len(plane)), interpolation=cv2.INTER_LINEAR)
    above = y.astype(np.int64)
    share = (y - above).astype(np.float32)[:, None]
    taken: np.ndarray = wide[above] * (1 - share) + wide[np.minimum(above + 1, len(wide) - 1)] * share
    return taken


def _mean(plane: np.ndarray) -> np.ndarray:
    side = 2 * _RADIUS_PX + 1
    return cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT)
