"""The training loop: a generator of one record per epoch; the caller prints, evaluates, saves, stops."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import import_module

import numpy as np
import torch
from torch import Tensor, nn

from legible.data.split import Labelled
from legible.errors import ArgumentError, ModelError
from legible.images import Predict
from legible.memory import freed_memory_kept
from legible.seeds import rng_for, seed_for
from legible.training.optimisers import OPTIMISERS, SCHEDULES, set_learning_rate, split_parameters
from legible.training.settings import Settings
from legible.training.tasks import RandomStreams, Task

PIXELS_AT_ONCE = 1000 * 28 * 28  # in a batch for prediction: a net's activations are a hundred times as large
STEPS_BETWEEN_CHECKS = 50  # of the loss for NaN: each check waits for the accelerator
LARGE_BYTES = 1_000_000_000  # of weights: for larger nets, fragmented memory would cost several GB


@dataclass
class State:
    """Everything that a training changes: enough to stop and resume with the same result."""

    model: nn.Module
    optimiser: torch.optim.Optimizer
    average: nn.Module | None
    n_epochs_done: int = 0

    @property
    def kept(self) -> nn.Module:
        """The model to evaluate and to save: the one with averaged weights if there is one."""
        return self.average or self.model


@dataclass(frozen=True)
class Epoch:
    """The record of one epoch. loss and score: means over its n_shown images, augmented and noisy."""

    number: int
    loss: float
    score: float
    n_shown: int
    seconds: float
    state: State


def prepare(model: nn.Module, settings: Settings) -> State:
    """Move a model to the accelerator, if there is one, and create its optimiser and averaged weights.

    Raises ArgumentError for settings that the optimiser refuses.
    """
    import_module("torch._dynamo")  # else the first optimiser step would: 2 s that aren't training
    _flush_denormals()  # here too: threads that start now would otherwise never flush
    model = model.to(device=find_device(), memory_format=torch.channels_last)  # type: ignore[call-overload]
    spec = OPTIMISERS.parse(settings.optimiser)
    # the gradient of l2 * sum(w^2) is 2 * l2 * w, which is what `weight_decay` of SGD and Adam adds
    decay = 2.0 * settings.l2 + settings.weight_decay  # one of the two is 0
    try:
        optimiser = OPTIMISERS.call(spec, split_parameters(model, decay))
    except ValueError as error:  # incompatible settings
        raise ArgumentError(f"optimiser {settings.optimiser!r}: {error}.") from error
    average = copy.deepcopy(model).requires_grad_(False) if settings.average else None
    return State(model, optimiser, average)


def _flush_denormals() -> None:
    """Treat numbers below 1e-38 as zero: saturated nets have such gradients, 17 times as slow to compute."""
    torch.set_flush_denormal(True)


def fit(state: State, task: Task, data: Labelled, settings: Settings, *, seed: int) -> Iterator[Epoch]:
    """Train from the epoch that `state` has reached to the last one, yielding a record after each.

    data: images (N, C, H, W) float32 in [0, 1] and labels (N,), all kept in memory.
    seed: of batch order, augmentation and noise; every epoch has its own random streams, so that a resumed
    training ends with the same weights. Raises ModelError if the loss is not finite.
    """
    device = next(state.model.parameters()).device
    images, labels = torch.from_numpy(data.images).to(device), torch.from_numpy(data.labels).to(device)
    n_bytes = sum(weights.nbytes for weights in state.model.parameters())
    with freed_memory_kept() if n_bytes < LARGE_BYTES else nullcontext():
        for number in range(state.n_epochs_done + 1, math.ceil(settings.n_epochs) + 1):
            start = time.perf_counter()
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed_for("dropout", seed, number))
                loss, score, n_shown = _run_epoch(state, task, (images, labels), settings, number, seed)
            state.n_epochs_done = number
            yield Epoch(number, loss, score, n_shown, time.perf_counter() - start, state)


def _run_epoch(
    state: State, task: Task, data: tuple[Tensor, Tensor], settings: Settings, number: int, seed: int
) -> tuple[float, float, int]:
    images, labels = data
    streams = RandomStreams(rng_for("noise", seed, number), _torch_generator(images.device, seed, number))
    batches = _shuffle(len(labels), settings.batch_size, rng_for("order", seed, number))
    n_before = (number - 1) * len(batches)
    at_least = (math.ceil(settings.n_epochs) - 1) * len(batches) + 1  # the last epoch has one batch or more
    n_steps = max(round(settings.n_epochs * len(batches)), at_least)
    batches = batches[: n_steps - n_before]  # half of the batches in half an epoch
    precision, schedule = autocast(settings.precision, images.device), SCHEDULES.parse(settings.schedule)
    total_loss = torch.zeros((), device=images.device)
    total_score = torch.zeros((), device=images.device)
    state.model.train()
    _flush_denormals()  # again: other libraries reset it
    for i, batch in enumerate(batches):
        index = torch.from_numpy(batch).to(images.device)
        inputs, targets = task.pair(images[index], labels[index], streams)
        with precision:
            outputs = state.model(inputs)
        loss = task.loss(outputs, targets)
        state.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        factor = SCHEDULES.call(schedule, (n_before + i + 1) / n_steps)
        set_learning_rate(state.optimiser, settings.learning_rate * factor)
        state.optimiser.step()
        n_steps_done = n_before + i + 1
        # a smaller decay in the first steps, so that the average soon forgets the untrained weights
        _update_average(state, min(settings.average, n_steps_done / (n_steps_done + 10)))
        total_loss += loss.detach() * len(batch)
        with torch.no_grad():
            total_score += task.score(outputs, targets)
        if i % STEPS_BETWEEN_CHECKS == 0 or i == len(batches) - 1:
            _check_finite(total_loss.item(), number, settings)
    n_shown = sum(map(len, batches))
    return total_loss.item() / n_shown, total_score.item() / n_shown, n_shown


def _shuffle(n_images: int, batch_size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """All indices in random order, in batches of nearly equal size: batch norms need more than one image."""
    return np.array_split(rng.permutation(n_images), math.ceil(n_images / batch_size))


def _torch_generator(device: torch.device, seed: int, number: int) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed_for("augment", seed, number))


def _update_average(state: State, decay: float) -> None:
    """Update the moving average of the model's weights and running statistics."""
    if state.average is None:
        return
    averages = [t for t in state.average.state_dict().values() if t.is_floating_point()]
    values = [t.detach() for t in state.model.state_dict().values() if t.is_floating_point()]
    torch._foreach_lerp_(averages, values, 1.0 - decay)


