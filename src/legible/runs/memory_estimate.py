"""Whether a training fits into memory, told before anything is allocated."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from legible.errors import ArgumentError
from legible.memory import free_memory
from legible.models import MODELS, ImageShape, example_inputs
from legible.runs.run import Run

N_COPIES = 4  # of the weights: themselves, their gradients, and the optimiser's two averages
N_ACTIVATIONS = 2  # of a layer's outputs: themselves for the way back, and their gradients
BYTES = 4  # of a number


def check_memory(run: Run, image_shape: ImageShape, n_classes: int) -> None:
    """Raise ArgumentError where weights and activations need more memory than there is.

    The model is built and run on PyTorch's `meta` device, which has shapes and no numbers. Models that do not
    run there are let through, and so are systems that do not say how much memory is free.
    """
    free = free_memory()
    needed = estimate_bytes(run, image_shape, n_classes)
    if free is None or needed is None or needed <= free:
        return
    _, height, width = image_shape
    raise ArgumentError(
        f"training {run.model!r} on images of {height} x {width} pixels in batches of "
        f"{run.settings.batch_size} needs about {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are "
        "free. Scale the images down (--size), take smaller batches (--batch-size) or a smaller model."
    )


def estimate_bytes(run: Run, image_shape: ImageShape, n_classes: int) -> int | None:
    """The bytes of weights and activations in a step of training; None where that cannot be estimated."""
    try:
        with torch.device("meta"), torch.no_grad():
            model = MODELS.call(run.model, image_shape, n_classes)
            n_weights = sum(weights.numel() for weights in model.parameters())
            n_activations = _count_activations(model, image_shape)
    except Exception:  # whatever a model does that `meta` has no answer to; building it tells what is wrong
        return None
    per_image = n_activations * N_ACTIVATIONS
    return BYTES * (n_weights * N_COPIES + per_image * run.settings.batch_size)


def _count_activations(model: nn.Module, image_shape: ImageShape) -> int:
    """How many numbers the layers of a model give for one image."""
    counts: list[int] = []

    def note(_: nn.Module, __: object, output: object) -> None:
        if isinstance(output, Tensor):
            counts.append(output.numel())

    for module in model.modules():
        if not list(module.children()):
            module.register_forward_hook(note)
    model.eval()(example_inputs(model, image_shape))
    return sum(counts)
