"""Strings of digits as people write them on forms, composed from pictures of single digits.

Each string has one handwriting style (size, slant, stroke width, gaps), with occasional dots, dashes or
letters, on paper with some colour, pattern and ruling, as seen by a camera: uneven light, blur, noise. All
are ink, 1 = black. The digits are known, so that a line reader can be trained on them.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from legible.data.papers import draw_paper, draw_rules, photograph
from legible.data.pens import (
    HandwritingStyle,
    draw_font,
    print_text,
    print_words,
    scribble,
    to_ink,
    write_digit,
    write_letters,
    write_zeros,
)
from legible.prepare import LINE_PX, prepare_line

MOST_PX = 384  # a string's width: longer ones are scaled down
N_DIGITS = ((1, 3), (3, 6), (6, 10))  # of short, medium and long strings
SHARES = (0.2, 0.45, 0.35)  # of the digits in short, medium and long strings
_NO_DIGIT = 0.12  # share of lines without a digit
_RUNNING_TEXT = 0.5  # share of printed words among these
_GROUPED = 0.7  # share of zeros that are next to other zeros
_MOST_CHAINED = 4  # zeros written without lifting the pen
_PRINTED = 0.05  # share of printed strings
_Piece = tuple[
    np.ndarray, float, float
]  # ink (h, w), the x of its left side, the y of its baseline, in pixels


def sample_lengths(n_digits: int, rng: np.random.Generator) -> list[int]:
    """Split n_digits into strings of similar lengths, for batches; the last string has the rest."""
    low, high = N_DIGITS[int(rng.choice(len(N_DIGITS), p=SHARES))]
    lengths: list[int] = []
    while (left := n_digits - sum(lengths)) > 0:
        lengths.append(min(left, int(rng.integers(low, high + 1))))
    return lengths


def compose_lines(
    digits: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> tuple[list[np.ndarray], list[list[int]]]:
    """Compose all digits into strings of similar lengths, plus some lines without a digit.

    digits: (n, H, W) float32, 1 = ink. labels: (n,). Returns the lines as input of the line reader,
    (LINE_PX, width) each, and their labels.
    """
    order = group_zeros(labels, rng)
    digits, labels = digits[order], labels[order]
    lengths = sample_lengths(len(digits), rng)
    lengths += [0] * rng.binomial(len(lengths), _NO_DIGIT)
    ends = np.cumsum(lengths)
    parts = [slice(end - length, end) for end, length in zip(ends, lengths, strict=True)]
    lines = [prepare_line(compose_string(digits[part], labels[part].tolist(), rng)) for part in parts]
    return lines, [labels[part].tolist() for part in parts]


def group_zeros(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An order of the digits in which most zeros are in groups of two to four, as in amounts of money."""
    is_grouped = (labels == 0) & (rng.random(len(labels)) < _GROUPED)
    others, zeros = np.flatnonzero(~is_grouped).tolist(), np.flatnonzero(is_grouped).tolist()
    while zeros:
        n, at = int(rng.integers(2, 5)), int(rng.integers(len(others) + 1))
        others[at:at], zeros = zeros[:n], zeros[n:]
    return np.array(others, np.int64)


