"""Verify a card: its files, its parameter count, one score, and equal outputs in two runtimes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from legible.cards import Card, verify_files
from legible.errors import ModelError
from legible.evaluation.measures import MEASURES
from legible.seeds import rng_for

LARGEST_DIFFERENCE = 1e-3  # allowed between the outputs of two runtimes, in float32


def verify_card(card: Card) -> list[str]:
    """Recompute a card's facts; return a sentence for each that is correct.

    Raises ModelError for the first that differs, MissingExtra if the score's images are not installed.
    """
    found, kind = verify_files(card), card.kind
    model = kind.part("loader").load(card)
    measure = MEASURES[kind.rechecked]
    for measured in kind.part("recheck")(model):
        claimed = _claimed(card, measured)
        value = measure.write(measured[kind.rechecked])
        if abs(measured[kind.rechecked] - claimed) > kind.tolerance:
            raise ModelError(
                f"{card.folder}: {measure.label} on {measured['dataset']} is {value}, the card says "
                f"{measure.write(claimed)}. The model has changed; train it again."
            )
        found.append(f"{measure.label} on {measured['dataset']}: {value}, as the card says")
    return [*found, *_compare_with_torch(card, model.run, _probe_inputs(card))]


def _claimed(card: Card, measured: Mapping[str, Any]) -> float:
    """The card's value of a score that was recomputed."""
    for score in card.facts["scores"]:
        if all(score.get(key) == measured[key] for key in ("dataset", "split", "noise")):
            return float(score[card.kind.rechecked])
    raise ModelError(
        f"{card.folder}: the card has no score on {measured['dataset']}. Train or copy the model again."
    )


def _probe_inputs(card: Card) -> tuple[np.ndarray, ...]:
    """Random inputs of the network's input shapes."""
    rng = rng_for("probe")
    if not card.n_latents:
        return (rng.random((64, *card.image_shape), dtype=np.float32),)
    n_classes = len(card.classes)
    latents = rng.standard_normal((64, card.n_latents), dtype=np.float32)
    return latents, np.eye(n_classes, dtype=np.float32)[np.arange(64) % n_classes]


def _compare_with_torch(
    card: Card, run: Callable[..., np.ndarray], probe: tuple[np.ndarray, ...]
) -> list[str]:
    """Build the model from weights.safetensors and compare its outputs; no sentence without PyTorch."""
    try:
        from legible.training.exchange import load_model
    except ModuleNotFoundError:
        return []
    import torch

    from legible.models import as_used, count_parameters
    from legible.models.layers import QuantizedLinear

    model = load_model(card)
    used = as_used(model, card.kind).eval()
    if count_parameters(model) != card.facts["n_parameters"]:
        raise ModelError(
            f"{card.folder}: the model has {count_parameters(model):,} parameters, the card says "
            f"{card.facts['n_parameters']:,}. Train or copy the model again."
        )
    with torch.inference_mode():
        outputs = used(*map(torch.from_numpy, probe)).numpy()
    differences = np.abs(outputs - run(*probe))
    # two runtimes may round quantized values differently: use the RMS difference instead of the largest
    is_quantized = any(isinstance(part, QuantizedLinear) for part in model.modules())
    difference = float(np.sqrt(np.square(differences).mean()) if is_quantized else differences.max())
    if not difference < LARGEST_DIFFERENCE:
        raise ModelError(f"{card.folder}: model.onnx and weights.safetensors disagree by {difference:.3g}.")
    n_parameters = f"{card.facts['n_parameters']:,} parameters"
    return [f"{n_parameters}; model.onnx and weights.safetensors agree to {difference:.1g}"]
