"""Between a trained model and its card: the model as an ONNX file, and a card's weights as a model again."""

from __future__ import annotations

import io
import warnings

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from legible.cards import WEIGHTS, Card, check_file
from legible.errors import ArgumentError, ModelError
from legible.models import ImageShape, build_model


def to_onnx(model: nn.Module, image_shape: ImageShape) -> bytes:
    """The model as an ONNX file: input `images` (n, C, H, W) float32, output `logits` (n, K), any n."""
    buffer = io.BytesIO()
    batch = {0: "n"}
    sample = torch.zeros(1, *image_shape, device=next(model.parameters()).device)
    with warnings.catch_warnings():
        # the newer exporter takes 15 times as long and one more package for the same graph (docs/log.md)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        torch.onnx.export(
            model.eval(), (sample,), buffer,  # type: ignore[arg-type]  # this exporter writes to buffers too
            dynamo=False, opset_version=17, input_names=["images"],
            output_names=["logits"], dynamic_axes={"images": batch, "logits": batch},
        )  # fmt: skip
    return buffer.getvalue()


def load_model(card: Card) -> nn.Module:
    """A card's model, built from its spec and filled with weights.safetensors, in evaluation mode.

    Raises ModelError when the file is damaged or does not fit the spec, or nothing here has that spec.
    """
    path = check_file(card, WEIGHTS)
    try:
        model = build_model(card.facts["model"], card.image_shape, len(card.classes), seed=0)
        model.load_state_dict(load_file(path))
    except (ArgumentError, SafetensorError, OSError, RuntimeError) as error:
        raise ModelError(f"{path} does not fit model {card.facts['model']!r}: {error}") from error
    return model.eval()
