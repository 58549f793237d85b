"""The training loop: a generator that yields a record per epoch; the caller prints, judges, saves, stops."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
import torch._dynamo  # the first step of any optimiser imports it: 2 s that are not training
from torch import Tensor, nn

from legible.data.split import Labelled
from legible.errors import ArgumentError, ModelError
from legible.memory import freed_memory_kept
from legible.models import to_channels_last
from legible.seeds import rng_for, seed_for
from legible.training.optimisers import OPTIMISERS, SCHEDULES, set_learning_rate, split_parameters
from legible.training.settings import Settings
from legible.training.tasks import Draws, Task

PIXELS_AT_ONCE = 1000 * 28 * 28  # when a model is judged: a net keeps a hundred times as many numbers
# a net that saturates has gradients below 1e-38, which take processors 17 times as long; told here too, since
# threads that are there already would go on as before
torch.set_flush_denormal(True)
STEPS_BETWEEN_CHECKS = 50  # of the loss for NaN: a check waits for the accelerator
_LARGE_BYTES = 1_000_000_000  # of weights: holes in kept memory would cost such a net several GB


@dataclass
class State:
    """All that a training changes as it goes: enough to stop, and to go on as if it had not stopped."""

    model: nn.Module
    optimiser: torch.optim.Optimizer
    average: nn.Module | None
    n_epochs_done: int = 0

    @property
    def kept(self) -> nn.Module:
        """The model to judge and to keep: the average of the weights where there is one."""
        return self.average or self.model


@dataclass(frozen=True)
class Epoch:
    """What one epoch gave. loss and score are means over the n_shown training images as they were shown."""

    number: int
    loss: float
    score: float
    n_shown: int
    seconds: float
    state: State


def prepare(model: nn.Module, settings: Settings) -> State:
    """Put a model on the accelerator, if there is one, with its optimiser and its average.

    Raises ArgumentError for settings that the optimiser refuses.
    """
    model = to_channels_last(model.to(find_device()))
    spec = OPTIMISERS.parse(settings.optimiser)
    # the gradient of l2 * sum(w^2) is 2 * l2 * w, which is what `weight_decay` of SGD and Adam adds
    decay = 2.0 * settings.l2 + settings.weight_decay  # an optimiser takes one of them, the other is 0
    try:
        optimiser = OPTIMISERS.call(spec, split_parameters(model, decay))
    except ValueError as error:  # settings that do not go together
        raise ArgumentError(f"optimiser {settings.optimiser!r}: {error}.") from error
    average = copy.deepcopy(model).requires_grad_(False) if settings.average else None
    return State(model, optimiser, average)


def fit(state: State, task: Task, data: Labelled, settings: Settings, *, seed: int) -> Iterator[Epoch]:
    """Train from where `state` stands to the last epoch, yielding a record after each.

    data: images (N, C, H, W) float32 in [0, 1] and labels (N,), kept whole in memory.
    seed: of batch order, augmentation and noise; every epoch has streams of its own, so that a resumed
    training ends with the same weights. Raises ModelError when the loss is no longer a number.
    """
    device = next(state.model.parameters()).device
    images, labels = torch.from_numpy(data.images).to(device), torch.from_numpy(data.labels).to(device)
    n_bytes = sum(weights.nbytes for weights in state.model.parameters())
    with freed_memory_kept() if n_bytes < _LARGE_BYTES else nullcontext():
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
    draws = Draws(rng_for("noise", seed, number), _torch_generator(images.device, seed, number))
    batches = _shuffle(len(labels), settings.batch_size, rng_for("order", seed, number))
    n_before = (number - 1) * len(batches)
    at_least = (math.ceil(settings.n_epochs) - 1) * len(batches) + 1  # the last epoch shows a batch
    n_steps = max(round(settings.n_epochs * len(batches)), at_least)
    batches = batches[: n_steps - n_before]  # of half an epoch, half of the batches
    precision, schedule = autocast(settings.precision, images.device), SCHEDULES.parse(settings.schedule)
    total_loss = torch.zeros((), device=images.device)
    total_score = torch.zeros((), device=images.device)
    state.model.train()
    torch.set_flush_denormal(True)  # once more: other libraries take it back
    for i, batch in enumerate(batches):
        index = torch.from_numpy(batch).to(images.device)
        inputs, targets = task.pair(images[index], labels[index], draws)
        with precision:
            outputs = state.model(inputs)
        loss = task.loss(outputs, targets)
        state.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        factor = SCHEDULES.call(schedule, (n_before + i + 1) / n_steps)
        set_learning_rate(state.optimiser, settings.learning_rate * factor)
        state.optimiser.step()
        n_steps_done = n_before + i + 1
        # the first steps count for more, or the average would be of the untrained weights for long
        _follow(state, min(settings.average, n_steps_done / (n_steps_done + 10)))
        total_loss += loss.detach() * len(batch)
        with torch.no_grad():
            total_score += task.score(outputs, targets)
        if i % STEPS_BETWEEN_CHECKS == 0 or i == len(batches) - 1:
            _check_finite(total_loss.item(), number, settings)
    n_shown = sum(map(len, batches))
    return total_loss.item() / n_shown, total_score.item() / n_shown, n_shown


def _shuffle(n_images: int, batch_size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """All indices in random order, in batches of nearly equal size: a last batch of one would upset norms."""
    return np.array_split(rng.permutation(n_images), math.ceil(n_images / batch_size))


def _torch_generator(device: torch.device, seed: int, number: int) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed_for("augment", seed, number))


def _follow(state: State, decay: float) -> None:
    """Move the average a little towards the weights (and running statistics) of the model."""
    if state.average is None:
        return
    averages = [t for t in state.average.state_dict().values() if t.is_floating_point()]
    values = [t.detach() for t in state.model.state_dict().values() if t.is_floating_point()]
    torch._foreach_lerp_(averages, values, 1.0 - decay)


def _check_finite(loss: float, number: int, settings: Settings) -> None:
    if not math.isfinite(loss):
        raise ModelError(
            f"the loss is no longer a number in epoch {number}: the training diverged. "
            f"Try a learning rate below {settings.learning_rate:g}; the last epoch's checkpoint is kept."
        )


def find_device() -> torch.device:
    """The accelerator where there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is faster here: the processor or the accelerator computes in it."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


def choose_precision(precision: str, device: torch.device) -> str:
    """What a model's arithmetic is done in, `float32` or `bfloat16`, where the setting may say `auto`."""
    if precision == "auto":
        return "bfloat16" if has_bfloat16(device) else "float32"
    return precision


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """The context in which the model computes: bfloat16 or float32."""
    if choose_precision(precision, device) == "float32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def predictor(model: nn.Module) -> Callable[[np.ndarray], np.ndarray]:
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
