"""How likely a generative model finds images it has not seen, in nats: the importance-weighted bound."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from legible.errors import ArgumentError, InputError, ModelError

Weigh = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
Progress = Callable[[int, int], None]  # images done, images in all
_SAMPLES_AT_ONCE = 50  # so many share one look at their image


@dataclass(frozen=True)
class Bound:
    """An upper bound of the negative log-likelihood, in nats per image: less is better.

    nats: the mean over the images of -log((1/k) sum_i w_i) with k = n_samples. standard_error: of that mean,
    over the images. elbo_nats: the same with one sample (the negative evidence lower bound), from the same
    samples. For a model that is told the class, all are of log p(image | class).
    """

    nats: float
    standard_error: float
    elbo_nats: float
    n_images: int
    n_samples: int

    def without_label(self, n_classes: int) -> float:
        """What this says of images whose class is not told: nats + log n_classes, for equally likely classes.

        p(image) = mean over the classes of p(image | class), which is at least 1 / n_classes of the true
        class's part. Only this may be compared with figures of models that know no classes: for ten
        classes it is 2.30 nats more.
        """
        return self.nats + math.log(n_classes)


def importance_weighted_bound(
    weigh: Weigh, images: np.ndarray, labels: np.ndarray, *, n_samples: int = 500, batch_size: int = 500,
    progress: Progress | None = None,
) -> Bound:  # fmt: skip
    """Estimate how likely a model finds images: nearer to the truth the more samples.

    weigh: images (n, C, H, W), labels (n,) and k -> k log importance weights of each image, (n, k), fresh
    ones each time: log p(image, latents) - log q(latents | image). images: of 0 and 1 where pixels are
    Bernoulli. batch_size: weights that are made at once. Its time is n_images * n_samples drawings;
    progress is told of it.
    Raises InputError for no image, ArgumentError for no sample, ModelError for a weight that is no number.
    Source: Burda, Grosse and Salakhutdinov, "Importance Weighted Autoencoders", 2016.
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
        sums = [_sum_weights(weigh(images[part], labels[part], n), first) for n in counts]
        bounds[part] = np.logaddexp.reduce([log_sum for log_sum, _ in sums]) - math.log(n_samples)
        elbos[part] = np.sum([total for _, total in sums], axis=0) / n_samples
        if progress is not None:
            progress(min(part.stop, len(images)), len(images))
    spread = float(bounds.std(ddof=1)) if len(bounds) > 1 else math.nan
    error = spread / math.sqrt(len(bounds))
    return Bound(float(-bounds.mean()), error, float(-elbos.mean()), len(images), n_samples)


def _sum_weights(log_weights: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray]:
    """The logarithm of the sum of the weights (n, k) of each image, and the sum of their logarithms.

    first: the number of the first of these images.
    """
    log_weights = log_weights.astype(np.float64)
    finite = np.isfinite(log_weights).all(axis=1)
    if not finite.all():
        raise ModelError(
            f"the likelihood of image {first + int(finite.argmin())} is no finite number: the model's "
            "weights are damaged or its training diverged. Train it again."
        )
    return np.logaddexp.reduce(log_weights, axis=1), log_weights.sum(axis=1)
