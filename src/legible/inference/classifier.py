"""Saved classifiers: images in, probabilities out. Needs no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from legible.cards import Card
from legible.errors import ArgumentError
from legible.images import Predict
from legible.inference.runtime import load_runtime
from legible.softmax import softmax


@dataclass(frozen=True, slots=True)
class Prediction:
    """The predicted class of one image, and its probability in [0, 1]."""

    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class Classifier:
    """A saved classifier, loaded once and ready for any number of images."""

    card: Card
    run: Predict

    @classmethod
    def load(cls, card: Card, *, n_cores: int | None = None, ahead: bool = False) -> Self:
        """The model of a card; n_cores, ahead: see runtime.load_runtime. Raises ModelError."""
        return cls(card, load_runtime(card, n_cores=n_cores, ahead=ahead))

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the probabilities."""
        return self.card.classes

    @property
    def rejection_threshold(self) -> float:
        """The probability that 99 % of held-out images reach; 0 if the card has none."""
        return float(self.card.confidence.get("refuse_below", 0.0))

    def least_probability(self, error_rate: float) -> float:
        """The least probability of a class in an image's prediction set.

        For images like the held-out ones, the sets miss the right class at most at this rate: split conformal
        prediction (evaluation.calibrate). Raises ArgumentError if the card has no rate as low as this.
        """
        sets = self.card.confidence.get("sets", [])
        fitting = [(rate, least) for rate, least in sets if rate <= error_rate]
        if not fitting or not error_rate < 1:
            rates = ", ".join(f"{rate:g}" for rate, _ in sets) or "none"
            raise ArgumentError(
                f"model {self.card.name!r} guarantees no error rate of {error_rate:g}. It has: {rates}."
            )
        return float(max(fitting)[1])

    def predict(self, images: np.ndarray) -> np.ndarray:
        """The probability of each class for each image.

        images: (N, C, H, W) float32 in [0, 1], 1 = ink, of the size in `card.image_shape`; images.from_array
        converts other arrays. Returns (N, K) float32 in [0, 1]; rows sum to 1, columns are in the order of
        `classes`. Raises InputError for images of another type or size.
        """
        return softmax(self.run(images))

    def classify(self, images: np.ndarray) -> list[Prediction]:
        """The most probable class of each image. images: as for `predict`."""
        probabilities = self.predict(images)
        best = zip(probabilities.argmax(axis=1), probabilities.max(axis=1), strict=True)
        return [Prediction(self.classes[index], float(probability)) for index, probability in best]
