"""Make confidences honest, on held-out images: the temperature of a network, the limit of refusal, the sets
of classes that hold the right one at a rate that is guaranteed.

Sources: Guo et al., On Calibration of Modern Neural Networks, ICML 2017 (temperature); Sadinle, Lei and
Wasserman, Least Ambiguous Set-Valued Classifiers with Bounded Error Levels, JASA 2019 (split conformal sets).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from legible.ctc import log_probabilities, log_softmax
from legible.errors import ArgumentError
from legible.evaluation.metrics import softmax

ACCEPTED = 0.99  # of the held-out digits, at the limit of refusal
ERROR_RATES = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)  # that sets are made for
_RANGE, _STEPS = (0.05, 20.0), 40  # of temperatures; of a search that leaves a ten-thousandth of it


def fit_temperature(loss: Callable[[float], float]) -> float:
    """The temperature with the least loss: golden-section search, its logarithm taken as even.

    loss: of a temperature, the mean negative log probability of the truth.
    """
    low, high = (math.log(end) for end in _RANGE)
    ratio = (math.sqrt(5) - 1) / 2
    inner = [high - ratio * (high - low), low + ratio * (high - low)]
    losses = [loss(math.exp(place)) for place in inner]
    for _ in range(_STEPS):
        if losses[0] < losses[1]:
            high, inner[1], losses[1] = inner[1], inner[0], losses[0]
            inner[0] = high - ratio * (high - low)
            losses[0] = loss(math.exp(inner[0]))
        else:
            low, inner[0], losses[0] = inner[0], inner[1], losses[1]
            inner[1] = low + ratio * (high - low)
            losses[1] = loss(math.exp(inner[1]))
    return math.exp((low + high) / 2)


def class_loss(logits: np.ndarray, labels: np.ndarray) -> Callable[[float], float]:
    """The mean negative log probability of the right classes (N,), as the temperature of logits (N, K)."""
    wide = logits.astype(np.float64)
    right = wide[np.arange(len(labels)), labels]

    def loss(temperature: float) -> float:
        return float(np.mean(np.logaddexp.reduce(wide / temperature, axis=1) - right / temperature))

    return loss


def text_loss(batches: Sequence[tuple[np.ndarray, list[list[int]]]]) -> Callable[[float], float]:
    """The mean negative log probability of what lines say. batches: logits (n, 1 + K, T) and n texts each."""
    n_lines = sum(len(texts) for _, texts in batches)

    def loss(temperature: float) -> float:
        total = 0.0
        for logits, texts in batches:
            logs = log_softmax(logits.astype(np.float64) / temperature)
            total -= float(log_probabilities(logs, texts).sum())
        return total / n_lines

    return loss


def find_limits(logits: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """What a card says of a classifier's confidence, found on images that it did not learn from.

    logits: (N, K), their temperature set. Returns `refuse_below`, the probability that all but a hundredth
    reach, and `sets`: for each rate of errors the least probability of a class to be in the set.
    """
    odds = softmax(logits)
    of_right = np.sort(odds[np.arange(len(labels)), labels])
    return {
        "n": len(labels),
        "refuse_below": float(np.quantile(odds.max(axis=1), 1 - ACCEPTED)),
        "sets": [[rate, least_probability(of_right, rate)] for rate in ERROR_RATES],
    }


def least_probability(of_right: np.ndarray, error_rate: float) -> float:
    """The probability that a class must have to be in the set, so that at most so many sets miss the truth.

    of_right: (n,) the held-out probabilities of the right classes, sorted. Of n + 1 exchangeable images the
    last is as likely to be at any place among them: the k-th smallest is undercut with probability at most
    k / (n + 1). Raises ArgumentError for a rate outside 0 to 1.
    """
    if not 0 < error_rate < 1:
        raise ArgumentError(f"an error rate lies between 0 and 1, not {error_rate:g}.")
    k = math.floor(error_rate * (len(of_right) + 1))
    return float(of_right[k - 1]) if k else 0.0
