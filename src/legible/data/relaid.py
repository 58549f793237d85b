"""NoisyOffice split at random, with more pages to learn from: its own, laid on one another's sheets."""

from __future__ import annotations

from legible.data import DATASETS
from legible.data.pages import FACTS, KINDS, split_noisy_office_at_random, stack_pages
from legible.data.sheets import MADE, recompose
from legible.data.split import Splits

_N_RELAID = 312  # three for each page of the training


@DATASETS.register("noisy-office-relaid", **FACTS | {"n_classes": 5, "n_images": 456, "made_for_training": 1})
def load_relaid_pages() -> Splits:
    """The pages of `noisy-office-random`, split as there; for training also new ones made of the training's.

    A new page is one with its sheet of paper exchanged for another's, turned and shifted.
    """
    known, *others = split_noisy_office_at_random()
    parts = (known + recompose(known, _N_RELAID), *others)
    train, validation, test = (stack_pages(part, (*KINDS.values(), MADE)) for part in parts)
    words = f"NoisyOffice, split at random, and {_N_RELAID} of its training's pages on other sheets of paper."
    return Splits("noisy-office-relaid", train, validation, test, (words,))
