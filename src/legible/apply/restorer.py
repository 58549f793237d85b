"""Use a saved restorer: noisy images in, restored images out. Needs no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from legible.apply.runtime import Runtime
from legible.cards import Card


@dataclass(frozen=True, slots=True)
class Restorer:
    """A saved denoiser or autoencoder, loaded once and ready for any number of images."""

    card: Card
    run: Runtime

    def restore(self, images: np.ndarray) -> np.ndarray:
        """Give back each image as it was before the noise, as far as that can be told.

        images: (N, C, H, W) float32 in [0, 1], 1 = ink; of any size if the card says so (`card.multiple`),
        else of the size in `card.image_shape`. Returns the same shape and range.
        Raises InputError for images of another kind or size.
        """
        restored: np.ndarray = np.clip(self.run(images), 0, 1)
        return restored
