"""Check that a card still is what it says: its files, its size, one score, its answers in two runtimes."""

from __future__ import annotations

from typing import Any

import numpy as np

from legible.apply.runtime import Predict, load_runtime
from legible.cards import Card, verify_files
from legible.errors import ModelError
from legible.evaluation.measure import judge
from legible.seeds import rng_for

PROBE = "digits-embedded"  # the score that any installation can measure again
SAME_ANSWER = 1e-3  # largest difference between the logits of two runtimes, in float32


def verify_card(card: Card) -> list[str]:
    """Recompute what a card claims; return a sentence for each thing found right.

    Raises ModelError on the first thing that differs, MissingExtra when the score's images are not installed.
    """
    found = verify_files(card)
    predict = load_runtime(card)
    for claimed in (
        score for score in card.facts["scores"] if score["dataset"] == PROBE and score["split"] == "all"
    ):
        measured = score_on_embedded(card, predict)[0]
        if round(abs(measured["accuracy"] - claimed["accuracy"]) * claimed["n_images"]) > 1:
            raise ModelError(
                f"{card.folder}: accuracy on {PROBE} is {measured['accuracy']:.2%}, the card says "
                f"{claimed['accuracy']:.2%}. The model has changed; train it again."
            )
        found.append(f"accuracy on {PROBE}: {measured['accuracy']:.2%}, as the card says")
    return [*found, *_compare_with_torch(card, predict)]


def score_on_embedded(card: Card, predict: Predict) -> list[dict[str, Any]]:
    """A card's score on all embedded digits; none for one that takes other images or was trained on them."""
    from legible.data import load_dataset

    if card.image_shape != (1, 28, 28) or len(card.classes) != 10:
        return []
    if card.facts["input"]["prepared_as"] == PROBE:
        return []
    data = load_dataset(PROBE).named("all")
    judgement = judge(predict, data.images, data.labels, data.classes)
    return [{"dataset": PROBE, "split": "all", "noise": "clean", "n_images": judgement.n_images,
             "accuracy": judgement.accuracy, "loss_nats": judgement.loss_nats,
             "calibration_error": judgement.calibration_error}]  # fmt: skip


def _compare_with_torch(card: Card, predict: Predict) -> list[str]:
    """Build the model from weights.safetensors and compare its answers; nothing to say without PyTorch."""
    try:
        from legible.training.exchange import load_model
        from legible.training.loop import predictor
    except ModuleNotFoundError:
        return []
    from legible.models import count_parameters

    model = load_model(card)
    if count_parameters(model) != card.facts["n_parameters"]:
        raise ModelError(
            f"{card.folder}: the model has {count_parameters(model):,} parameters, the card says "
            f"{card.facts['n_parameters']:,}. Train or copy the model again."
        )
    images = rng_for("probe").random((64, *card.image_shape), dtype=np.float32)
    difference = float(np.abs(predictor(model)(images) - predict(images)).max())
    if not difference < SAME_ANSWER:
        raise ModelError(f"{card.folder}: model.onnx and weights.safetensors disagree by {difference:.3g}.")
    n_parameters = f"{card.facts['n_parameters']:,} parameters"
    return [f"{n_parameters}; model.onnx and weights.safetensors agree to {difference:.1g}"]
