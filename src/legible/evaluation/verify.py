"""Check that a card still is what it says: its files, its size, one score, its answers in two runtimes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from legible.apply.runtime import Predict, load_decoder, load_runtime
from legible.cards import Card, verify_files
from legible.errors import ModelError
from legible.evaluation.judges import JUDGES, Shown
from legible.evaluation.measures import MEASURES
from legible.noise import add_noise, split_chain
from legible.seeds import rng_for

PROBE = "digits-embedded"  # the score that any installation can measure again
SAME_ANSWER = 1e-3  # largest difference between the outputs of two runtimes, in float32
# by task: what is measured again, and how exactly
AGAIN = {
    "classify": ("accuracy", 1e-3),
    "read-lines": ("strings_right", 1e-2),
    "restore": ("mse", 1e-5),
}


def verify_card(card: Card) -> list[str]:
    """Recompute what a card claims; return a sentence for each thing found right.

    Raises ModelError on the first thing that differs, MissingExtra when the score's images are not installed.
    """
    found = verify_files(card)
    if card.task == "draw":
        return [*found, *_compare_with_torch(card, load_decoder(card), _probe_drawing(card))]
    predict = load_runtime(card)
    name, tolerance = AGAIN[card.task]
    measure = MEASURES[name]
    for claimed in (
        score for score in card.facts["scores"] if score["dataset"] == PROBE and score["split"] == "all"
    ):
        measured = score_on_embedded(card, predict)[0]
        value = measure.write(measured[name])
        if abs(measured[name] - claimed[name]) > tolerance:
            raise ModelError(
                f"{card.folder}: {measure.words} on {PROBE} is {value}, the card says "
                f"{measure.write(claimed[name])}. The model has changed; train it again."
            )
        found.append(f"{measure.words} on {PROBE}: {value}, as the card says")
    images = rng_for("probe").random((64, *card.image_shape), dtype=np.float32)
    return [*found, *_compare_with_torch(card, predict, (images,))]


def score_on_embedded(card: Card, predict: Predict) -> list[dict[str, Any]]:
    """A card's score on all embedded digits; none for one that takes other images or was trained on them.

    Under the noise of its first score, if it restores.
    """
    from legible.data import load_dataset

    if card.image_shape != (1, 28, 28) or len(card.classes) != 10:
        return []
    if card.facts["input"]["prepared_as"] == PROBE:
        return []
    clean = load_dataset(PROBE).named("all")
    noise = card.main_score["noise"] if card.task == "restore" else "clean"
    images = add_noise(clean.images, rng_for("test noise", PROBE, noise), split_chain(noise))
    shown = Shown(replace(clean, images=images), clean.images)
    verdict = JUDGES[card.task](predict, shown)
    return [{"dataset": PROBE, "split": "all", "noise": noise, **verdict.scores}]


def _probe_drawing(card: Card) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and class weights to draw from."""
    n_classes = len(card.classes)
    numbers = rng_for("probe").standard_normal((64, card.n_latents), dtype=np.float32)
    return numbers, np.eye(n_classes, dtype=np.float32)[np.arange(64) % n_classes]


def _compare_with_torch(
    card: Card, run: Callable[..., np.ndarray], probe: tuple[np.ndarray, ...]
) -> list[str]:
    """Build the model from weights.safetensors and compare its answers; nothing to say without PyTorch."""
    try:
        from legible.training.exchange import load_model
    except ModuleNotFoundError:
        return []
    import torch

    from legible.models import as_used, count_parameters, kind_of
    from legible.models.layers import DenseInWholeNumbers

    model = load_model(card)
    used = as_used(model, kind_of(card.facts["model"])).eval()
    if count_parameters(model) != card.facts["n_parameters"]:
        raise ModelError(
            f"{card.folder}: the model has {count_parameters(model):,} parameters, the card says "
            f"{card.facts['n_parameters']:,}. Train or copy the model again."
        )
    with torch.inference_mode():
        answers = used(*map(torch.from_numpy, probe)).numpy()
    apart = np.abs(answers - run(*probe))
    # in whole numbers two runtimes may round a few another way: there the root of the mean square tells
    whole = any(isinstance(part, DenseInWholeNumbers) for part in model.modules())
    difference = float(np.sqrt(np.square(apart).mean()) if whole else apart.max())
    if not difference < SAME_ANSWER:
        raise ModelError(f"{card.folder}: model.onnx and weights.safetensors disagree by {difference:.3g}.")
    n_parameters = f"{card.facts['n_parameters']:,} parameters"
    return [f"{n_parameters}; model.onnx and weights.safetensors agree to {difference:.1g}"]
