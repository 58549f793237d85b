"""What a line reader's answers say: connectionist temporal classification, after the network.

Answers are logits (N, 1 + K, T): for each of T places along a line, "nothing new" and the K classes.
Source: Graves et al., Connectionist Temporal Classification, ICML 2006.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from legible.images import pad_widths

_LEAST = -1e30  # the logarithm of what cannot be


@dataclass(frozen=True)
class Spelt:
    """A line as read: its classes, between which places each stands, and each one's probabilities (K,).

    log_probability: of the whole line saying just this, over all ways to spell it.
    """

    classes: tuple[int, ...]
    places: tuple[tuple[float, float], ...]
    probabilities: tuple[np.ndarray, ...]
    log_probability: float

    def widened(self, times: float) -> Spelt:
        """The same on a line so many times as wide."""
        return replace(self, places=tuple((start * times, end * times) for start, end in self.places))


def in_batches(
    predict: Callable[[np.ndarray], np.ndarray], lines: Sequence[np.ndarray], *, at_once: int = 128
) -> Iterator[tuple[list[int], np.ndarray]]:
    """The answers to lines (H, W) of any width, alike ones together: the lines' positions, and logits.

    predict: lines (n, 1, H, W) to logits (n, 1 + K, T). The logits are float64.
    """
    order = sorted(range(len(lines)), key=lambda i: lines[i].shape[1])
    for start in range(0, len(order), at_once):
        chosen = order[start : start + at_once]
        yield chosen, predict(pad_widths([lines[i] for i in chosen])).astype(np.float64)


def read_best(logits: np.ndarray) -> list[list[int]]:
    """The classes that the most probable answers of each line spell. An answer that lasts counts once."""
    best = logits.argmax(1)  # (N, T)
    is_new = best != np.pad(best, ((0, 0), (1, 0)))[:, :-1]
    return [(row[new & (row > 0)] - 1).tolist() for row, new in zip(best, is_new, strict=True)]


def spell(logits: np.ndarray, temperature: float = 1.0) -> list[Spelt]:
    """Read lines. logits: (N, 1 + K, T). temperature: what they are divided by, for honest probabilities."""
    logs = log_softmax(logits / temperature)
    best = logs.argmax(1)  # (N, T)
    runs = [_runs(row) for row in best]
    texts = [[int(row[start]) - 1 for start, _ in found] for row, found in zip(best, runs, strict=True)]
    whole = log_probabilities(logs, texts)
    return [
        Spelt(tuple(text), tuple(found), tuple(_odds(line, row, run) for run in found), float(log))
        for text, found, line, row, log in zip(texts, runs, logs, best, whole, strict=True)
    ]


def log_probabilities(logs: np.ndarray, texts: Sequence[Sequence[int]]) -> np.ndarray:
    """How probable it is that each line says just its text: the sum over all ways to spell it, (N,).

    logs: (N, 1 + K, T), the logarithms of each place's probabilities. texts: N lists of classes.
    """
    rows = np.arange(len(texts))
    symbols = np.zeros((len(texts), 2 * max(map(len, texts), default=0) + 1), np.int64)
    for line, text in zip(symbols, texts, strict=True):
        line[1 : 2 * len(text) : 2] = np.asarray(text, np.int64) + 1
    skips = np.zeros(symbols.shape, bool)  # from one class to the next, unless it is the same again
    skips[:, 3::2] = symbols[:, 3::2] != symbols[:, 1:-2:2]
    heard = np.ascontiguousarray(np.take_along_axis(logs, symbols[:, :, None], axis=1).transpose(2, 0, 1))
    barred = np.where(skips, 0.0, _LEAST)
    # two more symbols in front: nothing can come from there
    before = np.full((len(texts), symbols.shape[1] + 2), _LEAST)
    reached, step, skip = before[:, 2:], before[:, 1:-1], before[:, :-2]
    reached[:, :2] = heard[0, :, :2]
    for at in heard[1:]:
        reached[:] = np.logaddexp(np.logaddexp(reached, step), skip + barred) + at
    last = 2 * np.array([len(text) for text in texts], np.int64)
    ends_in_class = np.where(last > 0, reached[rows, last - 1], _LEAST)
    answer: np.ndarray = np.logaddexp(reached[rows, last], ends_in_class)
    return answer


def _runs(best: np.ndarray) -> list[tuple[int, int]]:
    """Where each class of a line begins and ends, of its most probable answers (T,)."""
    edges = [0, *(np.flatnonzero(np.diff(best)) + 1).tolist(), len(best)]
    return [(start, end) for start, end in pairwise(edges) if best[start] > 0]


def _odds(logs: np.ndarray, best: np.ndarray, run: tuple[int, int]) -> np.ndarray:
    """The probabilities of the classes (K,) at the surest place of a run, "nothing new" left aside."""
    at = run[0] + int(logs[best[run[0]], slice(*run)].argmax())
    odds = np.exp(logs[1:, at] - logs[1:, at].max())
    share: np.ndarray = odds / odds.sum()
    return share


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """The logarithms of each place's probabilities, of logits (N, 1 + K, T)."""
    apart = logits - logits.max(1, keepdims=True)
    logs: np.ndarray = apart - np.log(np.exp(apart).sum(1, keepdims=True))
    return logs
