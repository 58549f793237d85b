"""Saved generators: requested classes in, new images out. Needs no PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

import numpy as np

from legible.cards import Card
from legible.errors import ArgumentError, UnknownName
from legible.inference.runtime import load_decoder


def in_turn(names: Sequence[str], number: int) -> list[str]:
    """The names in order, repeated up to this number."""
    return [names[i % len(names)] for i in range(number)]


@dataclass(frozen=True, slots=True)
class Generator:
    """A saved generator, loaded once and ready to generate."""

    card: Card
    run: Callable[[np.ndarray, np.ndarray], np.ndarray]

    @classmethod
    def load(cls, card: Card) -> Self:
        """The model of a card. Raises ModelError."""
        return cls(card, load_decoder(card))

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that it can generate."""
        return self.card.classes

    def generate(
        self,
        names: Sequence[str],
        rng: np.random.Generator,
        *,
        temperature: float = 1.0,
        moved: Mapping[int, float] = MappingProxyType({}),
    ) -> np.ndarray:
        """Generate an image of each named class, for instance ["7"] * 64; equal rng states give equal images.

        temperature: 0 to 2, the standard deviation of the latents; lower values give more typical and less
        diverse images. moved: index of a latent -> a number added to it in each image, see rank_latents.
        Returns (N, C, H, W) float32 in [0, 1], 1 = ink. Raises UnknownName for an unknown class.
        """
        if not 0 <= temperature <= 2:
            raise ArgumentError(f"temperature must lie between 0 and 2, not {temperature:g}.")
        rows = np.zeros((len(names), len(self.classes)), np.float32)
        for row, name in zip(rows, names, strict=True):
            if name not in self.classes:
                raise UnknownName("class to generate", name, self.classes)
            row[self.classes.index(name)] = 1
        latents = rng.standard_normal((len(names), self.card.n_latents), dtype=np.float32)
        latents *= np.float32(temperature)
        for which, by in moved.items():
            latents[:, which] += by
        return self.decode(latents, rows)

    def rank_latents(self, n: int, *, n_images: int = 1000) -> tuple[int, ...]:
        """The indices of the n latents that explain the most variance of the images, in descending order.

        Computed from each latent's covariance with each pixel over n_images images of all classes; the result
        is the same in every call.
        """
        rng = np.random.default_rng(0)
        latents = rng.standard_normal((n_images, self.card.n_latents), dtype=np.float32)
        which = np.arange(n_images) % len(self.classes)
        images = self.decode(latents, np.eye(len(self.classes), dtype=np.float32)[which])
        pixels = images.reshape(n_images, -1)  # (N, C * H * W)
        for k in range(len(self.classes)):
            pixels[which == k] -= pixels[which == k].mean(axis=0)
        explained = np.square(latents.T @ pixels).sum(axis=1)
        return tuple(int(i) for i in explained.argsort()[::-1][:n])

    def decode(self, latents: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Generate from latents (N, card.n_latents) and class weights (N, K), which may blend classes.

        Returns (N, C, H, W) float32 in [0, 1], 1 = ink. Raises ArgumentError for other shapes.
        """
        expected = ((len(rows), self.card.n_latents), (len(latents), len(self.classes)))
        if (latents.shape, rows.shape) != expected:
            raise ArgumentError(
                f"model {self.card.name!r} generates from latents (N, {self.card.n_latents}) and class "
                f"weights (N, {len(self.classes)}), not {latents.shape} and {rows.shape}."
            )
        images: np.ndarray = self.run(latents.astype(np.float32), rows.astype(np.float32)).clip(0, 1)
        return images