def _check_finite(loss: float, number: int, settings: Settings) -> None:
    if not math.isfinite(loss):
        raise ModelError(
            f"the loss is infinite or NaN in epoch {number}: the training diverged. "
            f"Try a learning rate below {settings.learning_rate:g}; the last epoch's checkpoint is kept."
        )


def find_device() -> torch.device:
    """The GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16, which is then faster than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


def choose_precision(precision: str, device: torch.device) -> str:
    """The precision that a model computes in, `float32` or `bfloat16`, given a setting that may be `auto`."""
    if precision == "auto":
        return "bfloat16" if has_bfloat16(device) else "float32"
    return precision


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """The context in which a model computes in this precision."""
    if choose_precision(precision, device) == "float32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def predictor(model: nn.Module) -> Predict:
    """A function that maps images (N, C, H, W) to the model's outputs as float32, in evaluation mode."""
    device = next(model.parameters()).device

    def predict(images: np.ndarray) -> np.ndarray:
        model.eval()
        with torch.inference_mode():
            batch_size = max(1, PIXELS_AT_ONCE // images[0, 0].size)
            batches = torch.split(torch.from_numpy(images), batch_size)
            outputs = [model(batch.to(device)).float().cpu() for batch in batches]
        return torch.cat(outputs).numpy()

    return predict
