"""Run a card's ONNX file, without PyTorch: images in, outputs out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from legible.cards import NETWORK, Card, check_file
from legible.errors import InputError, ModelError
from legible.images import check_images

BATCH = 500  # images per request: large enough to keep a core busy, small enough for its cache
Predict = Callable[[np.ndarray], np.ndarray]


def load_runtime(card: Card) -> Predict:
    """A function that maps images (N, C, H, W) to the card's outputs, for a classifier logits (N, K) float32.

    Batches run side by side, one per core. Raises ModelError when the file is missing or damaged; the
    function raises InputError for images of another shape than the card takes.
    """
    path = check_file(card, NETWORK)
    ov = _import_openvino()
    # float32 also where the processor has bfloat16, so that every machine gives the same answers
    hints = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "THROUGHPUT"}
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    hints |= {"NUM_STREAMS": str(n_cores), "INFERENCE_NUM_THREADS": str(n_cores)}
    try:
        network = ov.Core().compile_model(path, "CPU", hints)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]  # what comes before tells places in OpenVINO's source
        raise ModelError(f"{path} cannot be loaded: {reason}") from error

    def predict(images: np.ndarray) -> np.ndarray:
        check_images(images)
        if images.shape[1:] != card.image_shape:
            raise InputError(
                f"model {card.name!r} takes images of {_say(card.image_shape)}, got {_say(images.shape[1:])}."
            )
        return _run_in_batches(network, np.ascontiguousarray(images), len(card.classes), n_cores)

    return predict


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


def _run_in_batches(network: Any, images: np.ndarray, n_outputs: int, n_requests: int) -> np.ndarray:
    """Keep every core busy with a request of its own, and gather the outputs in order.

    No callbacks: a callback still being freed on a worker thread can wait for ever for the interpreter, which
    is itself waiting for that thread.
    """
    outputs = np.empty((len(images), n_outputs), np.float32)
    requests = [network.create_infer_request() for _ in range(n_requests)]
    under_way: dict[int, slice] = {}

    def finish(number: int) -> None:
        if number in under_way:
            requests[number].wait()
            outputs[under_way.pop(number)] = requests[number].get_output_tensor().data

    for i, start in enumerate(range(0, len(images), BATCH)):
        number, part = i % n_requests, slice(start, start + BATCH)
        finish(number)
        requests[number].start_async({0: images[part]}, share_inputs=True)
        under_way[number] = part
    for number in list(under_way):
        finish(number)
    return outputs


def _say(shape: tuple[int, ...]) -> str:
    channels, height, width = shape
    return f"{channels} channel{'s' * (channels > 1)}, {height} x {width} pixels"
