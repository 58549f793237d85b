"""Tasks: what is learnt. A task makes training pairs and says how wrong and how right an output is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from legible.noise import add_noise
from legible.training.augment import augment


@dataclass(frozen=True)
class Draws:
    """The randomness of one epoch, a stream for each use."""

    noise: np.random.Generator
    augment: torch.Generator


class Task(Protocol):
    """A kind of learning, as the loop sees it."""

    def pair(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Inputs and targets for a batch of images (N, C, H, W) and labels (N,)."""
        ...

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """What is minimised: the mean over the batch, a scalar."""
        ...

    def score(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """What people read: the sum over the batch, a scalar (for a classifier, how many are right)."""
        ...


@dataclass(frozen=True)
class Classify:
    """Name the class of each image: cross-entropy, with label smoothing, augmentation and fresh noise.

    noise: specs, drawn anew at every showing. augment: specs, before the noise.
    label_smoothing: share of each target spread evenly over all classes.
    """

    noise: tuple[str, ...] = ()
    augment: tuple[str, ...] = ()
    label_smoothing: float = 0.0

    def pair(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Augmented and noisy images, and their labels."""
        images = augment(images, draws.augment, self.augment)
        if self.noise:
            noisy = add_noise(images.cpu().numpy(), draws.noise, self.noise)
            images = torch.from_numpy(noisy).to(images.device)
        return images, labels

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy in nats, the mean over the batch."""
        return F.cross_entropy(outputs, targets, label_smoothing=self.label_smoothing)

    def score(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """How many of the batch are right."""
        return (outputs.argmax(1) == targets).sum()
