"""The input and the output of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from legible.data.split import Labelled
from legible.images import Predict
from legible.noise import add_fixed_noise


class EvaluationReport(Protocol):
    """The evaluation of one model on one set of images."""

    @property
    def scores(self) -> dict[str, Any]:
        """The figures that rows and cards store."""
        ...

    def to_json(self) -> dict[str, Any]:
        """The whole report as dictionaries, lists, text and unrounded numbers."""
        ...


@dataclass(frozen=True)
class EvaluationSet:
    """A model's input images with their labels, and the same images without noise.

    seen: N images and labels. clean: (N, C, H, W) float32 in [0, 1], 1 = ink. by_kind: the labels are kinds
    of noise, so that each kind is also evaluated separately.
    """

    seen: Labelled
    clean: np.ndarray
    by_kind: bool = False


def make_evaluation_set(
    data: Labelled,
    dataset: str,
    noise: str,
    *,
    stream: str = "test noise",
    seed: int = 0,
    restore: Predict | None = None,
) -> EvaluationSet:
    """An evaluation set with a noise.

    noise: specs joined by '+', or `clean`. The noise depends only on stream, dataset, noise and seed, so that
    all models are evaluated on the same noisy images. restore: a last step for noisy images, such as a
    denoiser.
    """
    found, seeds = data.as_input(), (seed,) if seed else ()
    images = add_fixed_noise(found.images, noise, stream=stream, dataset=dataset, seeds=seeds)
    seen = replace(found, images=images if restore is None else restore(images))
    return EvaluationSet(seen, data.images, by_kind=data.noisy is not None)
