"""Tasks: what a model learns. A task makes training pairs and computes loss and score.

TASKS: name -> a builder `(noise, augment, label_smoothing, *, settings...) -> Task`, one file each. Facts of
an entry: `kind`, the kind of model (kinds.py) that can learn it; the task with the kind's name is the
default. `calibrated`: its confidence is calibrated on held-out images. `after`: its images may pass through a
saved restorer first (its field `prepare`). `quick`: its spec in the quick versions of studies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from legible.noise import add_noise
from legible.registry import Registry


@dataclass(frozen=True)
class RandomStreams:
    """The random number generators of one epoch: one for noise, one for augmentation."""

    noise: np.random.Generator
    augment: torch.Generator


class Task(Protocol):
    """What the training loop needs of a task.

    loss_name, score_name: the names of its loss and score in evaluations.
    """

    @property
    def loss_name(self) -> str: ...  # noqa: D102
    @property
    def score_name(self) -> str: ...  # noqa: D102

    def pair(self, images: Tensor, labels: Tensor, streams: RandomStreams) -> tuple[Any, Tensor]:
        """Inputs and targets for a batch of images (N, C, H, W) and labels (N,)."""
        ...

    def loss(self, outputs: Any, targets: Tensor) -> Tensor:
        """The loss to minimise: the mean over the batch, a scalar. outputs: the model's, for the inputs."""
        ...

    def score(self, outputs: Any, targets: Tensor) -> Tensor:
        """The score to print: the sum over the batch, a scalar (for a classifier, the number correct)."""
        ...


TASKS: Registry[Task] = Registry("task", "legible train --help", package="legible.training.tasks")


def add_noise_to_batch(images: Tensor, noise: tuple[str, ...], streams: RandomStreams) -> Tensor:
    """Images (N, C, H, W) with new noise, on their device."""
    if not noise:
        return images
    return torch.from_numpy(add_noise(images.cpu().numpy(), streams.noise, noise)).to(images.device)
