"""Evaluate a generator: the likelihood of real images, and the quality of generated ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from legible.data.split import Labelled
from legible.evaluation.generation_metrics import frechet_distance, measure_diversity, share_read_as_asked
from legible.evaluation.likelihood import Progress, SampleLogWeights, importance_weighted_bound
from legible.images import Predict
from legible.seeds import rng_for

Generate = Callable[[np.ndarray, np.random.Generator], np.ndarray]  # labels (N,) -> images (N, C, H, W)


@dataclass(frozen=True)
class GenerationReport:
    """The evaluation of one generator.

    bound_nats: the importance-weighted bound of the negative log-likelihood of the test images, with
    n_samples each, and its standard error over the images; elbo_nats: the same with one sample. A conditional
    model is given the class; only bound_without_label_nats is comparable with unconditional models.
    The other figures are of n_drawn generated images, equally many of each class, and None without a suitable
    classifier: read_as_asked, the fraction that it reads as the requested class; frechet, the distance to
    real images in the classifier's logits; frechet_of_real, that between two halves of the real images;
    diversity and distinct: see measure_diversity.
    """

    n_images: int
    n_samples: int
    bound_nats: float
    bound_error_nats: float
    bound_without_label_nats: float
    elbo_nats: float
    n_drawn: int
    read_as_asked: float | None
    frechet: float | None
    frechet_of_real: float | None
    diversity: float
    distinct: float

    @property
    def scores(self) -> dict[str, Any]:
        """The figures that rows and cards store."""
        return asdict(self)

    def to_json(self) -> dict[str, Any]:
        """The whole report as a dictionary."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain


def evaluate_generator(
    log_weights: SampleLogWeights, generate: Generate, binary: Labelled, grey: np.ndarray, *, n_samples: int,
    n_generated: int = 10_000,
    conditional: bool = True, read: Predict | None = None, progress: Progress | None = None,
) -> GenerationReport:  # fmt: skip
    """Evaluate a generator on real images and on images that it generates.

    log_weights: see importance_weighted_bound. generate: labels and an rng -> grey images (N, C, H, W);
    called with equally many of each class and a fixed seed. binary: the real images binarised, for the bound;
    grey: the same in grey, to compare generated ones with. conditional: whether the model is given the class.
    read: a classifier of the same classes, whose logits also serve as features. progress: called during the
    bound, which takes nearly all of the time.
    """
    bound = importance_weighted_bound(
        log_weights, binary.images, binary.labels, n_samples=n_samples, progress=progress
    )
    n_classes = len(binary.classes)
    requested = np.arange(n_generated) % n_classes
    rng = rng_for("drawings")
    generated = generate(requested, rng)
    diversity = measure_diversity(generated, requested, grey, binary.labels)
    read_as_asked = frechet = frechet_of_real = None
    if read is not None:
        logits, real_logits = read(generated), read(grey)
        order = rng.permutation(len(grey))
        halves = real_logits[order[::2]], real_logits[order[1::2]]
        read_as_asked = share_read_as_asked(logits, requested)
        frechet, frechet_of_real = frechet_distance(logits, real_logits), frechet_distance(*halves)
    return GenerationReport(
        n_images=len(grey),
        n_samples=n_samples,
        bound_nats=bound.nats,
        bound_error_nats=bound.standard_error,
        bound_without_label_nats=bound.without_label(n_classes if conditional else 1),
        elbo_nats=bound.elbo_nats,
        n_drawn=n_generated,
        read_as_asked=read_as_asked if conditional else None,
        frechet=frechet,
        frechet_of_real=frechet_of_real,
        diversity=diversity.spread,
        distinct=diversity.distinct,
    )
