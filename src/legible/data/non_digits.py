"""Generated pictures of anything but a single digit, which a digit reader should reject."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from legible.data.pens import scribble, to_ink, write_letters
from legible.prepare import SIDE_PX, prepare_digit

Draw = Callable[[np.ndarray, np.random.Generator], np.ndarray]  # digits (m, 28, 28), rng -> ink (h, w)


def make_non_digits(n: int, digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Letters, scribbles, shapes, objects, textures, noise, blanks, several digits: (n, 1, 28, 28) float32.

    In [0, 1], 1 = ink. digits: (m, 28, 28) float32, 1 = ink, for pictures of several digits. Half of the
    pictures are cropped and centred like digits. Equal rng states give equal pictures.
    """
    pictures = np.empty((n, 1, SIDE_PX, SIDE_PX), np.float32)
    for picture in pictures:
        draw = _KINDS[int(rng.integers(len(_KINDS)))]
        drawn = draw(digits, rng).clip(0, 1)
        if drawn.shape != picture[0].shape or rng.random() < 0.5:
            drawn = prepare_digit(drawn.astype(np.float32))
        picture[0] = drawn
    return pictures


def _draw_letters(digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    ink = write_letters(int(rng.choice([1, 1, 1, 2, 3])), rng.uniform(14, 40), rng)
    thick = int(rng.integers(1, 4))
    return cv2.dilate(ink, np.ones((thick, thick), np.uint8))


def _draw_scribble(digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    drawn = np.zeros((64, 64), np.uint8)
    for _ in range(int(rng.integers(1, 4))):
        points = rng.uniform(4, 60, (int(rng.integers(5, 16)), 2))
        fine = cv2.resize(points, (2, len(points) * 6), interpolation=cv2.INTER_CUBIC)
        line = np.rint(fine * 8).astype(np.int32)[:, None]
        cv2.polylines(drawn, [line], False, 255, int(rng.integers(2, 6)), cv2.LINE_AA, 3)
    return to_ink(drawn)


def _draw_long_scribble(digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return scribble(rng.uniform(14, 30), rng)


def _draw_shapes(digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Filled, overlapping, textured polygons, like photos of objects."""
    drawn = np.zeros((SIDE_PX, SIDE_PX), np.float32)
    for _ in range(int(rng.integers(1, 5))):
        n_corners = int(rng.integers(3, 9))
        around = np.sort(rng.uniform(0, 2 * np.pi, n_corners))
        far = rng.uniform(3, 15, (n_corners, 1))
        middle = rng.uniform(8, 20, 2)
        corners = np.rint(middle + far * np.stack([np.cos(around), np.sin(around)], 1)).astype(np.int32)
        mask = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
        cv2.fillPoly(mask, [corners], 1)
        drawn = np.where(mask > 0, rng.uniform(0, 1) + rng.uniform(0, 0.4) * _texture(rng), drawn)
    if rng.random() < 0.3:  # symmetrical
        drawn = np.maximum(drawn, drawn[:, ::-1])
    return drawn if rng.random() < 0.5 else cv2.GaussianBlur(drawn, (0, 0), rng.uniform(0.4, 1.5))


def _draw_object(digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A solid symmetrical object of random outline, with or without arms and a gap between legs."""
    rows, across = np.arange(SIDE_PX), np.abs(np.arange(SIDE_PX) - (SIDE_PX - 1) / 2)
    knots = np.linspace(0, SIDE_PX - 1, int(rng.integers(3, 8)))
    half = np.interp(rows, knots, rng.uniform(0.15, 1, len(knots))) * rng.uniform(3, 14)
    if rng.random() < 0.4:
        first, tall = rng.integers(0, 20), rng.integers(3, 14)
        half[first : first + tall] += rng.uniform(1, 9)
    solid = across <= half[:, None]
    if rng.random() < 0.4:
        first = rng.integers(4, 20)
        solid[first:] &= across > np.linspace(0, rng.uniform(0.5, 5), SIDE_PX - first)[:, None]
    filled = rng.uniform(0.25, 1) + rng.choice([0.0, 0.1, 0.3]) * _texture(rng)
    sides = (across / 14, rows[:, None] / SIDE_PX, 1 - across / 14)[int(rng.integers(3))]
    shade = 1 - rng.uniform(0, 0.6) * sides
    drawn = np.where(solid, (filled * shade).clip(0.1, 1), 0).astype(np.float32)
    turn = cv2.getRotationMatrix2D((13.5, 13.5), rng.normal(0, 8) + 90 * (rng.random() < 0.3), 1)
    turn[0, 1] += rng.normal(0, 0.15)
    return cv2.warpAffine(drawn, turn, (SIDE_PX, SIDE_PX))


def _draw_texture(digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(0, 0.8) + rng.uniform(0.1, 0.6) * _texture(rng)


def _draw_noise(digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.5:
        return rng.random((SIDE_PX, SIDE_PX))
    return np.abs(rng.normal(0, rng.uniform(0.05, 0.8), (SIDE_PX, SIDE_PX)))


def _draw_blank(digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    level = rng.choice([0.0, 1.0, rng.random()])
    return np.full((SIDE_PX, SIDE_PX), level) + rng.normal(0, rng.uniform(0, 0.03), (SIDE_PX, SIDE_PX))


def _draw_lines(digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Straight lines across the picture, as in a table or a form, none of which looks like a one."""
    drawn = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    for _ in range(int(rng.integers(1, 4))):
        row, end = rng.integers(0, SIDE_PX, 2)
        cv2.line(
            drawn,
            (0, int(row)),
            (SIDE_PX - 1, int((row + end) / 2)),
            255,
            int(rng.integers(1, 4)),
            cv2.LINE_AA,
        )
    if rng.random() < 0.4:
        column = int(rng.integers(0, SIDE_PX))
        cv2.line(drawn, (column, 0), (column, SIDE_PX - 1), 255, int(rng.integers(1, 3)), cv2.LINE_AA)
    return to_ink(drawn)


def _draw_several(digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two or three digits, side by side or on top of each other."""
    chosen = digits[rng.integers(len(digits), size=int(rng.integers(2, 4)))]
    if rng.random() < 0.5:
        return np.hstack([digit[:, 4:24] for digit in chosen])
    turned = [np.rot90(digit, int(rng.integers(4))) for digit in chosen]
    moved = [np.roll(digit, rng.integers(-5, 6, 2), (0, 1)) for digit in turned]
    crossed: np.ndarray = np.max(moved, axis=0)
    return crossed


def _texture(rng: np.random.Generator) -> np.ndarray:
    """Waves, clouds or Gaussian noise, about [-1, 1]."""
    kind = rng.random()
    if kind < 0.4:
        y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
        angle = rng.uniform(0, np.pi)
        waves: np.ndarray = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / rng.uniform(2, 14))
        return waves
    if kind < 0.8:
        nodes = rng.normal(0, 0.6, (int(rng.integers(2, 10)), int(rng.integers(2, 10)))).astype(np.float32)
        return cv2.resize(nodes, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
    return rng.normal(0, 0.5, (SIDE_PX, SIDE_PX))


_KINDS: tuple[Draw, ...] = (
    _draw_letters, _draw_letters, _draw_scribble, _draw_long_scribble, _draw_shapes, _draw_shapes,
    _draw_object, _draw_object, _draw_object, _draw_texture, _draw_noise, _draw_blank, _draw_lines,
    _draw_several,
)  # fmt: skip
