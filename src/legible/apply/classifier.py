"""Use a saved classifier: images in, probabilities out. Needs no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from legible.apply.runtime import Predict
from legible.cards import Card


@dataclass(frozen=True, slots=True)
class Answer:
    """What one image was taken for, and how surely: a probability in [0, 1]."""

    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class Classifier:
    """A saved classifier, loaded once and ready for any number of images."""

    card: Card
    run: Predict

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the probabilities."""
        return self.card.classes

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Tell for each image how probable each class is.

        images: (N, C, H, W) float32 in [0, 1], 1 = ink, of the size in `card.image_shape`; from_array makes
        them of anything else. Returns (N, K) float32 in [0, 1], rows that sum to 1, columns as `classes`.
        Raises InputError for images of another kind or size.
        """
        logits = self.run(images)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))  # the largest is 1: no overflow
        probabilities: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
        return probabilities

    def name(self, images: np.ndarray) -> list[Answer]:
        """Name each image's most probable class. images: as `predict` takes them."""
        probabilities = self.predict(images)
        best = zip(probabilities.argmax(axis=1), probabilities.max(axis=1), strict=True)
        return [Answer(self.classes[index], float(probability)) for index, probability in best]
