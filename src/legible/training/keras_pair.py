"""Models as a pair of files in Keras's layout: architecture as JSON, weights as HDF5, as in report D.

Keras uses channels-last images (N, H, W, C), so kernels are transposed, and the rows of the first dense layer
are reordered to the order of its flattened pixels.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from torch import nn

from legible.errors import InputError, ModelError
from legible.models import ImageShape
from legible.output import check_free, new_file, with_ending

Layers = list[dict[str, Any]]
Tensors = dict[str, dict[str, np.ndarray]]
VERSION = "2.15.0"  # of Keras, whose layout this is


def save_pair(
    model: nn.Module, image_shape: ImageShape, stem: Path, *, overwrite: bool = False
) -> tuple[Path, Path]:
    """Write `stem`.json and `stem`.h5; return both paths.

    image_shape: (C, H, W) of the model's input. Raises ModelError unless the model is a plain chain of
    convolution, pooling, norm, dropout and dense layers, OutputError if a file exists or cannot be written.
    """
    stem = stem.with_suffix("") if stem.suffix in (".json", ".h5") else stem
    architecture, weights = with_ending(stem, ".json"), with_ending(stem, ".h5")
    layers, tensors = _describe_chain(model, image_shape)
    config = {"module": "keras", "class_name": "Sequential", "config": {"name": "legible", "layers": layers}}
    check_free(weights, overwrite=overwrite)
    with new_file(architecture, overwrite=overwrite) as path:
        path.write_text(
            json.dumps({**config, "keras_version": VERSION, "backend": "tensorflow"}, indent=1) + "\n"
        )
    with new_file(weights, overwrite=overwrite) as path, h5py.File(path, "w") as file:
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", VERSION.encode()
        names = [layer["config"]["name"] for layer in layers[1:]]
        file.attrs["layer_names"] = [name.encode() for name in names]
        for name in names:
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{part}:0".encode() for part in tensors.get(name, {})]
            for part, value in tensors.get(name, {}).items():
                group[f"{name}/{part}:0"] = value
    return architecture, weights


def load_pair(stem: Path) -> tuple[nn.Module, ImageShape]:
    """Load a pair that save_pair wrote: a model for images (N, C, H, W), and its image shape (C, H, W).

    Raises InputError if the pair is missing, damaged, or has an unknown layer.
    """
    try:
        layers = json.loads(stem.with_suffix(".json").read_text())["config"]["layers"]
        names = [layer["config"]["name"] for layer in layers]
        with h5py.File(stem.with_suffix(".h5")) as file:
            tensors = {name: _read_tensors(file, name) for name in names if name in file}
        height, width, channels = layers[0]["config"]["batch_input_shape"][1:]
        modules = _build_chain(layers[1:], tensors, (channels, height, width))
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise InputError(
            f"{stem}.json and {stem}.h5 are not a pair of architecture and weights: {error}"
        ) from error
    return nn.Sequential(*modules).eval(), (channels, height, width)


def _read_tensors(file: h5py.File, name: str) -> dict[str, np.ndarray]:
    """The tensors of one layer by their short names: `layer_0/layer_0/kernel:0` is `kernel`."""
    return {part.removesuffix(":0"): np.asarray(value) for part, value in file[name].get(name, {}).items()}


def _describe_chain(model: nn.Module, image_shape: ImageShape) -> tuple[Layers, Tensors]:
    """Describe a chain of layers as Keras does, with their tensors."""
    if not isinstance(model, nn.Sequential):
        raise ModelError(f"{type(model).__name__} is not a plain chain of layers; export it as ONNX instead.")
    channels, height, width = image_shape
    first = {"batch_input_shape": [None, height, width, channels], "dtype": "float32", "name": "images"}
    layers: Layers = [{"class_name": "InputLayer", "config": first}]
    tensors: Tensors = {}
    sample, flattened = torch.zeros(1, *image_shape), None
    for i, module in enumerate(model.cpu().eval()):
        if isinstance(module, nn.Flatten):
            flattened = tuple(sample.shape[1:])
        if isinstance(module, nn.ReLU) and "activation" in layers[-1]["config"]:
            layers[-1]["config"]["activation"] = "relu"
        else:
            layers.append(_describe(module, f"layer_{i}"))
        if isinstance(module, nn.Conv2d | nn.Linear):
            tensors[f"layer_{i}"] = _take_tensors(module, flattened)
            flattened = None if isinstance(module, nn.Linear) else flattened
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            tensors[f"layer_{i}"] = {part: tensor.detach().numpy() for part, tensor in _norm_parts(module)}
        with torch.no_grad():
            sample = module(sample)
    return layers, tensors


def _take_tensors(module: nn.Conv2d | nn.Linear, flattened: tuple[int, ...] | None) -> dict[str, np.ndarray]:
    """Kernel and bias channels-last: (out, in, h, w) -> (h, w, in, out), rows (C, H, W) -> (H, W, C)."""
    weight = module.weight.detach().numpy()
    bias = np.zeros(len(weight), np.float32) if module.bias is None else module.bias.detach().numpy()
    if weight.ndim == 4:
        return {"kernel": weight.transpose(2, 3, 1, 0), "bias": bias}
    if flattened and len(flattened) == 3:
        weight = weight.reshape(-1, *flattened).transpose(0, 2, 3, 1).reshape(len(weight), -1)
    return {"kernel": weight.T, "bias": bias}


def _norm_parts(norm: Any) -> Iterable[tuple[str, torch.Tensor]]:
    """A batch norm's four tensors with Keras's names, in Keras's order."""
    yield from (("gamma", norm.weight), ("beta", norm.bias))
    yield from (("moving_mean", norm.running_mean), ("moving_variance", norm.running_var))


