"""Digits drawn stroke by stroke, in forms that are rare in MNIST: a crossed seven, a one with a long flag.

The forms were sketched for this project: strokes of points (x, y) in units of the digit's height, y down. A
stroke is a smooth curve through its points; strokes that share an end point meet in a corner.
"""

from __future__ import annotations

import cv2
import numpy as np

HEIGHT_PX = 40  # of a drawn digit, twice MNIST's
_BORDER_PX = 6
_POINT_STD = 0.045  # of the random displacement of each point, in heights
_STEPS = 8  # line segments between two points of a curve

Stroke = tuple[tuple[float, float], ...]
Form = tuple[Stroke, ...]

_BAR: Stroke = ((0.1, 0.53), (0.66, 0.48))
FORMS: dict[int, tuple[Form, ...]] = {
    0: (  # with an entry or exit stroke: a loop at the top, an end inside
        (((0.3, 0.02), (0.05, 0.35), (0.1, 0.8), (0.35, 1), (0.6, 0.7), (0.55, 0.2), (0.3, 0), (0.22, 0.14),
          (0.4, 0.2), (0.68, 0.06)),),
        (((0.5, 0.12), (0.3, 0.02), (0.05, 0.35), (0.1, 0.8), (0.35, 1), (0.62, 0.65), (0.5, 0.15),
          (0.35, 0.05), (0.42, 0.3)),),
    ),
    1: (  # a long flag; a hook at the foot
        (((0, 0.5), (0.38, 0)), ((0.38, 0), (0.35, 1))),
        (((0, 0.35), (0.2, 0.2), (0.32, 0)), ((0.32, 0), (0.28, 0.85), (0.36, 1), (0.52, 0.9))),
    ),
    2: (  # with two loops; like a Z; with a curl above
        (((0.12, 0.3), (0.04, 0.12), (0.3, 0), (0.56, 0.15), (0.45, 0.5), (0.15, 0.92), (0.02, 0.86),
          (0.12, 0.74), (0.3, 0.86), (0.52, 0.98), (0.78, 0.88)),),
        (((0, 0.12), (0.35, 0.02), (0.66, 0.06)), ((0.66, 0.06), (0.3, 0.5), (0, 0.95)),
         ((0, 0.95), (0.35, 0.9), (0.8, 0.97))),
        (((0.26, 0.24), (0.1, 0.32), (0.05, 0.12), (0.3, 0), (0.55, 0.16), (0.4, 0.55), (0, 0.95)),
         ((0, 0.95), (0.3, 0.88), (0.7, 0.96))),
    ),
    3: (  # with a flat top
        (((0.02, 0.05), (0.6, 0.03)), ((0.6, 0.03), (0.25, 0.4)),
         ((0.25, 0.4), (0.58, 0.5), (0.6, 0.85), (0.3, 1), (0, 0.88))),
    ),
    4: (  # open, with a low stem; round, like a y; like a lightning bolt
        (((0.2, 0), (0.08, 0.35), (0, 0.62)), ((0, 0.62), (0.3, 0.62), (0.66, 0.54)),
         ((0.44, 0.34), (0.36, 1))),
        (((0.06, 0), (0.04, 0.3), (0.18, 0.48), (0.5, 0.4)), ((0.54, 0.02), (0.5, 0.5), (0.42, 1))),
        (((0.46, 0), (0, 0.62)), ((0, 0.62), (0.7, 0.55)), ((0.42, 0.4), (0.3, 1))),
    ),
    5: (  # like a root sign; with its bar far to the right; like an S
        (((0.9, 0.04), (0.42, 0.04)), ((0.42, 0.04), (0.3, 0.5), (0.22, 0.96)),
         ((0.22, 0.96), (0.12, 0.8), (0, 0.74))),
        (((0.92, 0), (0.4, 0.06)), ((0.4, 0.06), (0.3, 0.42)),
         ((0.3, 0.42), (0.54, 0.55), (0.46, 0.9), (0.2, 1), (0, 0.86))),
        (((0.82, 0.06), (0.4, 0), (0.08, 0.2), (0.2, 0.42), (0.56, 0.6), (0.5, 0.9), (0.2, 1), (0, 0.88)),),
    ),
    6: (  # with a straight stem
        (((0.5, 0), (0.16, 0.4), (0.03, 0.8), (0.28, 1), (0.52, 0.82), (0.34, 0.62), (0.08, 0.76)),),
    ),
    7: (  # crossed: with a flag on the left; with a wave on top; plain
        (((0, 0.22), (0.04, 0.03)), ((0.04, 0.03), (0.35, 0.06), (0.62, 0.02)),
         ((0.62, 0.02), (0.4, 0.5), (0.32, 1)), _BAR),
        (((0, 0.22), (0.08, 0.04), (0.3, 0.1), (0.62, 0.02)), ((0.62, 0.02), (0.46, 0.4), (0.36, 1)), _BAR),
        (((0.02, 0.04), (0.6, 0.02)), ((0.6, 0.02), (0.4, 0.5), (0.26, 1)), _BAR),
    ),
    8: (  # open at the top
        (((0.62, 0.14), (0.32, 0), (0.1, 0.2), (0.35, 0.48), (0.6, 0.76), (0.3, 1), (0.05, 0.76), (0.3, 0.46),
          (0.56, 0.22)),),
    ),
    9: (  # like an S with a loop; with a tail that curls back; with a tail to the right
        (((0.5, 0.3), (0.25, 0.42), (0.06, 0.2), (0.3, 0), (0.55, 0.14), (0.5, 0.4), (0.62, 0.75), (0.35, 1),
          (0.05, 0.88)),),
        (((0.58, 0.14), (0.3, 0), (0.08, 0.16), (0.2, 0.4), (0.5, 0.36), (0.6, 0.12), (0.58, 0.55),
          (0.42, 0.94), (0.16, 0.98), (0.1, 0.84), (0.3, 0.72)),),
        (((0.6, 0.15), (0.35, 0), (0.05, 0.14), (0.12, 0.4), (0.42, 0.42), (0.6, 0.15)),
         ((0.6, 0.15), (0.6, 0.55), (0.74, 0.96))),
    ),
}  # fmt: skip


