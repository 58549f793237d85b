"""Use a saved reader of lines: lines of writing in, what they say out. Needs no PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from legible.apply.runtime import Predict
from legible.cards import Card
from legible.ctc import Spelt, in_batches, log_probabilities, log_softmax, spell

WIDTHS = (1.0, 0.8, 1.2)  # of its own, in which a line is looked at
_SURE = float(np.log(0.9))  # from here on one look will do
_NARROWEST_PX = 8
_LEAST = 1e-300  # a probability that still has a logarithm


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

        Each is looked at in its own width; if that leaves doubts, in other widths too, and the text counts
        that is the most probable by the mean of all looks: hands write wider and narrower than those the
        model learnt from.
        """
        first = self._look(lines, range(len(lines)), WIDTHS[0])
        doubtful = [i for i, spelt in first.spelt.items() if spelt.log_probability < _SURE]
        others = [self._look(lines, doubtful, share) for share in WIDTHS[1:]]
        return [spelt for _, spelt in sorted((first.spelt | _agree([first, *others], doubtful)).items())]

    def _look(self, lines: Sequence[np.ndarray], which: Sequence[int], share: float) -> _Look:
        """Some of the lines, shown in that share of their width."""
        look = _Look({}, [])
        for chosen, logits in in_batches(self.run, [_scale(lines[i], share) for i in which]):
            numbers = [which[n] for n in chosen]
            read = [spelt.widened(1 / share) for spelt in spell(logits)]
            look.spelt.update(zip(numbers, read, strict=True))
            look.batches.append((numbers, logits))
        return look


@dataclass(frozen=True, slots=True)
class _Look:
    """Lines as they were read in one width, by their numbers, and the logits of each batch of them."""

    spelt: dict[int, Spelt]
    batches: list[tuple[list[int], np.ndarray]]


def _agree(looks: Sequence[_Look], doubtful: Sequence[int]) -> dict[int, Spelt]:
    """For each doubtful line the text that is the most probable by the mean of the looks, and how much."""
    texts = {i: sorted({look.spelt[i].classes for look in looks}) for i in doubtful}
    means = {i: np.zeros(len(texts[i])) for i in doubtful}
    for look in looks:
        for i in doubtful:
            own = texts[i].index(look.spelt[i].classes)
            means[i][own] += np.exp(look.spelt[i].log_probability) / len(looks)
        for numbers, logits in look.batches:
            asked = [
                (row, i, rank)
                for row, i in enumerate(numbers)
                for rank, text in enumerate(texts.get(i, ()))
                if text != look.spelt[i].classes
            ]
            if asked:
                logs = log_softmax(logits)[[row for row, _, _ in asked]]
                found = np.exp(log_probabilities(logs, [texts[i][rank] for _, i, rank in asked]))
                for (_, i, rank), probability in zip(asked, found, strict=True):
                    means[i][rank] += probability / len(looks)
    agreed = {}
    for i in doubtful:
        best = int(means[i].argmax())
        same = [look.spelt[i] for look in looks if look.spelt[i].classes == texts[i][best]]
        surest = max(same, key=lambda spelt: spelt.log_probability)
        agreed[i] = replace(surest, log_probability=float(np.log(max(means[i][best], _LEAST))))
    return agreed


def _scale(line: np.ndarray, share: float) -> np.ndarray:
    size = max(_NARROWEST_PX, round(line.shape[1] * share)), line.shape[0]
    how = cv2.INTER_AREA if share < 1 else cv2.INTER_LINEAR
    return line if share == 1 else cv2.resize(line, size, interpolation=how).clip(0, 1)
