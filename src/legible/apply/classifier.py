"""Use a saved classifier: images in, probabilities out. Needs no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from legible.apply.runtime import Predict
from legible.cards import Card
from legible.errors import ArgumentError


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

    @property
    def refuse_below(self) -> float:
        """The probability that all but a hundredth of held-out images reach; 0 where its card tells none."""
        return float(self.card.confidence.get("refuse_below", 0.0))

    def least_probability(self, error_rate: float) -> float:
        """The probability from which on a class belongs to the set of what an image may be.

        Of images like those held out, the sets miss the right class at most at that rate: split conformal
        prediction (evaluation.calibrate). Raises ArgumentError where the card tells nothing so strict.
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
