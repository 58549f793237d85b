"""What drawings are worth: as asked, as varied and as natural as real digits, and no copies of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from legible.errors import InputError
from legible.evaluation.metrics import accuracy

_MOST_PER_CLASS = 2000  # every pair is measured: 2,000 images are two million pairs
_NEAR_QUANTILE = 0.01


@dataclass(frozen=True)
class Diversity:
    """How varied the drawings of a class are beside as many real images of that class; 1 is as varied.

    spread: the mean distance between two drawings over that between two real images, the mean over classes;
    0 where a class has one drawing only, again and again. spread_per_class: in the order of the class
    numbers. distinct: share of drawings no nearer to another of their class than all but 1 % of the real
    images are to theirs; so about 0.99 for real images.
    """

    spread: float
    distinct: float
    spread_per_class: tuple[float, ...]


def share_read_as_asked(logits: np.ndarray, asked: np.ndarray) -> float:
    """Tell which share of drawings a classifier reads as the class that was asked for.

    logits: (N, K), the classifier's answers to the drawings. asked: (N,) classes. Returns a fraction.
    """
    return accuracy(asked, logits.argmax(axis=1))


def frechet_distance(features: np.ndarray, others: np.ndarray) -> float:
    """Measure how far two sets of images are apart, as a classifier sees them: 0 for the same distribution.

    features, others: (N, F) and (M, F), for instance what a classifier gives to its last layer. Fits a normal
    distribution to each: |m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2)). Depends on the features and, for
    small sets, on N: compare figures of the same classifier and count only, and beside that of real against
    real. Raises InputError for sets that do not go together.
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
    drawn: np.ndarray, drawn_labels: np.ndarray, real: np.ndarray, real_labels: np.ndarray
) -> Diversity:
    """Measure how varied drawings are, class by class, beside real images.

    drawn, real: (N, C, H, W) and (M, C, H, W) float32 in [0, 1], both grey or both binary: a mean of many
    digits is nearer to all than any digit is. Of each class, as many images are taken of one as of the
    other, the first ones, at most 2,000. Raises InputError where a class has fewer than two of either.
    """
    spreads, shares = [], []
    for label in np.unique(drawn_labels):
        pictures, models = drawn[drawn_labels == label], real[real_labels == label]
        n = min(len(pictures), len(models), _MOST_PER_CLASS)
        if n < 2:
            raise InputError(
                f"class {label} has {len(pictures)} drawings and {len(models)} real images; give two of each."
            )
        spread, nearest = _distances_within(pictures[:n])
        real_spread, real_nearest = _distances_within(models[:n])
        if real_spread == 0:
            raise InputError(f"the real images of class {label} are all the same: nothing to compare with.")
        spreads.append(spread / real_spread)
        shares.append(float(np.mean(nearest >= np.quantile(real_nearest, _NEAR_QUANTILE))))
    return Diversity(float(np.mean(spreads)), float(np.mean(shares)), tuple(spreads))


def nearest_neighbours(
    images: np.ndarray, training: np.ndarray, *, n_at_once: int = 500
) -> tuple[np.ndarray, np.ndarray]:
    """Find for each image the training image that is nearest to it: has it been copied?

    images: (N, C, H, W), training: (M, C, H, W). n_at_once: images compared at a time with all of
    training. Returns indices into training (N,) and Euclidean distances over all pixels (N,), exact. How
    near is too near is told by the same distances of real images that were not trained on.
    Raises InputError for none, or for shapes that differ.
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
        # |a - b|^2 without |a|^2, which is the same for every b; float64, so that no near tie is misjudged
        indices[part] = (lengths - 2 * _flatten(images[part]) @ known.T).argmin(axis=1)
    distances = np.sqrt(np.square(_flatten(images) - known[indices]).sum(axis=1))
    return indices, distances


def _flatten(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float64)


def _moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    features = features.astype(np.float64)
    return features.mean(axis=0), np.atleast_2d(np.cov(features, rowvar=False))


def _distances_within(images: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean distance between two of the images, and each one's distance to the nearest other (N,)."""
    points = _flatten(images)
    lengths = np.square(points).sum(axis=1)
    squares = (lengths[:, None] + lengths - 2 * points @ points.T).clip(min=0)
    distances = np.sqrt(squares)
    distances[np.diag_indices(len(points))] = 0
    mean = float(distances.sum() / (len(points) * (len(points) - 1)))
    distances[np.diag_indices(len(points))] = np.inf
    return mean, distances.min(axis=1)
