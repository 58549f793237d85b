"""Metrics of generated images: requested class, likeness to real images, diversity, and copies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from legible.errors import InputError
from legible.evaluation.metrics import accuracy

_MOST_PER_CLASS = 2000  # images; all pairs are compared, two million of 2,000 images
_NEAR_QUANTILE = 0.01


@dataclass(frozen=True)
class Diversity:
    """The diversity of generated images, relative to equally many real images.

    spread: the mean distance between two generated images of a class divided by that of real images, the mean
    over the classes; 1 is as diverse as real images, 0 the same image every time. spread_per_class: in the
    order of the class numbers. distinct: the share of generated images whose nearest neighbour in their class
    is not closer than the closest 1 % of real images have theirs; about 0.99 for real images.
    """

    spread: float
    distinct: float
    spread_per_class: tuple[float, ...]


def share_read_as_asked(logits: np.ndarray, asked: np.ndarray) -> float:
    """The share of generated images that a classifier reads as the requested class.

    logits: (N, K), the classifier's for the generated images. asked: (N,) requested classes. Returns a
    fraction.
    """
    return accuracy(asked, logits.argmax(axis=1))


def frechet_distance(features: np.ndarray, others: np.ndarray) -> float:
    """The Fréchet distance between two sets of images in a classifier's features: 0 for equal distributions.

    features, others: (N, F) and (M, F), such as inputs of a classifier's last layer. A normal distribution is
    fitted to each: |m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2)). It depends on the features and, for small
    sets, on N: compare only figures of the same classifier and count, and with that between two sets of real
    images. Raises InputError for sets of different widths or fewer than two images.
    Source: Dowson and Landau, 1982; Heusel et al., 2017, for images.
    """
    if features.ndim != 2 or others.ndim != 2 or features.shape[1] != others.shape[1]:
        raise InputError(f"features must be (N, F) and (M, F), got {features.shape} and {others.shape}.")
    if min(len(features), len(others)) < 2:
        raise InputError("a Fréchet distance needs at least two images in each set.")
    (mean, covariance), (other_mean, other_covariance) = _moments(features), _moments(others)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(values.clip(min=0)) @ vectors.T
    # C1 C2 has the eigenvalues of the symmetric C1^(1/2) C2 C1^(1/2), which are never negative
    shared = np.linalg.eigvalsh(root @ other_covariance @ root).clip(min=0)
    apart = np.square(mean - other_mean).sum()
    distance = apart + np.trace(covariance) + np.trace(other_covariance) - 2 * np.sqrt(shared).sum()
    return max(float(distance), 0.0)  # equal sets give 0 up to rounding


def measure_diversity(
    generated: np.ndarray, generated_labels: np.ndarray, real: np.ndarray, real_labels: np.ndarray
) -> Diversity:
    """Compare the diversity of generated and real images, class by class.

    generated, real: (N, C, H, W) and (M, C, H, W) float32 in [0, 1], both grey or both binary: distances
    between grey images are smaller. Equally many of both are compared in each class, the first ones, at most
    2,000. Raises InputError if a class has fewer than two of either.
    """
    spreads, shares = [], []
    for label in np.unique(generated_labels):
        made, others = generated[generated_labels == label], real[real_labels == label]
        n = min(len(made), len(others), _MOST_PER_CLASS)
        if n < 2:
            raise InputError(
                f"class {label} has {len(made)} generated and {len(others)} real images; give two of each."
            )
        spread, nearest = _distances_within(made[:n])
        real_spread, real_nearest = _distances_within(others[:n])
        if real_spread == 0:
            raise InputError(f"the real images of class {label} are all equal, so they have no diversity.")
        spreads.append(spread / real_spread)
        shares.append(float(np.mean(nearest >= np.quantile(real_nearest, _NEAR_QUANTILE))))
    return Diversity(float(np.mean(spreads)), float(np.mean(shares)), tuple(spreads))


def nearest_neighbours(
    images: np.ndarray, training: np.ndarray, *, n_at_once: int = 500
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest training image of each image, to detect copies.

    images: (N, C, H, W), training: (M, C, H, W). n_at_once: images compared at a time with all of `training`.
    Returns indices into training (N,) and Euclidean distances over all pixels (N,), exact. For comparison,
    use the same distances of real images that were not trained on.
    Raises InputError without images, or for different shapes.
    """
    if images.shape[1:] != training.shape[1:] or not images.size or not training.size:
        raise InputError(
            f"nearest neighbours need images of one shape, got {images.shape} and {training.shape}."
        )
    known = _flatten(training)
    lengths = np.square(known).sum(axis=1)
    indices = np.empty(len(images), np.int64)
    for first in range(0, len(images), n_at_once):
        part = slice(first, first + n_at_once)
        # |a - b|^2 without |a|^2, which is the same for every b; in float64 for near ties
        indices[part] = (lengths - 2 * _flatten(images[part]) @ known.T).argmin(axis=1)
    distances = np.sqrt(np.square(_flatten(images) - known[indices]).sum(axis=1))
    return indices, distances


def _flatten(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float64)


def _moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    features = features.astype(np.float64)
    return features.mean(axis=0), np.atleast_2d(np.cov(features, rowvar=False))


def _distances_within(images: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean distance between two images, and each image's distance to its nearest neighbour (N,)."""
    points = _flatten(images)
    lengths = np.square(points).sum(axis=1)
    squares = (lengths[:, None] + lengths - 2 * points @ points.T).clip(min=0)
    distances = np.sqrt(squares)
    distances[np.diag_indices(len(points))] = 0
    mean = float(distances.sum() / (len(points) * (len(points) - 1)))
    distances[np.diag_indices(len(points))] = np.inf
    return mean, distances.min(axis=1)
