"""Between a trained model and its card: the model as an ONNX file, and a card's weights as a model again."""

from __future__ import annotations

import io
import math
import warnings

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from legible.cards import WEIGHTS, Card, check_file
from legible.errors import ArgumentError, ModelError
from legible.models import AUTOENCODER, CLASSIFIER, ImageShape, as_used, build_model, multiple_of
from legible.models.vae import Decoder, Ladder

OUTPUTS = {CLASSIFIER: "logits", AUTOENCODER: "restored"}


def decoder_to_onnx(model: Ladder) -> bytes:
    """The drawing half as an ONNX file: `latents` (n, D) and `labels` (n, K) -> `images` (n, C, H, W)."""
    device = next(model.parameters()).device
    sample = (torch.zeros(1, model.n_latents, device=device), torch.eye(model.n_classes, device=device)[:1])
    names = ["latents", "labels"], ["images"]
    return _export(Decoder(model), sample, *names, {0: "n"})


def to_onnx(model: nn.Module, image_shape: ImageShape, kind: str = CLASSIFIER) -> bytes:
    """The model as an ONNX file: input `images` (n, C, H, W) float32, any n.

    A classifier gives `logits` (n, K), an autoencoder `restored` (n, C, H, W), pixels in [0, 1]; one that
    takes any size does so in the file too, if H and W are multiples of what it wants.
    """
    multiple = multiple_of(model)
    axes = {0: "n", 2: "height", 3: "width"} if multiple else {0: "n"}
    channels, *sides = image_shape
    sides = [math.ceil(side / multiple) * multiple for side in sides] if multiple else sides
    sample = torch.zeros(1, channels, *sides, device=next(model.parameters()).device)
    return _export(as_used(model, kind), (sample,), ["images"], [OUTPUTS[kind]], axes)


def _export(
    model: nn.Module, sample: tuple[Tensor, ...], inputs: list[str], outputs: list[str], axes: dict[int, str]
) -> bytes:
    """axes: those of every input and output that may have any length."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # the newer exporter takes 15 times as long and one more package for the same graph (docs/log.md)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        torch.onnx.export(
            model.eval(), sample, buffer,  # type: ignore[arg-type]  # this exporter writes to buffers too
            dynamo=False, opset_version=17, input_names=inputs, output_names=outputs,
            dynamic_axes=dict.fromkeys([*inputs, *outputs], axes),
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
