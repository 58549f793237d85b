"""Draw digits, letters and scribbles in one handwriting style, or in print. All are ink, 1 = black."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw

from legible.data.forms import FORMS, draw_form, draw_zeros
from legible.data.page_maker import FAMILIES, font_of
from legible.data.sentences import SENTENCES
from legible.prepare import LINE_PX, prepare_digit

_ENLARGED = 2  # digits are changed at twice their size
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
          cv2.FONT_HERSHEY_SCRIPT_COMPLEX, cv2.FONT_HERSHEY_DUPLEX)  # fmt: skip
_WORDS = [
    word for sentence in SENTENCES["English"] for word in sentence.split() if not any(map(str.isdigit, word))
]
_WORDS_PX = 24  # font size
_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYabcdefhjkmnprtuvwxyz$%&#@*?+"  # none that looks like a digit


@dataclass(frozen=True)
class HandwritingStyle:
    """The parameters of one person's handwriting; lengths are relative to the height of the digits.

    height_px: of the digits. slant: to the right, per pixel up. thickening: of strokes, in steps of half a
    pixel. gap: between digits. drift: of the baseline per digit. relative_width: of the digits, relative to
    MNIST's. The others are probabilities: dot_rate of a mark between two digits, small_zero_rate of a small
    zero, join_rate of a stroke that joins two digits, form_rate of one of `FORMS` instead of MNIST's digit,
    chain_rate of writing adjacent zeros without lifting the pen.
    """

    height_px: float
    slant: float
    thickening: int
    gap: float
    drift: float
    dot_rate: float
    small_zero_rate: float = 0.0
    join_rate: float = 0.0
    form_rate: float = 0.0
    chain_rate: float = 0.0
    relative_width: float = 1.0

    @classmethod
    def sample(cls, rng: np.random.Generator) -> HandwritingStyle:
        """A random style."""
        wide = rng.random() < 0.15
        return cls(
            height_px=LINE_PX * rng.uniform(0.4, 0.95),
            slant=rng.normal(0.1, 0.22),
            thickening=int(rng.choice([-2, -1, 0, 0, 0, 1, 2])),
            gap=rng.uniform(0.3, 1.0) if wide else rng.uniform(-0.08, 0.35),
            drift=rng.normal(0, 0.02),
            dot_rate=rng.choice([0.0, 0.12, 0.4], p=[0.5, 0.35, 0.15]),
            small_zero_rate=rng.choice([0.05, 0.7], p=[0.6, 0.4]),
            join_rate=rng.choice([0.0, 0.4], p=[0.8, 0.2]),
            chain_rate=rng.choice([0.1, 0.8], p=[0.5, 0.5]),
            form_rate=rng.choice([0.0, 0.6], p=[0.5, 0.5]),
            relative_width=float(np.clip(np.exp(rng.normal(0.17, 0.27)), 0.65, 2)),
        )


def write_digit(
    digit: np.ndarray, label: int, style: HandwritingStyle, height_px: float, rng: np.random.Generator
) -> np.ndarray:
    """A digit (H, W) in this style, about height_px high: ink (h, w), tightly cropped."""
    if not (digit > 0.2).any():
        return np.zeros((2, 2), np.float32)
    if rng.random() < style.form_rate and label in FORMS:
        large = draw_form(label, rng)
    else:
        cropped = np.pad(_crop(digit, 0.2), 3)
        large = cv2.resize(cropped, None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_CUBIC)
        large = vary_form(large, label, rng)
    return _write(large, style, height_px, rng)


def write_zeros(n: int, style: HandwritingStyle, height_px: float, rng: np.random.Generator) -> np.ndarray:
    """n zeros in this style without lifting the pen: ink (h, w), tightly cropped."""
    return _write(draw_zeros(n, rng), style, height_px, rng)


def _write(
    large: np.ndarray, style: HandwritingStyle, height_px: float, rng: np.random.Generator
) -> np.ndarray:
    """Ink (H, W) with a border, in this style's stroke width, slant and width, tightly cropped."""
    rows = np.nonzero(large.max(1) > 0.2)[0]
    if style.thickening:
        side = abs(style.thickening) + 2
        brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        large = cv2.dilate(large, brush) if style.thickening > 0 else cv2.erode(large, brush)
    scale, slant = height_px / (rows[-1] + 1 - rows[0]), style.slant + rng.normal(0, 0.08)
    return _crop(_bend(large, scale, slant, rng, style.relative_width))


