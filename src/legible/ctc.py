"""Connectionist temporal classification (CTC): decode a line reader's logits.

Logits are (N, 1 + K, T): for each of T time steps along a line, the blank and the K classes.
Source: Graves et al., Connectionist Temporal Classification, ICML 2006.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from legible.images import Predict, pad_widths
from legible.softmax import log_softmax

_LEAST = -1e30  # instead of -infinity, the logarithm of 0


@dataclass(frozen=True)
class DecodedLine:
    """A decoded line: its classes, the time steps (start, end) of each, and the probabilities (K,) at each.

    log_probability: of exactly this text, summed over all alignments.
    """

    classes: tuple[int, ...]
    places: tuple[tuple[float, float], ...]
    probabilities: tuple[np.ndarray, ...]
    log_probability: float

    def widened(self, times: float) -> DecodedLine:
        """The same with time steps multiplied by a factor."""
        return replace(self, places=tuple((start * times, end * times) for start, end in self.places))


def in_batches(
    predict: Predict, lines: Sequence[np.ndarray], *, at_once: int = 128
) -> Iterator[tuple[list[int], np.ndarray]]:
    """Run a network on lines (H, W) in batches of similar widths; yield the lines' indices and logits.

    predict: lines (n, 1, H, W) to logits (n, 1 + K, T). The logits are float64.
    """
    order = sorted(range(len(lines)), key=lambda i: lines[i].shape[1])
    for start in range(0, len(order), at_once):
        chosen = order[start : start + at_once]
        yield chosen, predict(pad_widths([lines[i] for i in chosen])).astype(np.float64)


def greedy_decode(logits: np.ndarray) -> list[list[int]]:
    """The classes on the most probable path of each line, with repeats collapsed and blanks removed."""
    best = logits.argmax(1)  # (N, T)
    is_new = best != np.pad(best, ((0, 0), (1, 0)))[:, :-1]
    return [(row[new & (row > 0)] - 1).tolist() for row, new in zip(best, is_new, strict=True)]


def decode(logits: np.ndarray, temperature: float = 1.0) -> list[DecodedLine]:
    """Decode lines greedily. logits: (N, 1 + K, T). temperature: divides them, to calibrate probabilities."""
    logs = log_softmax(logits / temperature)
    best = logs.argmax(1)  # (N, T)
    runs = [_runs(row) for row in best]
    texts = [[int(row[start]) - 1 for start, _ in found] for row, found in zip(best, runs, strict=True)]
    whole = log_probabilities(logs, texts)
    return [
        DecodedLine(
            tuple(text),
            tuple(found),
            tuple(_class_probabilities(line, row, run) for run in found),
            float(log),
        )
        for text, found, line, row, log in zip(texts, runs, logs, best, whole, strict=True)
    ]


def log_probabilities(logs: np.ndarray, texts: Sequence[Sequence[int]]) -> np.ndarray:
    """The log probability of each line's text, summed over all alignments (the forward algorithm), (N,).

    logs: (N, 1 + K, T), the log probabilities of each time step. texts: N lists of classes.
    """
    rows = np.arange(len(texts))
    symbols = np.zeros((len(texts), 2 * max(map(len, texts), default=0) + 1), np.int64)
    for line, text in zip(symbols, texts, strict=True):
        line[1 : 2 * len(text) : 2] = np.asarray(text, np.int64) + 1
    skips = np.zeros(symbols.shape, bool)  # from one class to the next without a blank, unless they are equal
    skips[:, 3::2] = symbols[:, 3::2] != symbols[:, 1:-2:2]
    emitted = np.ascontiguousarray(np.take_along_axis(logs, symbols[:, :, None], axis=1).transpose(2, 0, 1))
    barred = np.where(skips, 0.0, _LEAST)
    # two more symbols in front, with probability 0
    before = np.full((len(texts), symbols.shape[1] + 2), _LEAST)
    reached, step, skip = before[:, 2:], before[:, 1:-1], before[:, :-2]
    reached[:, :2] = emitted[0, :, :2]
    for at in emitted[1:]:
        reached[:] = np.logaddexp(np.logaddexp(reached, step), skip + barred) + at
    last = 2 * np.array([len(text) for text in texts], np.int64)
    ends_in_class = np.where(last > 0, reached[rows, last - 1], _LEAST)
    total: np.ndarray = np.logaddexp(reached[rows, last], ends_in_class)
    return total


def _runs(best: np.ndarray) -> list[tuple[int, int]]:
    """The start and end of each class on a line's most probable path (T,)."""
    edges = [0, *(np.flatnonzero(np.diff(best)) + 1).tolist(), len(best)]
    return [(start, end) for start, end in pairwise(edges) if best[start] > 0]


def _class_probabilities(logs: np.ndarray, best: np.ndarray, run: tuple[int, int]) -> np.ndarray:
    """The probabilities of the classes (K,), without the blank, at the most certain time step of a run."""
    at = run[0] + int(logs[best[run[0]], slice(*run)].argmax())
    probabilities = np.exp(logs[1:, at] - logs[1:, at].max())
    share: np.ndarray = probabilities / probabilities.sum()
    return share