def compose_string(digits: np.ndarray, labels: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    """Write digits side by side on random paper, and simulate a photo of it.

    digits: (n, H, W) float32 in [0, 1], 1 = ink; without digits (n = 0) the line is empty paper, scribbles or
    words. labels: (n,); sevens may get a bar, ones a flag. Returns (LINE_PX, width) float32 in [0, 1], 1 =
    black, with a width of at most MOST_PX. Equal rng states give equal strings.
    """
    style = HandwritingStyle.sample(rng)
    pieces, length = write_digits(digits, labels, style, rng) if len(digits) else _write_nothing(style, rng)
    ink = _place(pieces, length, rng)
    darkness = rng.uniform(0.3, 1.0)
    paper = draw_paper(ink.shape, rng)
    rules = draw_rules(ink.shape, rng) * darkness * rng.uniform(0.2, 1)
    return photograph(np.maximum(paper, 0) + rules, ink, darkness, rng)


def write_digits(
    digits: np.ndarray, labels: Sequence[int], style: HandwritingStyle, rng: np.random.Generator
) -> tuple[list[_Piece], float]:
    """The pieces of a line, digits and marks with their positions, and the line's length in pixels."""
    height, pieces, foot = style.height_px, list[_Piece](), 0.0
    at = rng.uniform(0, 0.6) * height
    if rng.random() < 0.08:
        at = _add_foreign(pieces, at, style, rng)
    font = draw_font(rng) if rng.random() < _PRINTED else None
    i = 0
    while i < len(digits):
        label = labels[i]
        is_small = rng.random() < (style.small_zero_rate if label == 0 else 0.06)
        tall = height * rng.uniform(0.78, 1.14) * (rng.uniform(0.5, 0.85) if is_small else 1)
        in_one_go = not font and rng.random() < style.chain_rate
        n = max(1, _count_zeros(labels[i : i + _MOST_CHAINED])) if in_one_go else 1
        if font:
            piece = print_text(str(label), height, style.slant, *font, rng)
        elif n > 1:
            piece = write_zeros(n, style, tall, rng)
        else:
            piece = write_digit(digits[i], label, style, tall, rng)
        up = rng.uniform(0, 0.4) * (height - tall) if is_small else 0.0
        pieces.append((piece, at, foot - up + rng.normal(0, 0.05) * height))
        if i and rng.random() < style.join_rate:
            pieces.append(_join(pieces[-2], pieces[-1], rng))
        at += piece.shape[1] + height * max(-0.25, rng.normal(style.gap, 0.1))
        foot += style.drift * height
        i += n
        is_last = i == len(digits)
        for _ in range(1 + (is_last and rng.random() < 0.3)):
            if rng.random() < (0.4 if is_last else style.dot_rate):
                at = _add_mark(pieces, at, foot, style, rng)
    if rng.random() < 0.05:
        at = _add_foreign(pieces, at + 0.1 * height, style, rng)
    return pieces, at + rng.uniform(0, 0.5) * height


def _count_zeros(labels: Sequence[int]) -> int:
    """The number of leading zeros."""
    return next((i for i, label in enumerate(labels) if label != 0), len(labels))


def _write_nothing(style: HandwritingStyle, rng: np.random.Generator) -> tuple[list[_Piece], float]:
    """A line without a digit: empty, scribbles, letters, marks, or printed text."""
    if rng.random() < _RUNNING_TEXT:
        words = print_words(LINE_PX * rng.uniform(1, 4), style.height_px, rng)
        return [(words, 0.2 * style.height_px, 0.0)], words.shape[1] + 0.4 * style.height_px
    height, pieces, at = style.height_px, list[_Piece](), rng.uniform(0, 1) * style.height_px
    for _ in range(int(rng.integers(0, 4))):
        if rng.random() < 0.3:
            at = _add_mark(pieces, at, 0.0, style, rng)
        else:
            at = _add_foreign(pieces, at, style, rng)
    return pieces, at + rng.uniform(0.5, 2) * height


def _join(one: _Piece, other: _Piece, rng: np.random.Generator) -> _Piece:
    """The thin stroke that joins two digits if the pen was not lifted."""
    (ink, left, foot), (after, begin, end) = one, other
    x = round(left + 0.8 * ink.shape[1]), round(begin + 0.25 * after.shape[1])
    y = (foot - rng.uniform(0.4, 0.95) * len(ink), end - rng.uniform(0.5, 0.95) * len(after))
    top = min(y)
    stroke = np.zeros((round(max(y) - top) + 3, max(x[1] - x[0], 1) + 3), np.uint8)
    first, last = (1, round(y[0] - top) + 1), (stroke.shape[1] - 2, round(y[1] - top) + 1)
    cv2.line(stroke, first, last, 255, int(rng.integers(1, 3)), cv2.LINE_AA)
    return to_ink(stroke), min(x), top + len(stroke)


def _add_foreign(pieces: list[_Piece], at: float, style: HandwritingStyle, rng: np.random.Generator) -> float:
    """Add a scribble or a few letters; return the x where the line continues."""
    if rng.random() < 0.2:
        piece = scribble(style.height_px, rng)
    else:
        piece = write_letters(int(rng.integers(1, 5)), style.height_px * rng.uniform(0.7, 1.1), rng)
    pieces.append((piece, at, rng.normal(0, 0.05) * style.height_px))
    return float(at + piece.shape[1] + style.height_px * rng.uniform(0.1, 0.6))


def _add_mark(
    pieces: list[_Piece], at: float, foot: float, style: HandwritingStyle, rng: np.random.Generator
) -> float:
    """Add a dot, a comma, or one or two dashes; return the x where the line continues."""
    height = style.height_px
    kind, stroke = rng.random(), max(1, round(height * rng.uniform(0.05, 0.12)))
    if kind < 0.65:
        radius = max(1, int(height * rng.uniform(0.04, 0.1)))
        tail = radius * int(rng.random() < 0.4)
        mark = np.zeros((2 * radius + 1 + tail, 2 * radius + 1), np.float32)
        cv2.circle(mark, (radius, radius), radius, 1.0, -1)
        if tail:
            cv2.line(mark, (radius, radius), (radius // 2, len(mark) - 1), 1.0, radius)
        up = rng.uniform(-0.12, 0.12)
    else:
        long, deep = int(height * rng.uniform(0.25, 0.9)), stroke + int(height * 0.3) + 2
        mark, up = np.zeros((deep, long + 2), np.float32), rng.uniform(0.25, 0.6)
        for row in (deep // 2, deep // 2 - int(height * 0.12) - 1)[: 1 + (kind > 0.88)]:
            cv2.line(
                mark, (1, row + int(rng.normal(0, 1))), (long, row + int(rng.normal(0, 1.5))), 1.0, stroke
            )
    pieces.append((mark, at - 0.08 * height, foot - up * height))
    return float(at + mark.shape[1] + rng.uniform(0, 0.25) * height)


def _place(pieces: list[_Piece], length: float, rng: np.random.Generator) -> np.ndarray:
    """All pieces in one image (LINE_PX, width), scaled down if they would not fit."""
    tops = [foot - len(ink) for ink, _, foot in pieces] or [0.0]
    feet = [foot for _, _, foot in pieces] or [0.0]
    tall = max(max(feet) - min(tops), 1.0)
    scale = min(1.0, (MOST_PX - 2) / length, LINE_PX * rng.uniform(0.9, 1.04) / tall)
    slack = LINE_PX - tall * scale
    down = (rng.uniform(0, 1) if slack > 0 else 0.5) * slack - min(tops) * scale
    sheet = np.zeros((LINE_PX, int(np.clip(np.ceil(length * scale), 12, MOST_PX))), np.float32)
    for written, left, foot in pieces:
        size = max(2, round(written.shape[1] * scale)), max(2, round(written.shape[0] * scale))
        ink = cv2.resize(written, size, interpolation=cv2.INTER_AREA) if scale < 0.98 else written
        top, first = round(foot * scale + down) - len(ink), round(left * scale)
        under = sheet[max(0, top) : max(0, top + len(ink)), max(0, first) : max(0, first + ink.shape[1])]
        seen = ink[max(0, -top) :, max(0, -first) :][: under.shape[0], : under.shape[1]]
        np.maximum(under, seen, out=under)
    return sheet