def _describe(module: nn.Module, name: str) -> dict[str, Any]:
    for kind, class_name, settings in _KINDS:
        if isinstance(module, kind):
            return {"class_name": class_name, "config": {"name": name, **settings(module)}}
    raise ModelError(
        f"a layer of class {type(module).__name__} can't be exported to HDF5; export the model as ONNX."
    )


def _describe_convolution(m: Any) -> dict[str, Any]:
    padding = {(0, 0): "valid", tuple(k // 2 for k in m.kernel_size): "same"}.get(m.padding)
    if padding is None or (padding == "same" and m.stride != (1, 1)) or m.groups != 1:
        raise ModelError(
            "a convolution can be exported to HDF5 only with no or 'same' padding; export the model as ONNX."
        )
    return {
        "filters": m.out_channels,
        "kernel_size": list(m.kernel_size),
        "strides": list(m.stride),
        "activation": "linear",
        "padding": padding,
    }


def _describe_norm(m: Any) -> dict[str, Any]:
    axis = 3 if isinstance(m, nn.BatchNorm2d) else 1  # the channels, which come last
    return {"axis": [axis], "momentum": 1.0 - m.momentum, "epsilon": m.eps}  # Keras's is of the old value


_KINDS: tuple[tuple[type[nn.Module], str, Callable[[Any], dict[str, Any]]], ...] = (
    (nn.Conv2d, "Conv2D", _describe_convolution),
    (nn.Linear, "Dense", lambda m: {"units": m.out_features, "activation": "linear"}),
    (nn.BatchNorm1d, "BatchNormalization", _describe_norm),
    (nn.BatchNorm2d, "BatchNormalization", _describe_norm),
    (nn.MaxPool2d, "MaxPooling2D", lambda m: {"pool_size": [m.kernel_size] * 2, "strides": [m.stride] * 2}),
    (nn.Dropout, "Dropout", lambda m: {"rate": m.p}),
    (nn.ReLU, "Activation", lambda m: {"activation": "relu"}),
    (nn.Flatten, "Flatten", lambda m: {}),
)


def _build_chain(layers: Layers, tensors: Tensors, image_shape: ImageShape) -> Iterable[nn.Module]:
    sample, flattened = torch.zeros(1, *image_shape), None
    modules: list[nn.Module] = []
    for layer in layers:
        config, weights = layer["config"], tensors.get(layer["config"]["name"], {})
        module = _build(layer["class_name"], config, weights, flattened)
        if isinstance(module, nn.Flatten):
            flattened = tuple(sample.shape[1:])
        elif isinstance(module, nn.Linear):
            flattened = None
        with torch.no_grad():
            sample = module.eval()(sample)
        modules += [module, nn.ReLU()] if config.get("activation") == "relu" and weights else [module]
    return modules


def _build(
    layer: str, config: dict[str, Any], weights: dict[str, np.ndarray], flattened: tuple[int, ...] | None
) -> nn.Module:
    if layer == "Conv2D":
        kernel = weights["kernel"].transpose(3, 2, 0, 1)
        size, strides = kernel.shape[2:], tuple(config.get("strides", (1, 1)))
        padding = tuple(k // 2 for k in size) if config["padding"] == "same" else 0
        module = nn.Conv2d(kernel.shape[1], kernel.shape[0], size, strides, padding)
        return _fill(module, kernel, weights["bias"])
    if layer == "Dense":
        rows = weights["kernel"].T
        if flattened and len(flattened) == 3:
            channels, height, width = flattened
            rows = rows.reshape(-1, height, width, channels).transpose(0, 3, 1, 2).reshape(len(rows), -1)
        return _fill(nn.Linear(rows.shape[1], rows.shape[0]), rows, weights["bias"])
    if layer == "BatchNormalization":
        return _build_norm(config, weights)
    if layer in _WITHOUT_WEIGHTS:
        return _WITHOUT_WEIGHTS[layer](config)
    raise ValueError(f"unknown layer class {layer!r}")


_WITHOUT_WEIGHTS: dict[str, Callable[[dict[str, Any]], nn.Module]] = {
    "MaxPooling2D": lambda config: nn.MaxPool2d(config["pool_size"][0], config["strides"][0]),
    "Dropout": lambda config: nn.Dropout(config["rate"]),
    "Activation": lambda config: nn.ReLU(),
    "Flatten": lambda config: nn.Flatten(),
}


def _build_norm(config: dict[str, Any], weights: dict[str, np.ndarray]) -> nn.Module:
    kind = nn.BatchNorm2d if config["axis"] == [3] else nn.BatchNorm1d
    norm = kind(len(weights["gamma"]), eps=config["epsilon"], momentum=1.0 - config["momentum"])
    for part, tensor in _norm_parts(norm):
        tensor.data.copy_(torch.from_numpy(weights[part]))
    return norm


def _fill(layer: nn.Conv2d | nn.Linear, kernel: np.ndarray, bias: np.ndarray) -> nn.Module:
    layer.weight.data = torch.from_numpy(np.ascontiguousarray(kernel))
    assert layer.bias is not None
    layer.bias.data = torch.from_numpy(bias)
    return layer
