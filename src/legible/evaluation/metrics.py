"""Metrics of classifiers, in pure NumPy.

In all functions: N images, K classes, labels (N,) integers in 0 ... K-1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from legible.errors import ArgumentError, InputError
from legible.softmax import log_softmax


@dataclass(frozen=True)
class ClassScore:
    """The scores of one class, fractions in [0, 1]; support: its number of images."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class ReliabilityBin:
    """The images whose top probability is in (low, high]: their mean confidence and their accuracy."""

    low: float
    high: float
    n_images: int
    confidence: float
    accuracy: float


class Spread(NamedTuple):
    """The mean of n values and their sample standard deviation, None for a single value."""

    mean: float
    std: float | None
    n: int


def accuracy(labels: np.ndarray, predicted: np.ndarray) -> float:
    """The fraction of correct predictions.

    labels, predicted: (N,) integers. Returns a fraction in [0, 1].
    Raises InputError for no images, or different counts.
    """
    _check_counts(labels, predicted)
    return float(np.mean(labels == predicted))


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """The cross-entropy of the labels.

    logits: (N, K); labels: (N,). Returns the mean of -log p(true class) over the images, in nats:
    0 is perfect, log K is a uniform guess. Raises InputError for no images, or different counts.
    """
    return float(image_losses(logits, labels).mean())


def image_losses(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The cross-entropy of each image.

    logits: (N, K); labels: (N,). Returns (N,) float64 >= 0, in nats.
    Raises InputError for no images, or different counts.
    """
    _check_counts(labels, logits)
    return np.asarray(-log_softmax(logits.astype(np.float64))[np.arange(len(labels)), labels])


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """Count how often each class was predicted as each.

    labels, predicted: (N,) integers in 0 ... n_classes-1. Returns (K, K) int64 counts: row = true,
    column = predicted.
    Raises InputError for no images, different counts, or a class outside the range.
    """
    _check_counts(labels, predicted)
    for what, values in (("labels", labels), ("predicted", predicted)):
        if values.min() < 0 or values.max() >= n_classes:
            raise InputError(
                f"{what} must lie in 0 ... {n_classes - 1}, found {values.min()} to {values.max()}."
            )
    cells = np.bincount(labels.astype(np.int64) * n_classes + predicted, minlength=n_classes * n_classes)
    return cells.reshape(n_classes, n_classes)


def per_class(confusion: np.ndarray) -> list[ClassScore]:
    """The scores of each class: precision, recall, F1 and support.

    confusion: (K, K) counts, row = true. Returns K scores in the order of the classes. The precision of a
    class that was never predicted and the recall of one without images are 0 (scikit-learn's
    zero_division=0).
    """
    right, support, n_predicted = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    precision = right / np.maximum(n_predicted, 1)
    recall = right / np.maximum(support, 1)
    f1 = 2 * right / np.maximum(support + n_predicted, 1)  # the harmonic mean, written without 0 / 0
    columns = zip(precision, recall, f1, support, strict=True)
    return [ClassScore(float(p), float(r), float(f), int(n)) for p, r, f, n in columns]


def wilson_interval(n_right: int, n_total: int, confidence: float = 0.95) -> tuple[float, float]:
    """The confidence interval of an accuracy, given the number of correct predictions.

    Returns (low, high), fractions in [0, 1]. Unlike mean +- 1.96 standard errors it is reliable near 100 %.
    Raises InputError unless 0 <= n_right <= n_total and n_total >= 1, ArgumentError unless
    0 < confidence < 1.
    Source: E. B. Wilson, "Probable inference", J. Am. Stat. Assoc. 22 (1927) 209-212.
    """
    if not 0 <= n_right <= n_total or n_total < 1:
        raise InputError(
            f"an interval needs 0 <= right <= total and at least one image, got {n_right} of {n_total}."
        )
    if not 0 < confidence < 1:
        raise ArgumentError(f"confidence must lie between 0 and 1, got {confidence}.")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = n_right / n_total
    centre = share + z * z / (2 * n_total)
    reach = z * math.sqrt(share * (1 - share) / n_total + (z / (2 * n_total)) ** 2)
    scale = 1 + z * z / n_total
    # exactly 0 or 1 if none or all are right; rounding would leave 1e-17
    low = 0.0 if n_right == 0 else (centre - reach) / scale
    high = 1.0 if n_right == n_total else (centre + reach) / scale
    return low, high


def reliability(probabilities: np.ndarray, labels: np.ndarray, n_bins: int = 15) -> list[ReliabilityBin]:
    """Group the images by confidence, to compare confidence and accuracy.

    probabilities: (N, K) in [0, 1]; labels: (N,). The bins (0, 1/n], (1/n, 2/n] ... have equal widths; empty
    ones are left out. Raises InputError for no images or different counts, ArgumentError for n_bins < 1.
    """
    _check_counts(labels, probabilities)
    if n_bins < 1:
        raise ArgumentError(f"n_bins must be at least 1, got {n_bins}.")
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, n_bins + 1)
    bin_of = np.digitize(confidence, edges[1:-1], right=True)
    members = [(i, bin_of == i) for i in np.unique(bin_of)]
    return [
        ReliabilityBin(
            float(edges[i]),
            float(edges[i + 1]),
            int(inside.sum()),
            float(confidence[inside].mean()),
            float(right[inside].mean()),
        )
        for i, inside in members
    ]


def calibration_error(probabilities: np.ndarray, labels: np.ndarray, n_bins: int = 15) -> float:
    """The expected calibration error of the top class.

    probabilities: (N, K) in [0, 1]; labels: (N,). Returns a fraction in [0, 1]: 0.02 means that confidence
    and accuracy differ by two percentage points on average. Raises the errors of `reliability`.
    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, eq. 3.
    """
    return binned_calibration_error(reliability(probabilities, labels, n_bins))


def binned_calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """The mean difference between confidence and accuracy over the bins, weighted by their images."""
    gaps = sum(b.n_images * abs(b.accuracy - b.confidence) for b in bins)
    return gaps / sum(b.n_images for b in bins)


def mean_and_spread(values: Sequence[float] | np.ndarray) -> Spread:
    """The mean and sample standard deviation (n - 1 in the denominator) of several runs.

    The std is None for a single value. Raises InputError without values.
    """
    if len(values) == 0:
        raise InputError("no values to average: give at least one.")
    n = len(values)
    return Spread(float(np.mean(values)), float(np.std(values, ddof=1)) if n > 1 else None, n)


def _check_counts(labels: np.ndarray, predictions: np.ndarray) -> None:
    if len(labels) == 0:
        raise InputError("no labels to compare with: give at least one.")
    if len(labels) != len(predictions):
        raise InputError(
            f"{len(labels)} labels and {len(predictions)} predictions differ in number: give one per image."
        )