def draw_form(label: int, rng: np.random.Generator) -> np.ndarray:
    """A digit in a random one of its forms, slightly distorted: ink (H, W) float32 in [0, 1], with a border.

    label: 0 to 9. The digit is about HEIGHT_PX high, of any width. Equal rng states give equal digits.
    """
    form = FORMS[label][int(rng.integers(len(FORMS[label])))]
    spots = {point: point + rng.normal(0, _POINT_STD, 2) for stroke in form for point in stroke}
    return _draw([np.array([spots[point] for point in stroke]) for stroke in form], rng)


def draw_zeros(n: int, rng: np.random.Generator) -> np.ndarray:
    """n zeros written without lifting the pen, as in 5000: ink as in draw_form, HEIGHT_PX high."""
    begin, turn = np.radians(rng.uniform(-125, -60)), np.radians(rng.uniform(330, 400))
    apart, breadth = rng.uniform(0, 0.4), rng.uniform(0.22, 0.4)
    along, points = 0.0, []
    for _ in range(n):
        half = np.array([breadth, 0.5]) * rng.uniform(0.8, 1.15, 2)
        angles = begin - np.linspace(0, turn, 8)  # anticlockwise, as people write them
        points.append(half * np.stack([np.cos(angles), np.sin(angles)], 1) + (along, 0.5))
        along += 2 * breadth + apart * rng.uniform(0.5, 1.5)
    exact = np.concatenate(points)
    return _draw([exact + rng.normal(0, 0.6 * _POINT_STD, exact.shape)], rng)


def _draw(strokes: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Draw smooth curves through the points of each stroke (n, 2), in heights, with a random pen width."""
    curves = [_smooth(points) * HEIGHT_PX for points in strokes]
    low = np.min([curve.min(0) for curve in curves], axis=0) - _BORDER_PX
    width, height = (np.max([curve.max(0) for curve in curves], axis=0) - low + _BORDER_PX + 1).astype(int)
    drawn, stroke_px = np.zeros((height, width), np.uint8), int(rng.integers(2, 6))
    for curve in curves:
        points = np.rint((curve - low) * 8).astype(np.int32)[:, None]
        cv2.polylines(drawn, [points], False, 255, stroke_px, cv2.LINE_AA, 3)
    return drawn.astype(np.float32) / 255


def _smooth(points: np.ndarray) -> np.ndarray:
    """A Catmull-Rom spline (m, 2) through points (n, 2). Source: Catmull and Rom, 1974."""
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    before, start, end, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = np.linspace(0, 1, _STEPS + 1)[:, None, None]
    curve = (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    ) / 2
    return np.vstack([curve[:-1].transpose(1, 0, 2).reshape(-1, 2), points[-1:]])
