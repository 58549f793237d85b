"""Use a saved reader of lines: lines of writing in, what they say out. Needs no PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from legible.apply.runtime import Predict
from legible.cards import Card
from legible.ctc import Spelt, in_batches, spell

WIDTHS = (1.0, 0.8, 0.6)  # of its own, in which a line is looked at
_SURE = float(np.log(0.95))  # from here on one look will do
_NARROWEST_PX = 8


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
        """Read lines (H, W) as `prepare.prepare_line` makes them, of the card's height and of any width.

        Each is looked at in its own width; if that leaves doubts, in narrower ones too, and the surest
        reading counts: hands write wider than those the model learnt from.
        """
        surest: dict[int, Spelt] = {}
        for share in WIDTHS:
            doubtful = [i for i in range(len(lines)) if i not in surest or surest[i].log_probability < _SURE]
            shown = [_narrow(lines[i], share) for i in doubtful]
            for chosen, logits in in_batches(self.run, shown):
                for which, spelt in zip(chosen, spell(logits), strict=True):
                    i = doubtful[which]
                    if i not in surest or spelt.log_probability > surest[i].log_probability:
                        surest[i] = spelt.widened(1 / share)
        return [surest[i] for i in range(len(lines))]


def _narrow(line: np.ndarray, share: float) -> np.ndarray:
    size = max(_NARROWEST_PX, round(line.shape[1] * share)), line.shape[0]
    return line if share == 1 else cv2.resize(line, size, interpolation=cv2.INTER_AREA).clip(0, 1)
