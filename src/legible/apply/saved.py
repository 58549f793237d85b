"""Load a saved model, whatever it does."""

from __future__ import annotations

from legible.apply.classifier import Classifier
from legible.apply.generator import Generator
from legible.apply.restorer import Restorer
from legible.apply.runtime import load_decoder, load_runtime
from legible.cards import find_card
from legible.errors import ModelError


def load(name: str) -> Classifier | Restorer | Generator:
    """Load a saved model by its name or folder (`legible models list`), ready to use.

    A classifier has `predict` and `name`, a denoiser or autoencoder `restore`, a generator `draw`.
    Raises ModelError when there is none, with near names, or when it is damaged.
    """
    card = find_card(name)
    if card.task == "classify":
        return Classifier(card, load_runtime(card))
    if card.task == "restore":
        return Restorer(card, load_runtime(card))
    if card.task == "draw":
        return Generator(card, load_decoder(card))
    raise ModelError(f"{card.folder} holds a model for {card.task!r}, which this version does not know.")
