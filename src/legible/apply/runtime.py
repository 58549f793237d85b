"""Run a card's ONNX file, without PyTorch: images in, outputs out."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from legible.cards import NETWORK, Card, check_file
from legible.errors import InputError, ModelError
from legible.images import check_images

BATCH_PIXELS = 500 * 28 * 28  # per request: enough to keep a core busy, little enough for its cache
Predict = Callable[[np.ndarray], np.ndarray]


def load_runtime(card: Card) -> Predict:
    """A function that maps images (N, C, H, W) to the card's outputs, float32.

    A classifier gives logits (N, K), a restorer the restored images (N, C, H, W). Batches run side by side,
    one per core. Raises ModelError when the file is missing or damaged; the function raises InputError for
    images of another shape than the card takes.
    """
    path, n_cores = check_file(card, NETWORK), _count_cores()
    networks = {card.image_shape: _compile(path, [_pad_shape(card.image_shape, card.multiple)], n_cores)}

    def predict(images: np.ndarray) -> np.ndarray:
        check_images(images)
        shape = images.shape[1:]
        if shape not in networks:
            _check_shape(card, shape)
            networks.clear()  # one size at a time: a compiled network holds memory for its images
            networks[shape] = _compile(path, [_pad_shape(shape, card.multiple)], n_cores)
        padded = _pad(images, card.multiple)
        outputs = _run_in_batches(networks[shape], [np.ascontiguousarray(padded)], n_cores)
        return outputs if padded is images else outputs[..., : shape[1], : shape[2]]

    return predict


def load_decoder(card: Card) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A function that draws: numbers (N, card.n_latents) and rows of class weights (N, K) -> images.

    Images (N, C, H, W) float32 in [0, 1]. Raises ModelError when the file is missing or damaged.
    """
    path, n_cores = check_file(card, NETWORK), _count_cores()
    network = _compile(path, [(card.n_latents,), (len(card.classes),)], n_cores)
    return lambda latents, rows: _run_in_batches(network, [latents, rows], n_cores)


def _count_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _compile(path: Path, shapes: list[tuple[int, ...]], n_cores: int) -> Any:
    """The network for any number of inputs of these shapes."""
    ov = _import_openvino()
    # float32 also where the processor has bfloat16, so that every machine gives the same answers
    hints = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "THROUGHPUT"}
    hints |= {"NUM_STREAMS": str(n_cores), "INFERENCE_NUM_THREADS": str(n_cores)}
    try:
        core = ov.Core()
        network = core.read_model(path)
        # a known size runs faster than any size
        network.reshape({i: ov.PartialShape([-1, *shape]) for i, shape in enumerate(shapes)})
        return core.compile_model(network, "CPU", hints)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]  # what comes before tells places in OpenVINO's source
        raise ModelError(f"{path} cannot be loaded: {reason}") from error


def _check_shape(card: Card, shape: tuple[int, ...]) -> None:
    takes, given = card.image_shape, shape
    if card.multiple and takes[0] == given[0]:
        return
    size = f"{takes[0]} channel{'s' * (takes[0] > 1)} of any size" if card.multiple else _say(takes)
    raise InputError(f"model {card.name!r} takes images of {size}, got {_say(given)}.")


def _pad_shape(shape: tuple[int, ...], multiple: int) -> tuple[int, ...]:
    """The shape with its sides enlarged to multiples; 0 leaves them."""
    return (shape[0], *(math.ceil(side / multiple) * multiple for side in shape[1:])) if multiple else shape


def _pad(images: np.ndarray, multiple: int) -> np.ndarray:
    """The images with paper (0) added below and to the right."""
    _, _, height, width = images.shape
    _, full_height, full_width = _pad_shape(images.shape[1:], multiple)
    if (full_height, full_width) == (height, width):
        return images
    return np.pad(images, ((0, 0), (0, 0), (0, full_height - height), (0, full_width - width)))


def _import_openvino() -> Any:
    """OpenVINO without its model converter, which reports every import to its makers over the network."""
    converter = "openvino.tools.ovc"
    if "openvino" in sys.modules:
        return sys.modules["openvino"]
    sys.modules[converter] = None  # type: ignore[assignment]  # makes its import fail, which OpenVINO allows for
    try:
        import openvino
    finally:
        del sys.modules[converter]
    return openvino


def _run_in_batches(network: Any, inputs: list[np.ndarray], n_requests: int) -> np.ndarray:
    """Keep every core busy with a request of its own, and gather the outputs in order.

    No callbacks: a callback still being freed on a worker thread can wait for ever for the interpreter, which
    is itself waiting for that thread.
    """
    _, *shape = network.output(0).partial_shape
    outputs = np.empty((len(inputs[0]), *(side.get_length() for side in shape)), np.float32)
    n_pixels = max(math.prod(outputs.shape[2:]), math.prod(inputs[0].shape[2:]))
    batch = max(1, BATCH_PIXELS // n_pixels)
    requests = [network.create_infer_request() for _ in range(n_requests)]
    under_way: dict[int, slice] = {}

    def finish(number: int) -> None:
        if number in under_way:
            requests[number].wait()
            outputs[under_way.pop(number)] = requests[number].get_output_tensor().data

    for i, start in enumerate(range(0, len(outputs), batch)):
        number, part = i % n_requests, slice(start, start + batch)
        finish(number)
        requests[number].start_async({k: each[part] for k, each in enumerate(inputs)}, share_inputs=True)
        under_way[number] = part
    for number in list(under_way):
        finish(number)
    return outputs


def _say(shape: tuple[int, ...]) -> str:
    channels, height, width = shape
    return f"{channels} channel{'s' * (channels > 1)}, {height} x {width} pixels"
