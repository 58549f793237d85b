"""Use a saved reader of lines: lines of writing in, what they say out. Needs no PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from legible.apply.runtime import Predict
from legible.cards import Card
from legible.ctc import Spelt, in_batches, spell


@dataclass(frozen=True, slots=True)
class LineModel:
    """A saved reader of lines, loaded once and ready for any number of them."""

    card: Card
    run: Predict

    @property
    def classes(self) -> tuple[str, ...]:
        """What it reads, in the order of its classes."""
        return self.card.classes

    def spell(self, lines: Sequence[np.ndarray]) -> list[Spelt]:
        """Read lines (H, W) as `prepare.prepare_line` makes them, of the card's height and of any width."""
        spelt: dict[int, Spelt] = {}
        for chosen, logits in in_batches(self.run, lines):
            spelt |= zip(chosen, spell(logits), strict=True)
        return [spelt[i] for i in range(len(lines))]
