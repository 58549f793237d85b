"""Evaluate a line reader on strings of digits, which are composed from single digits with a fixed seed."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from legible.ctc import DecodedLine, decode, in_batches, log_probabilities
from legible.data.split import Labelled
from legible.data.strings import compose_lines
from legible.errors import InputError
from legible.evaluation.evaluation_set import EvaluationSet
from legible.images import Predict
from legible.seeds import rng_for
from legible.softmax import log_softmax

DIGITS_AT_ONCE = 256  # from which lines are composed, as in training
N_SAMPLES, N_WORST = 24, 24
_NOT_SCORES = ("seconds", "lines_per_second", "samples", "worst")


@dataclass(frozen=True)
class ReadLine:
    """The reading of one line: its index, its true text, the text read, and that text's probability."""

    index: int
    text: str
    read: str
    confidence: float


@dataclass(frozen=True)
class LineReadingReport:
    """The evaluation of one line reader.

    n_images: lines. strings_right: the share of lines with digits that were read without any error.
    digit_error_rate: deleted, inserted and substituted digits, divided by the number of digits. falsely_read:
    the share of lines without digits in which digits were read. loss_nats: the mean negative log probability
    of the true text, divided by its length.
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
        """The figures that rows and cards store."""
        return {name: value for name, value in vars(self).items() if name not in _NOT_SCORES}

    def to_json(self) -> dict[str, Any]:
        """The whole report as dictionaries, lists and numbers."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain


def compose_all(data: Labelled, what: str) -> tuple[list[np.ndarray], list[list[int]]]:
    """Lines composed of all digits, in batches as in training; `what` names the random stream."""
    if data.images.shape[1] != 1:
        raise InputError(f"lines are composed from grey digits, not from {data.images.shape[1]} channels.")
    rng, lines, texts = rng_for("lines", what), list[np.ndarray](), list[list[int]]()
    for start in range(0, len(data), DIGITS_AT_ONCE):
        part = slice(start, start + DIGITS_AT_ONCE)
        batch_lines, batch_texts = compose_lines(data.images[part, 0], data.labels[part], rng)
        lines += batch_lines
        texts += batch_texts
    return lines, texts


def evaluate(predict: Predict, shown: EvaluationSet) -> LineReadingReport:
    """Evaluate a line reader on lines composed from the images of an evaluation set."""
    return evaluate_line_reader(predict, shown.seen)


def evaluate_line_reader(predict: Predict, data: Labelled, *, what: str = "test") -> LineReadingReport:
    """Evaluate a reader on lines composed from single digits (N, 1, H, W).

    predict: lines (n, 1, H, W) to logits (n, 1 + K, T). Raises InputError.
    """
    lines, texts = compose_all(data, what)
    started = time.perf_counter()
    decoded, losses = read_lines(predict, lines, texts)
    seconds = time.perf_counter() - started
    n_digits = sum(map(len, texts))
    errors = [
        edit_distance("".join(map(chr, text)), "".join(map(chr, one.classes)))  # a character for each class
        for text, one in zip(texts, decoded, strict=True)
    ]
    with_digits = [i for i, text in enumerate(texts) if text]
    without = [i for i, text in enumerate(texts) if not text]
    entries = [
        ReadLine(i, _name(data, text), _name(data, one.classes), float(np.exp(one.log_probability)))
        for i, (text, one) in enumerate(zip(texts, decoded, strict=True))
    ]
    wrong = sorted((e for e in entries if e.text != e.read), key=lambda entry: -entry.confidence)
    return LineReadingReport(
        n_images=len(lines),
        n_digits=n_digits,
        strings_right=float(np.mean([errors[i] == 0 for i in with_digits])),
        digit_error_rate=sum(errors) / n_digits,
        falsely_read=float(np.mean([bool(decoded[i].classes) for i in without])) if without else 0.0,
        loss_nats=float(np.mean([losses[i] / len(texts[i]) for i in with_digits])),
        seconds=seconds,
        lines_per_second=len(lines) / seconds,
        samples=tuple(entries[:: max(1, len(entries) // N_SAMPLES)][:N_SAMPLES]),
        worst=tuple(wrong[:N_WORST]),
    )


def read_lines(
    predict: Predict, lines: Sequence[np.ndarray], texts: Sequence[Sequence[int]]
) -> tuple[list[DecodedLine], np.ndarray]:
    """Decode lines (H, W) of any width, and compute the loss of their true texts in nats."""
    decoded: list[Any] = [None] * len(lines)
    losses = np.zeros(len(lines))
    for chosen, logits in in_batches(predict, lines):
        losses[chosen] = -log_probabilities(log_softmax(logits), [texts[i] for i in chosen])
        for i, one in zip(chosen, decode(logits), strict=True):
            decoded[i] = one
    return decoded, losses


def _name(data: Labelled, text: Sequence[int]) -> str:
    return "".join(data.classes[index] for index in text)


def edit_distance(one: str, other: str) -> int:
    """The number of characters to insert, delete or substitute between two texts (Levenshtein, 1966)."""
    characters = np.array([ord(character) for character in other])
    row = np.arange(len(other) + 1)
    for i, character in enumerate(one, start=1):
        best = np.minimum(row[1:] + 1, row[:-1] + (characters != ord(character)))
        new = np.concatenate([[i], best])
        row = np.minimum.accumulate(new - np.arange(len(new))) + np.arange(len(new))
    return int(row[-1])
