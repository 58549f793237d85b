"""Run a card's ONNX file, without PyTorch: images in, outputs out."""

from __future__ import annotations

import os
from collections.abc import Callable

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
    import openvino as ov

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
        return _run_in_batches(network, np.ascontiguousarray(images), len(card.classes))

    return predict


def _run_in_batches(network: object, images: np.ndarray, n_outputs: int) -> np.ndarray:
    import openvino as ov

    outputs = np.empty((len(images), n_outputs), np.float32)

    def keep(request: ov.InferRequest, start: int) -> None:
        result = request.get_output_tensor().data
        outputs[start : start + len(result)] = result

    queue = ov.AsyncInferQueue(network)
    queue.set_callback(keep)
    for start in range(0, len(images), BATCH):
        queue.start_async(images[start : start + BATCH], start)
    queue.wait_all()
    return outputs


def _say(shape: tuple[int, ...]) -> str:
    channels, height, width = shape
    return f"{channels} channel{'s' * (channels > 1)}, {height} x {width} pixels"
