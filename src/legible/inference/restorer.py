"""Saved restorers: noisy images in, restored images out. Needs no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from legible.cards import Card, find_card
from legible.errors import ModelError
from legible.images import Predict
from legible.inference.runtime import Runtime, load_runtime
from legible.kinds import RESTORE


@dataclass(frozen=True, slots=True)
class Restorer:
    """A saved denoiser or autoencoder, loaded once and ready for any number of images."""

    card: Card
    run: Runtime

    @classmethod
    def load(cls, card: Card, *, n_cores: int | None = None, ahead: bool = False) -> Self:
        """The model of a card; n_cores, ahead: see runtime.load_runtime. Raises ModelError."""
        return cls(card, load_runtime(card, n_cores=n_cores, ahead=ahead))

    def restore(self, images: np.ndarray) -> np.ndarray:
        """Estimate each image without its noise.

        images: (N, C, H, W) float32 in [0, 1], 1 = ink; of any size if the card allows it (`card.multiple`),
        else of the size in `card.image_shape`. Returns the same shape and range.
        Raises InputError for images of another type or size.
        """
        restored: np.ndarray = np.clip(self.run(images), 0, 1)
        return restored


def load_restorer(reference: str) -> Predict:
    """The saved restorer with this reference. Raises ModelError if its name now belongs to another model."""
    card = find_card(reference.partition("@")[0], RESTORE)
    if card.reference != reference:
        raise ModelError(f"{card.folder} is {card.reference}, not {reference}.")
    return Restorer.load(card).restore
