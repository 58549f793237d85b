"""Scores that any installation can recompute, on images that are included or generated."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from legible.cards import Card, find_card
from legible.data import load_dataset
from legible.data.page_maker import make_page
from legible.evaluation.evaluation_set import make_evaluation_set
from legible.evaluation.generation_metrics import share_read_as_asked
from legible.evaluation.restoration import evaluate_restorer
from legible.images import Predict
from legible.inference.generator import Generator, in_turn
from legible.noise import CLEAN, add_noise
from legible.seeds import rng_for

DIGITS, PAGES, GENERATED = "digits-embedded", "made-pages", "generated"  # the datasets that scores name
READER = "digits-wide"  # the shipped classifier that reads generated digits
N_GENERATED, N_PAGES = 1000, 2
PAGE_SIZE, PAGE_DPI = (512, 384), 100
PAGE_NOISE = ("stains", "creases", "shadow")


class Loaded(Protocol):
    """A loaded model: its card, and its network as a function of images."""

    @property
    def card(self) -> Card: ...  # noqa: D102
    @property
    def run(self) -> Predict: ...  # noqa: D102


def recheck_on_digits(model: Loaded) -> list[dict[str, Any]]:
    """The score on the test part of the embedded digits, which takes seconds.

    None if the model has other classes or was trained on these digits.
    For a restorer, with the noise of the card's first score.
    """
    card = model.card
    if len(card.classes) != 10 or card.facts["input"]["prepared_as"] == DIGITS:
        return []
    noise = card.main_score["noise"] if card.kind.learns_from_pairs and card.main_score else CLEAN
    shown = make_evaluation_set(load_dataset(DIGITS).test, DIGITS, noise)
    if card.kind.sees_images and card.image_shape != shown.seen.image_shape:
        return []
    report = card.kind.part("evaluator")(model.run, shown)
    return [{"dataset": DIGITS, "split": "test", "noise": noise, **report.scores}]


def recheck_restorer(model: Loaded) -> list[dict[str, Any]]:
    """The score on the embedded digits; for a restorer of pages, on generated pages with noise."""
    card = model.card
    if not card.any_height or card.image_shape == (1, 28, 28):
        return recheck_on_digits(model)
    rng = rng_for("recheck pages")
    pages = [make_page(rng, size=PAGE_SIZE, dpi=PAGE_DPI, languages=("English",)).ink for _ in range(N_PAGES)]
    clean = np.stack(pages)[:, None]  # (N, 1, H, W)
    report = evaluate_restorer(model.run, add_noise(clean, rng, PAGE_NOISE), clean)
    return [{"dataset": PAGES, "split": "all", "noise": "+".join(PAGE_NOISE), **report.scores}]


def recheck_generator(model: Generator) -> list[dict[str, Any]]:
    """The share of 1,000 generated images that a shipped classifier reads as the requested class."""
    card, reader = model.card, find_card(READER)
    if (card.image_shape, card.classes) != (reader.image_shape, reader.classes):
        return []
    asked = in_turn(card.classes, N_GENERATED)
    images = model.generate(asked, rng_for("recheck generated"))
    logits = reader.kind.part("loader").load(reader).run(images)
    share = share_read_as_asked(logits, np.array([card.classes.index(name) for name in asked]))
    return [
        {"dataset": GENERATED, "split": "all", "noise": CLEAN, "n_images": len(asked), "read_as_asked": share}
    ]