def vary_form(large: np.ndarray, label: int, rng: np.random.Generator) -> np.ndarray:
    """Add strokes that are usual in other countries: a bar to a seven, a flag or a foot to a one.

    large: (H, W) ink at twice the size of MNIST, with a border; not changed.
    """
    if label not in (1, 7) or rng.random() > 0.35:
        return large
    rows = np.nonzero(large.max(1) > 0.4)[0]
    if len(rows) < 8:
        return large
    top, bottom, height = rows[0], rows[-1], rows[-1] - rows[0]
    drawn = np.pad(large, ((0, 0), (height // 2, height // 2)))
    stroke = int(rng.integers(3, 6))
    if label == 7 and rng.random() < 0.7:
        row = int(top + height * rng.uniform(0.4, 0.6))
        middle = _middle_of(drawn[row])
        half, tilt = height * rng.uniform(0.15, 0.35), rng.normal(0, 0.06) * height
        _stroke(drawn, (middle - half, row + tilt), (middle + half, row - tilt), stroke)
    elif label == 7:  # a short stroke down from its start
        first = np.nonzero(drawn[top + 2 : top + 8].max(0) > 0.4)[0][0]
        _stroke(
            drawn,
            (first + 1, top + 3),
            (first - rng.uniform(-2, 4), top + height * rng.uniform(0.15, 0.35)),
            stroke,
        )
    elif rng.random() < 0.8:  # a stroke up to the top of the one
        middle = _middle_of(drawn[top + 2])
        far, down = rng.uniform(0.15, 0.5) * height, rng.uniform(0.15, 0.55) * height
        _stroke(drawn, (middle, top + 2), (middle - far, top + down), stroke)
        if rng.random() < 0.25:
            half = height * rng.uniform(0.15, 0.3)
            foot = _middle_of(drawn[bottom - 2])
            _stroke(drawn, (foot - half, bottom - 1), (foot + half, bottom - 1), stroke)
    return drawn


def vary_digits(digits: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Digits (n, H, W) with forms of other countries (vary_form), cropped and centred again; a copy."""
    varied = digits.copy()
    for i in np.flatnonzero((labels == 1) | (labels == 7)):
        large = cv2.resize(
            np.pad(digits[i], 3), None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_CUBIC
        )
        form = vary_form(large, int(labels[i]), rng)
        if form is not large:
            varied[i] = prepare_digit(form.clip(0, 1))
    return varied


def write_letters(n: int, height_px: float, rng: np.random.Generator) -> np.ndarray:
    """Handwritten letters and symbols, but no digits: ink (h, w)."""
    text = "".join(rng.choice(list(_LETTERS), size=n))
    return print_text(text, height_px, rng.normal(0, 0.25), *draw_font(rng), rng)


def print_words(length_px: float, height_px: float, rng: np.random.Generator) -> np.ndarray:
    """Printed text without digits, about length_px x height_px: ink (h, w)."""
    family = list(FAMILIES.values())[int(rng.integers(len(FAMILIES)))]
    font = font_of(str(rng.choice(family)), _WORDS_PX)
    words = rng.permutation(_WORDS)[: 1 + int(length_px / (3 * height_px))]
    left, top, right, bottom = font.getbbox(" ".join(words))
    sheet = Image.new("L", (int(right - left) + 8, int(bottom - top) + 8))
    ImageDraw.Draw(sheet).text((4 - left, 4 - top), " ".join(words), 255, font=font)
    return _crop(_bend(to_ink(np.asarray(sheet)), height_px / _WORDS_PX, rng.normal(0, 0.05), rng))


def print_text(
    text: str, height_px: float, slant: float, font: int, stroke_px: int, rng: np.random.Generator
) -> np.ndarray:
    """Text in one of OpenCV's fonts, with capitals of this height: ink (h, w)."""
    (width, height), below = cv2.getTextSize(text, font, 1.0, stroke_px)
    drawn = np.zeros((height + below + 8, width + 8), np.uint8)
    cv2.putText(drawn, text, (4, height + 4), font, 1.0, 255, stroke_px, cv2.LINE_AA)
    return _crop(_bend(to_ink(drawn), height_px / height, slant, rng))


def draw_font(rng: np.random.Generator) -> tuple[int, int]:
    """A random font and stroke width in pixels."""
    return int(rng.choice(_FONTS)), int(rng.integers(1, 4))


def scribble(height_px: float, rng: np.random.Generator) -> np.ndarray:
    """A line of loops and zigzags: ink (h, w)."""
    n_points = int(rng.integers(4, 14))
    long = height_px * rng.uniform(0.6, 5)
    along = np.linspace(0, long, n_points) + rng.normal(0, 0.15 * height_px, n_points)
    corners = np.stack([along, rng.uniform(0, height_px, n_points)], 1)
    fine = cv2.resize(corners, (2, n_points * 8), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.7:
        fine = cv2.blur(fine, (1, 9))
    points = np.rint((fine - fine.min(0) + 2) * 8).astype(np.int32)
    width, height = (points.max(0) / 8 + 4).astype(int)
    drawn = np.zeros((height, width), np.uint8)
    cv2.polylines(drawn, [points[:, None]], False, 255, int(rng.integers(1, 4)), cv2.LINE_AA, 3)
    return to_ink(drawn)


def _bend(
    ink: np.ndarray, scale: float, slant: float, rng: np.random.Generator, width_factor: float = 1.0
) -> np.ndarray:
    """Scale and slant ink (H, W), with random changes of width and angle."""
    turn, across = rng.normal(0, 0.07), scale * width_factor * rng.uniform(0.75, 1.35)
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.array([[cos, -sin], [sin, cos]]) @ np.array([[1, -slant], [0, 1]]) @ np.diag([across, scale])
    height, width = ink.shape
    corners = matrix @ np.array([[0, width, 0, width], [0, 0, height, height]])
    low, high = corners.min(1), corners.max(1)
    size = [max(2, int(np.ceil(side))) for side in high - low]
    soft = ink if scale > 0.5 else cv2.GaussianBlur(ink, (0, 0), 0.35 / scale)
    move = np.hstack([matrix, -low[:, None]]).astype(np.float32)
    bent: np.ndarray = cv2.warpAffine(soft, move, size, flags=cv2.INTER_LINEAR).clip(0, 1)
    return bent


def _crop(ink: np.ndarray, least: float = 0.25) -> np.ndarray:
    rows, columns = np.nonzero(ink.max(1) > least)[0], np.nonzero(ink.max(0) > least)[0]
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else ink


def _middle_of(row: np.ndarray) -> float:
    where = np.nonzero(row > 0.4)[0]
    return float(where.mean()) if len(where) else len(row) / 2


def _stroke(drawn: np.ndarray, start: tuple[float, float], end: tuple[float, float], width_px: int) -> None:
    """Draw a stroke from (x, y) to (x, y), in place."""
    first, last = (tuple(round(8 * float(side)) for side in point) for point in (start, end))
    stroke = np.zeros(drawn.shape, np.uint8)
    cv2.line(stroke, first, last, 255, width_px, cv2.LINE_AA, 3)  # in eighths of a pixel
    np.maximum(drawn, to_ink(stroke), out=drawn)


def to_ink(drawn: np.ndarray) -> np.ndarray:
    """Convert bytes, the only type with OpenCV's antialiased drawing, to float32 in [0, 1]."""
    return drawn.astype(np.float32) / 255
