"""Saved line readers: lines of writing in, decoded text out. Needs no PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np

from legible.cards import Card
from legible.ctc import DecodedLine, decode, in_batches, log_probabilities
from legible.images import Predict
from legible.inference.runtime import load_runtime
from legible.softmax import log_softmax

WIDTHS = (1.0, 0.8, 1.2)  # relative widths to which a line is scaled (test-time augmentation)
_SURE = float(np.log(0.9))  # above this, the line's own width is enough
_NARROWEST_PX = 8
_LEAST = 1e-300  # a probability with a finite logarithm


@dataclass(frozen=True, slots=True)
class LineReader:
    """A saved line reader, loaded once and ready for any number of lines."""

    card: Card
    run: Predict

    @classmethod
    def load(cls, card: Card, *, n_cores: int | None = None, ahead: bool = False) -> Self:
        """The model of a card; n_cores, ahead: see runtime.load_runtime. Raises ModelError."""
        return cls(card, load_runtime(card, n_cores=n_cores, ahead=ahead))

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the outputs."""
        return self.card.classes

    def decode(self, lines: Sequence[np.ndarray]) -> list[DecodedLine]:
        """Read lines (H, W) from `prepare.prepare_line`, of the card's height and any width.

        Each line is read in its own width. If the probability is below 0.9, it is also read scaled to two
        other widths, and the text with the highest mean probability is returned: people write wider and
        narrower than the model's training lines.
        """
        first = self._view(lines, range(len(lines)), WIDTHS[0])
        uncertain = [i for i, decoded in first.decoded.items() if decoded.log_probability < _SURE]
        others = [self._view(lines, uncertain, share) for share in WIDTHS[1:]]
        combined = first.decoded | _combine([first, *others], uncertain)
        return [decoded for _, decoded in sorted(combined.items())]

    def _view(self, lines: Sequence[np.ndarray], which: Sequence[int], share: float) -> _View:
        """Read some of the lines, scaled to this share of their width."""
        view = _View({}, [])
        for chosen, logits in in_batches(self.run, [_scale(lines[i], share) for i in which]):
            numbers = [which[n] for n in chosen]
            read = [decoded.widened(1 / share) for decoded in decode(logits)]
            view.decoded.update(zip(numbers, read, strict=True))
            view.batches.append((numbers, logits))
        return view


@dataclass(frozen=True, slots=True)
class _View:
    """The readings of lines in one width, by the lines' indices, and the logits of each batch."""

    decoded: dict[int, DecodedLine]
    batches: list[tuple[list[int], np.ndarray]]


def _combine(views: Sequence[_View], uncertain: Sequence[int]) -> dict[int, DecodedLine]:
    """The text with the highest mean probability over the views, for each uncertain line."""
    texts = {i: sorted({view.decoded[i].classes for view in views}) for i in uncertain}
    means = {i: np.zeros(len(texts[i])) for i in uncertain}
    for view in views:
        for i in uncertain:
            own = texts[i].index(view.decoded[i].classes)
            means[i][own] += np.exp(view.decoded[i].log_probability) / len(views)
        for numbers, logits in view.batches:
            missing = [
                (row, i, rank)
                for row, i in enumerate(numbers)
                for rank, text in enumerate(texts.get(i, ()))
                if text != view.decoded[i].classes
            ]
            if missing:
                logs = log_softmax(logits)[[row for row, _, _ in missing]]
                found = np.exp(log_probabilities(logs, [texts[i][rank] for _, i, rank in missing]))
                for (_, i, rank), probability in zip(missing, found, strict=True):
                    means[i][rank] += probability / len(views)
    combined = {}
    for i in uncertain:
        best = int(means[i].argmax())
        same = [view.decoded[i] for view in views if view.decoded[i].classes == texts[i][best]]
        most_probable = max(same, key=lambda decoded: decoded.log_probability)
        combined[i] = replace(most_probable, log_probability=float(np.log(max(means[i][best], _LEAST))))
    return combined


def _scale(line: np.ndarray, share: float) -> np.ndarray:
    size = max(_NARROWEST_PX, round(line.shape[1] * share)), line.shape[0]
    how = cv2.INTER_AREA if share < 1 else cv2.INTER_LINEAR
    return line if share == 1 else cv2.resize(line, size, interpolation=how).clip(0, 1)
