"""The likelihood of images under a generative model, in nats: the importance-weighted bound."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from legible.errors import ArgumentError, InputError, ModelError

SampleLogWeights = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
Progress = Callable[[int, int], None]  # images done, images in total
_SAMPLES_AT_ONCE = 50  # per image; they share one pass of the encoder


@dataclass(frozen=True)
class Bound:
    """An upper bound of the negative log-likelihood, in nats per image: less is better.

    nats: the mean over the images of -log((1/k) sum_i w_i) with k = n_samples. standard_error: of that mean,
    over the images. elbo_nats: the same with one sample (the negative evidence lower bound), from the same
    samples. For a conditional model, all are of log p(image | class).
    """

    nats: float
    standard_error: float
    elbo_nats: float
    n_images: int
    n_samples: int

    def without_label(self, n_classes: int) -> float:
        """The bound of log p(image) without the class: nats + log n_classes, for equally likely classes.

        p(image) is the mean over the classes of p(image | class), so at least 1 / n_classes times that of the
        true class. Only this is comparable with unconditional models; for ten classes it is 2.30 nats more.
        """
        return self.nats + math.log(n_classes)


def importance_weighted_bound(
    log_weights: SampleLogWeights, images: np.ndarray, labels: np.ndarray, *, n_samples: int = 500,
    batch_size: int = 500,
    progress: Progress | None = None,
) -> Bound:  # fmt: skip
    """Estimate the likelihood of images under a model; more samples give a tighter bound.

    log_weights: images (n, C, H, W), labels (n,) and k -> k log importance weights per image, (n, k), new
    ones in each call: log p(image, latents) - log q(latents | image). images: binary if the pixels are
    Bernoulli. batch_size: weights computed at once. The time is that of generating n_images * n_samples
    images; progress is called meanwhile.
    Raises InputError without images, ArgumentError without samples, ModelError for a weight that is not
    finite. Source: Burda, Grosse and Salakhutdinov, "Importance Weighted Autoencoders", 2016.
    """
    if len(images) == 0 or len(images) != len(labels):
        raise InputError(f"a bound needs images with a label each, not {len(images)} and {len(labels)}.")
    if n_samples < 1 or batch_size < 1:
        raise ArgumentError(f"n_samples and batch_size must be 1 or more, not {n_samples} and {batch_size}.")
    at_once = min(n_samples, _SAMPLES_AT_ONCE, batch_size)
    counts = [min(at_once, n_samples - done) for done in range(0, n_samples, at_once)]
    n_images_at_once = max(1, batch_size // at_once)
    bounds, elbos = np.empty(len(images)), np.empty(len(images))
    for first in range(0, len(images), n_images_at_once):
        part = slice(first, first + n_images_at_once)
        sums = [_sum_weights(log_weights(images[part], labels[part], n), first) for n in counts]
        bounds[part] = np.logaddexp.reduce([log_sum for log_sum, _ in sums]) - math.log(n_samples)
        elbos[part] = np.sum([total for _, total in sums], axis=0) / n_samples
        if progress is not None:
            progress(min(part.stop, len(images)), len(images))
    spread = float(bounds.std(ddof=1)) if len(bounds) > 1 else math.nan
    error = spread / math.sqrt(len(bounds))
    return Bound(float(-bounds.mean()), error, float(-elbos.mean()), len(images), n_samples)


def _sum_weights(log_weights: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray]:
    """The log of the sum of the weights (n, k) of each image, and the sum of their logs.

    first: the index of the first of these images, for error messages.
    """
    log_weights = log_weights.astype(np.float64)
    finite = np.isfinite(log_weights).all(axis=1)
    if not finite.all():
        raise ModelError(
            f"the likelihood of image {first + int(finite.argmin())} is not finite: the model's weights are "
            "damaged or its training diverged. Train it again."
        )
    return np.logaddexp.reduce(log_weights, axis=1), log_weights.sum(axis=1)
