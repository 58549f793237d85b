"""Calibrate confidences on held-out images: temperature, rejection threshold, and prediction sets.

Sources: Guo et al., On Calibration of Modern Neural Networks, ICML 2017 (temperature); Sadinle, Lei and
Wasserman, Least Ambiguous Set-Valued Classifiers with Bounded Error Levels, JASA 2019 (split conformal
prediction sets, which miss the right class at most at a guaranteed rate).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from legible.ctc import log_probabilities
from legible.errors import ArgumentError
from legible.softmax import log_softmax, softmax

ACCEPTED = 0.99  # share of the held-out digits above the rejection threshold
ERROR_RATES = (
    0.0005,
    0.001,
    0.002,
    0.005,
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
)  # for which a card has prediction sets
_RANGE, _PRECISION = (0.05, 20.0), 1e-5  # of the temperature; of its logarithm


def fit_temperature(loss: Callable[[float], float]) -> float:
    """The temperature with the least loss, by Brent's method on its logarithm.

    loss: temperature -> mean negative log probability of the true classes.
    """
    from scipy.optimize import minimize_scalar

    low, high = (math.log(end) for end in _RANGE)
    found = minimize_scalar(
        lambda log: loss(math.exp(log)), bounds=(low, high), method="bounded", options={"xatol": _PRECISION}
    )
    return math.exp(found.x)


def class_loss(logits: np.ndarray, labels: np.ndarray) -> Callable[[float], float]:
    """The mean negative log probability of the labels (N,) under logits (N, K), by temperature."""
    wide = logits.astype(np.float64)
    right = wide[np.arange(len(labels)), labels]

    def loss(temperature: float) -> float:
        return float(np.mean(np.logaddexp.reduce(wide / temperature, axis=1) - right / temperature))

    return loss


def text_loss(batches: Sequence[tuple[np.ndarray, list[list[int]]]]) -> Callable[[float], float]:
    """The mean negative log probability of lines' texts. batches: logits (n, 1 + K, T) and n texts each."""
    n_lines = sum(len(texts) for _, texts in batches)

    def loss(temperature: float) -> float:
        total = 0.0
        for logits, texts in batches:
            logs = log_softmax(logits.astype(np.float64) / temperature)
            total -= float(log_probabilities(logs, texts).sum())
        return total / n_lines

    return loss


def find_limits(logits: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """The confidence facts of a classifier's card, from images that it was not trained on.

    logits: (N, K), divided by the temperature. Returns `refuse_below`, the rejection threshold, which 99 % of
    the images reach, and `sets`: for each error rate, the least probability of a class in the prediction set.
    """
    probabilities = softmax(logits.astype(np.float64))
    of_right = np.sort(probabilities[np.arange(len(labels)), labels])
    return {
        "n": len(labels),
        "refuse_below": float(np.quantile(probabilities.max(axis=1), 1 - ACCEPTED)),
        "sets": [[rate, least_probability(of_right, rate)] for rate in ERROR_RATES],
    }


def least_probability(of_right: np.ndarray, error_rate: float) -> float:
    """The least probability of a class in the prediction set for an error rate.

    of_right: (n,) the held-out probabilities of the right classes, sorted. The rank of a new image among n +
    1 exchangeable ones is uniform, so its probability is below the k-th smallest with a probability of at
    most k / (n + 1). Raises ArgumentError for a rate outside 0 to 1.
    """
    if not 0 < error_rate < 1:
        raise ArgumentError(f"an error rate must lie between 0 and 1, not {error_rate:g}.")
    k = math.floor(error_rate * (len(of_right) + 1))
    return float(of_right[k - 1]) if k else 0.0
