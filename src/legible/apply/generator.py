"""Use a saved generator: digits asked for in, drawings out. Needs no PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from legible.cards import Card
from legible.errors import ArgumentError, UnknownName


def in_turn(names: Sequence[str], number: int) -> list[str]:
    """So many names, one after the other and from the first again."""
    return [names[i % len(names)] for i in range(number)]


@dataclass(frozen=True, slots=True)
class Generator:
    """A saved generator, loaded once and ready to draw."""

    card: Card
    run: Callable[[np.ndarray, np.ndarray], np.ndarray]

    @property
    def classes(self) -> tuple[str, ...]:
        """What it can be asked to draw."""
        return self.card.classes

    def draw(
        self,
        names: Sequence[str],
        rng: np.random.Generator,
        *,
        temperature: float = 1.0,
        moved: Mapping[int, float] = MappingProxyType({}),
    ) -> np.ndarray:
        """Draw an image of each named class, for instance ["7"] * 64; equal rng states give equal drawings.

        temperature: 0 to 2; below 1 the drawings are more usual and more alike, above 1 wilder. moved: what
        is added to which of the standard normal numbers behind each drawing, as most_telling names them.
        Returns (N, C, H, W) float32 in [0, 1], 1 = ink. Raises UnknownName for what it cannot draw.
        """
        if not 0 <= temperature <= 2:
            raise ArgumentError(f"temperature must lie between 0 and 2, not {temperature:g}.")
        rows = np.zeros((len(names), len(self.classes)), np.float32)
        for row, name in zip(rows, names, strict=True):
            if name not in self.classes:
                raise UnknownName("class to draw", name, self.classes)
            row[self.classes.index(name)] = 1
        numbers = rng.standard_normal((len(names), self.card.n_latents), dtype=np.float32)
        numbers *= np.float32(temperature)
        for which, by in moved.items():
            numbers[:, which] += by
        return self.decode(numbers, rows)

    def most_telling(self, n: int, *, n_drawn: int = 1000) -> tuple[int, ...]:
        """Which n of the numbers behind a drawing change it the most, first the one that does so most.

        Found by how each goes with each pixel over n_drawn drawings of all classes in turn; the same at every
        call.
        """
        rng = np.random.default_rng(0)
        latents = rng.standard_normal((n_drawn, self.card.n_latents), dtype=np.float32)
        which = np.arange(n_drawn) % len(self.classes)
        drawn = self.decode(latents, np.eye(len(self.classes), dtype=np.float32)[which])
        pixels = drawn.reshape(n_drawn, -1)  # (N, C * H * W)
        for k in range(len(self.classes)):
            pixels[which == k] -= pixels[which == k].mean(axis=0)
        told = np.square(latents.T @ pixels).sum(axis=1)
        return tuple(int(i) for i in told.argsort()[::-1][:n])

    def decode(self, latents: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Draw from given numbers (N, card.n_latents) and rows of class weights (N, K), also blended ones.

        Returns (N, C, H, W) float32 in [0, 1], 1 = ink. Raises ArgumentError for shapes that do not go
        together.
        """
        expected = ((len(rows), self.card.n_latents), (len(latents), len(self.classes)))
        if (latents.shape, rows.shape) != expected:
            raise ArgumentError(
                f"model {self.card.name!r} draws from numbers (N, {self.card.n_latents}) and rows "
                f"(N, {len(self.classes)}), not {latents.shape} and {rows.shape}."
            )
        drawn: np.ndarray = self.run(latents.astype(np.float32), rows.astype(np.float32)).clip(0, 1)
        return drawn
