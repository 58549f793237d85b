"""Judge a line reader: on strings of digits composed from single ones, always the same."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from legible.ctc import Spelt, in_batches, log_probabilities, log_softmax, spell
from legible.data.split import Labelled
from legible.data.strings import compose_lines
from legible.errors import InputError
from legible.seeds import rng_for

DIGITS_AT_ONCE = 256  # that lines are composed from: as in training
N_SAMPLES, N_WORST = 24, 24
_NOT_SCORES = ("seconds", "lines_per_second", "samples", "worst")
Predict = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class ReadLine:
    """One line as it was read: which it is, what it says, what was read, and how probable that is."""

    index: int
    text: str
    read: str
    confidence: float


@dataclass(frozen=True)
class LineJudgement:
    """All that was measured of one line reader.

    n_images: lines. strings_right: the share of the lines with digits that were read wholly right.
    digit_error_rate: digits left out, put in or exchanged, by digits. falsely_read: the share of lines
    without a digit where one was read. loss_nats: the mean of the negative log probability of the right text,
    by its length.
    """

    n_images: int
    n_digits: int
    strings_right: float
    digit_error_rate: float
    falsely_read: float
    loss_nats: float
    seconds: float
    lines_per_second: float
    samples: tuple[ReadLine, ...]
    worst: tuple[ReadLine, ...]

    @property
    def scores(self) -> dict[str, Any]:
        """What rows and cards keep of it."""
        return {name: value for name, value in vars(self).items() if name not in _NOT_SCORES}

    def to_json(self) -> dict[str, Any]:
        """Everything as plain dictionaries, lists and numbers."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain


def compose_all(data: Labelled, what: str) -> tuple[list[np.ndarray], list[list[int]]]:
    """Lines of all the digits, in batches as in training: always the same for the same digits and `what`."""
    if data.images.shape[1] != 1:
        raise InputError(f"lines are composed from grey digits, not from {data.images.shape[1]} channels.")
    rng, lines, texts = rng_for("lines", what), list[np.ndarray](), list[list[int]]()
    for start in range(0, len(data), DIGITS_AT_ONCE):
        part = slice(start, start + DIGITS_AT_ONCE)
        some, said = compose_lines(data.images[part, 0], data.labels[part], rng)
        lines += some
        texts += said
    return lines, texts


def judge_lines(predict: Predict, data: Labelled, *, what: str = "test") -> LineJudgement:
    """Judge a reader on lines composed from single digits (N, 1, H, W).

    predict: lines (n, 1, H, W) to logits (n, 1 + K, T). Raises InputError.
    """
    lines, texts = compose_all(data, what)
    started = time.perf_counter()
    spelt, losses = read_lines(predict, lines, texts)
    seconds = time.perf_counter() - started
    n_digits = sum(map(len, texts))
    errors = [
        edit_distance("".join(map(chr, text)), "".join(map(chr, one.classes)))  # a sign for each class
        for text, one in zip(texts, spelt, strict=True)
    ]
    written = [i for i, text in enumerate(texts) if text]
    bare = [i for i, text in enumerate(texts) if not text]
    entries = [
        ReadLine(i, _name(data, text), _name(data, one.classes), float(np.exp(one.log_probability)))
        for i, (text, one) in enumerate(zip(texts, spelt, strict=True))
    ]
    wrong = sorted((e for e in entries if e.text != e.read), key=lambda entry: -entry.confidence)
    return LineJudgement(
        n_images=len(lines),
        n_digits=n_digits,
        strings_right=float(np.mean([errors[i] == 0 for i in written])),
        digit_error_rate=sum(errors) / n_digits,
        falsely_read=float(np.mean([bool(spelt[i].classes) for i in bare])) if bare else 0.0,
        loss_nats=float(np.mean([losses[i] / len(texts[i]) for i in written])),
        seconds=seconds,
        lines_per_second=len(lines) / seconds,
        samples=tuple(entries[:: max(1, len(entries) // N_SAMPLES)][:N_SAMPLES]),
        worst=tuple(wrong[:N_WORST]),
    )


def read_lines(
    predict: Predict, lines: Sequence[np.ndarray], texts: Sequence[Sequence[int]]
) -> tuple[list[Spelt], np.ndarray]:
    """Read lines (H, W) of any width; and the loss of what they really say, in nats."""
    spelt: list[Any] = [None] * len(lines)
    losses = np.zeros(len(lines))
    for chosen, logits in in_batches(predict, lines):
        losses[chosen] = -log_probabilities(log_softmax(logits), [texts[i] for i in chosen])
        for i, one in zip(chosen, spell(logits), strict=True):
            spelt[i] = one
    return spelt, losses


def _name(data: Labelled, text: Sequence[int]) -> str:
    return "".join(data.classes[index] for index in text)


def edit_distance(one: str, other: str) -> int:
    """How many signs have to be put in, left out or changed between two texts (Levenshtein, 1966)."""
    signs = np.array([ord(sign) for sign in other])
    row = np.arange(len(other) + 1)
    for i, sign in enumerate(one, start=1):
        best = np.minimum(row[1:] + 1, row[:-1] + (signs != ord(sign)))
        new = np.concatenate([[i], best])
        row = np.minimum.accumulate(new - np.arange(len(new))) + np.arange(len(new))
    return int(row[-1])
