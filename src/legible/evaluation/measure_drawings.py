"""Judge a model that draws: how likely it finds real images, and how real, varied and obedient its own
are.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from legible.data.split import Labelled
from legible.evaluation.drawing import frechet_distance, measure_diversity, share_read_as_asked
from legible.evaluation.likelihood import Progress, Weigh, importance_weighted_bound
from legible.seeds import rng_for

Draw = Callable[[np.ndarray, np.random.Generator], np.ndarray]  # labels (N,) -> images (N, C, H, W)
Read = Callable[[np.ndarray], np.ndarray]  # images -> logits (N, K), which serve as features too


@dataclass(frozen=True)
class Drawings:
    """All that was measured of one model that draws.

    bound_nats: the importance-weighted bound of the negative log-likelihood of the test images, n_samples
    each, with its standard error over the images; elbo_nats: the same with one sample. Given the class,
    where the model is told it; bound_without_label_nats is what may be compared with models that are not.
    The rest is of n_drawn drawings, as many of each class, as a classifier reads them; None where no
    classifier goes with them: read_as_asked, a fraction; frechet, the distance to the real images in the
    classifier's logits, and frechet_of_real, what as many other real images have; diversity and distinct as
    measure_diversity tells.
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
        """What rows and cards keep of it."""
        return asdict(self)

    def to_json(self) -> dict[str, Any]:
        """Everything as a plain dictionary."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain


def judge_drawings(
    weigh: Weigh, draw: Draw, binary: Labelled, grey: np.ndarray, *, n_samples: int, n_drawn: int = 10_000,
    told: bool = True, read: Read | None = None, progress: Progress | None = None,
) -> Drawings:  # fmt: skip
    """Judge a model that draws on real images and on its own drawings.

    weigh: as importance_weighted_bound takes it. draw: labels and a generator -> drawings (N, C, H, W),
    grey; as many of each class, from a fixed seed. binary, grey: the real images as 0 and 1, for the bound,
    and before that, beside the drawings. told: whether the model is told the class. read: a classifier of
    the same classes. progress: told how far the bound is, which takes nearly all of the time.
    """
    bound = importance_weighted_bound(
        weigh, binary.images, binary.labels, n_samples=n_samples, progress=progress
    )
    n_classes = len(binary.classes)
    asked = np.arange(n_drawn) % n_classes
    rng = rng_for("drawings")
    drawn = draw(asked, rng)
    varied = measure_diversity(drawn, asked, grey, binary.labels)
    read_as_asked = frechet = frechet_of_real = None
    if read is not None:
        answers, answers_to_real = read(drawn), read(grey)
        order = rng.permutation(len(grey))
        halves = answers_to_real[order[::2]], answers_to_real[order[1::2]]
        read_as_asked = share_read_as_asked(answers, asked)
        frechet, frechet_of_real = frechet_distance(answers, answers_to_real), frechet_distance(*halves)
    return Drawings(
        n_images=len(grey),
        n_samples=n_samples,
        bound_nats=bound.nats,
        bound_error_nats=bound.standard_error,
        bound_without_label_nats=bound.without_label(n_classes if told else 1),
        elbo_nats=bound.elbo_nats,
        n_drawn=n_drawn,
        read_as_asked=read_as_asked if told else None,
        frechet=frechet,
        frechet_of_real=frechet_of_real,
        diversity=varied.spread,
        distinct=varied.distinct,
    )
