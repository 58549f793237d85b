"""Load saved models of any kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from legible.cards import find_card

if TYPE_CHECKING:
    from legible.inference.classifier import Classifier
    from legible.inference.generator import Generator
    from legible.inference.line_reader import LineReader
    from legible.inference.restorer import Restorer


def load(name: str) -> Classifier | Restorer | Generator | LineReader:
    """Load a saved model by its name or folder (`legible models list`), ready to use.

    A classifier has `predict` and `classify`, a denoiser or autoencoder `restore`, a generator `generate`,
    a line reader `decode`.
    Raises ModelError if there is no such model (with similar names), or if it is damaged.

        >>> import legible
        >>> model = legible.load("digits")
        >>> test = legible.load_dataset("digits-embedded").test
        >>> [prediction.name for prediction in model.classify(test.images[:3])]
        ['2', '3', '4']
    """
    card = find_card(name)
    model: Classifier | Restorer | Generator | LineReader = card.kind.part("loader").load(card)
    return model
