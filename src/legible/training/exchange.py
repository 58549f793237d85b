"""Between a trained model and its card: the model as an ONNX file, and a card's weights as a model again."""

from __future__ import annotations

import io
import json
import math
import struct
import warnings

import onnx
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from legible.cards import WEIGHTS, Card, check_file, check_network
from legible.errors import ArgumentError, ModelError
from legible.models import AUTOENCODER, CLASSIFIER, READER, ImageShape, as_used, build_model, multiple_of
from legible.models.vae import Decoder, Ladder

LARGE = 2**15  # numbers: tensors of this size and more are kept in half precision, two bytes a number
_LEAST_SHARED = 256  # bytes of a tensor that an ONNX file reads from the weights
OUTPUTS = {CLASSIFIER: "logits", AUTOENCODER: "restored", READER: "logits"}


def round_weights(model: nn.Module) -> None:
    """Round the large tensors to half precision, in place, so that files that keep them so lose nothing."""
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point() and tensor.numel() >= LARGE:
                tensor.copy_(tensor.half())


def to_safetensors(model: nn.Module) -> bytes:
    """All weights and statistics as a safetensors file; the large in half precision if nothing is lost."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}
    return save({k: v.half() if _fits_half(v) else v for k, v in tensors.items()})


def _fits_half(tensor: Tensor) -> bool:
    is_large = tensor.dtype == torch.float32 and tensor.numel() >= LARGE
    return is_large and torch.equal(tensor.half().float(), tensor)


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
    if kind == READER:
        axes = {0: "n", 3: "width"}
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
            # norms stay apart from convolutions, so that the weights are those of weights.safetensors; what
            # runs the file puts them together
            training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
            dynamic_axes=dict.fromkeys([*inputs, *outputs], axes),
        )  # fmt: skip
    return _halve_constants(buffer.getvalue())


def _halve_constants(network: bytes) -> bytes:
    """Keep large constants in half precision if nothing is lost; the net goes on computing in float32."""
    proto = onnx.load_from_string(network)
    graph, casts = proto.graph, []
    for constant in graph.initializer:
        if constant.data_type != onnx.TensorProto.FLOAT:
            continue
        values = torch.from_numpy(onnx.numpy_helper.to_array(constant).copy())
        if not _fits_half(values):
            continue
        name = constant.name
        halved = onnx.numpy_helper.from_array(values.half().numpy(), f"{name}.half")
        constant.CopyFrom(halved)
        casts.append(onnx.helper.make_node("Cast", [halved.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return bytes(proto.SerializeToString())


def share_weights(network: bytes, weights: bytes) -> bytes:
    """The ONNX file without the tensors that lie in weights.safetensors: it reads them from there.

    Half the bytes of a card. network: an ONNX file. weights: the safetensors file that will lie beside it.
    """
    (length,) = struct.unpack("<Q", weights[:8])
    begin = 8 + length
    places: dict[bytes, tuple[int, int]] = {}
    for name, tensor in json.loads(weights[8:begin]).items():
        if name != "__metadata__":
            first, last = (begin + offset for offset in tensor["data_offsets"])
            places[weights[first:last]] = (first, last - first)
    proto = onnx.load_from_string(network)
    for constant in proto.graph.initializer:
        values = onnx.numpy_helper.to_array(constant).tobytes()
        if len(values) < _LEAST_SHARED or values not in places:
            continue
        for field in ("raw_data", "float_data", "int32_data"):
            constant.ClearField(field)
        constant.data_location = onnx.TensorProto.EXTERNAL
        place = dict(zip(("offset", "length"), map(str, places[values]), strict=True))
        for key, value in {"location": WEIGHTS, **place}.items():
            entry = constant.external_data.add()
            entry.key, entry.value = key, value
    return bytes(proto.SerializeToString())


def whole_network(card: Card) -> bytes:
    """A card's ONNX file with all its weights in it, for other programs. Raises ModelError for a bad card."""
    return bytes(onnx.load(check_network(card)).SerializeToString())


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
