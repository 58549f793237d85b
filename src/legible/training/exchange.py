"""Export a trained model to the files of a card (ONNX, safetensors), and load a card as a model again."""

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
from legible.kinds import Kind
from legible.models import ImageShape, as_used, build_model, example_inputs, multiple_of

LARGE = 2**15  # elements: tensors of this size or larger are stored in half precision
_LEAST_SHARED = 256  # bytes: tensors of this size or larger are stored once, outside the ONNX file


def round_weights(model: nn.Module) -> None:
    """Round the large tensors to half precision, in place, so that storing them in it loses nothing."""
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point() and tensor.numel() >= LARGE:
                tensor.copy_(tensor.half())


def to_safetensors(model: nn.Module) -> bytes:
    """All weights and statistics as a safetensors file; large ones in half precision if that is lossless."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}
    return save({k: v.half() if _fits_half(v) else v for k, v in tensors.items()})


def _fits_half(tensor: Tensor) -> bool:
    is_large = tensor.dtype == torch.float32 and tensor.numel() >= LARGE
    return is_large and torch.equal(tensor.half().float(), tensor)


def to_onnx(model: nn.Module, image_shape: ImageShape, kind: Kind) -> bytes:
    """The model for inference as an ONNX file, with the kind's inputs and output, for any batch size n.

    image_shape: (C, H, W) of an image. For a model that takes any size, the file takes any multiples of its
    `multiple`; for a kind of fixed height, only the width varies.
    """
    multiple, used = multiple_of(model), as_used(model, kind)
    axes = {0: "n"}
    if multiple:
        axes |= {3: "width"} if kind.fixed_height else {2: "height", 3: "width"}
    channels, *sides = image_shape
    sides = [math.ceil(side / multiple) * multiple for side in sides] if multiple else sides
    inputs, device = example_inputs(used, (channels, sides[0], sides[1])), next(model.parameters()).device
    sample = tuple(each.to(device) for each in (inputs if isinstance(inputs, tuple) else (inputs,)))
    return _export(used, sample, list(kind.inputs), [kind.returns], axes)


def _export(
    model: nn.Module, sample: tuple[Tensor, ...], inputs: list[str], outputs: list[str], axes: dict[int, str]
) -> bytes:
    """axes: the axes of variable length, of every input and output."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # the newer exporter takes 15 times as long and one more package for the same graph (docs/log.md)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        torch.onnx.export(
            model.eval(), sample, buffer,  # type: ignore[arg-type]  # this exporter writes to buffers too
            dynamo=False, opset_version=17, input_names=inputs, output_names=outputs,
            # norms aren't folded into convolutions, so that the weights equal those in weights.safetensors;
            # runtimes fold them when they load the file
            training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
            dynamic_axes=dict.fromkeys([*inputs, *outputs], axes),
        )  # fmt: skip
    return _halve_constants(buffer.getvalue())


def _halve_constants(network: bytes) -> bytes:
    """Store large constants in half precision if that is lossless; the net still computes in float32."""
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
    """The ONNX file with references to the tensors in weights.safetensors instead of copies of them.

    This halves the size of a card. network: an ONNX file. weights: the safetensors file in the same folder.
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
    """A card's ONNX file including all weights, for other programs. Raises ModelError for a damaged card."""
    return bytes(onnx.load(check_network(card)).SerializeToString())


def load_model(card: Card) -> nn.Module:
    """A card's model in evaluation mode, built from its spec, with the weights of weights.safetensors.

    Raises ModelError if the file is damaged or does not fit the spec, or the spec is unknown.
    """
    path = check_file(card, WEIGHTS)
    try:
        model = build_model(card.model, card.image_shape, len(card.classes), seed=0)
        model.load_state_dict(load_file(path))
    except (ArgumentError, SafetensorError, OSError, RuntimeError) as error:
        raise ModelError(f"{path} does not fit model {card.model!r}: {error}") from error
    return model.eval()
