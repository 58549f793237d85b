"""Tasks: what is learnt. A task makes training pairs and says how wrong and how right an output is.

TASKS: name -> a builder `(noise, augment, label_smoothing, *, settings...) -> Task`. Fact: `kind` is the kind
of model that learns it; the first of a kind is what such a model learns unless told otherwise. Fact: `does`
is what it is judged and used as, where that has another name. Fact: `calibrated`, that its confidence is made
honest on held-out images.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from legible.errors import ArgumentError
from legible.noise import add_noise
from legible.registry import Registry
from legible.training.augment import augment


@dataclass(frozen=True)
class Draws:
    """The randomness of one epoch, a stream for each use."""

    noise: np.random.Generator
    augment: torch.Generator


class Task(Protocol):
    """A kind of learning, as the loop sees it.

    loss_name, score_name: what its loss and score are called where models are judged.
    """

    @property
    def loss_name(self) -> str: ...  # noqa: D102
    @property
    def score_name(self) -> str: ...  # noqa: D102

    def pair(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[Any, Tensor]:
        """Inputs and targets for a batch of images (N, C, H, W) and labels (N,)."""
        ...

    def loss(self, outputs: Any, targets: Tensor) -> Tensor:
        """What is minimised: the mean over the batch, a scalar. outputs: what the model made of inputs."""
        ...

    def score(self, outputs: Any, targets: Tensor) -> Tensor:
        """What people read: the sum over the batch, a scalar (for a classifier, how many are right)."""
        ...


TASKS: Registry[Task] = Registry("task", "legible train --help")


@dataclass(frozen=True)
class Classify:
    """Name the class of each image: cross-entropy, with label smoothing, augmentation and fresh noise.

    noise: specs, drawn anew at every showing. augment: specs, before the noise.
    label_smoothing: share of each target spread evenly over all classes.
    prepare: what images (N, C, H, W) go through at last, a denoiser for instance.
    """

    loss_name: ClassVar[str] = "loss_nats"
    score_name: ClassVar[str] = "accuracy"
    noise: tuple[str, ...] = ()
    augment: tuple[str, ...] = ()
    label_smoothing: float = 0.0
    prepare: Callable[[np.ndarray], np.ndarray] | None = None

    def pair(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Augmented, noisy and prepared images, and their labels."""
        images = put_noise(augment(images, draws.augment, self.augment), self.noise, draws)
        if self.prepare is not None:
            images = torch.from_numpy(self.prepare(images.cpu().numpy())).to(images.device)
        return images, labels

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy in nats, the mean over the batch."""
        return F.cross_entropy(outputs.float(), targets, label_smoothing=self.label_smoothing)

    def score(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """How many of the batch are right."""
        return (outputs.argmax(1) == targets).sum()


@dataclass(frozen=True)
class Restore:
    """Give back the clean image: of itself (reconstruct), or of a noisy copy (denoise).

    noise, augment: as for Classify. loss_name: `bce_nats`, the binary cross-entropy per pixel, or `mse`; the
    best answer to both is the mean of what the clean pixel may be.
    in_pairs: the images bring a noisy copy of their own, in front of them as further channels.
    """

    score_name: ClassVar[str] = "mse"
    noise: tuple[str, ...] = ()
    augment: tuple[str, ...] = ()
    loss_name: str = "bce_nats"
    in_pairs: bool = False

    def pair(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Noisy images and the clean ones, augmented alike."""
        images = augment(images, draws.augment, self.augment)
        noisy, clean = images.chunk(2, dim=1) if self.in_pairs else (images, images)
        return put_noise(noisy, self.noise, draws), clean

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The mean over all pixels. outputs: pixel logits (N, C, H, W)."""
        if self.loss_name == "bce_nats":
            return F.binary_cross_entropy_with_logits(outputs.float(), targets)
        return F.mse_loss(outputs.float().sigmoid(), targets)

    def score(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The sum over images of the mean squared error of their pixels."""
        return (outputs.float().sigmoid() - targets).square().flatten(1).mean(1).sum()


@TASKS.register("classify", kind="classifier")
def classify(noise: tuple[str, ...], augment: tuple[str, ...], label_smoothing: float) -> Task:
    """Name the class of each image."""
    return Classify(noise, augment, label_smoothing)


@TASKS.register("restore", kind="autoencoder")
def restore(
    noise: tuple[str, ...], augment: tuple[str, ...], label_smoothing: float, *, loss: str = "bce"
) -> Task:
    """Give back the clean image; without noise, reconstruct it. loss: bce or mse."""
    names = {"bce": "bce_nats", "mse": "mse"}
    if loss not in names:
        raise ArgumentError(f"task 'restore': loss is bce or mse, not {loss!r}.")
    if label_smoothing:
        raise ArgumentError("task 'restore' has no labels to smooth; leave label_smoothing at 0.")
    return Restore(noise, augment, names[loss])


def put_noise(images: Tensor, noise: tuple[str, ...], draws: Draws) -> Tensor:
    """Images (N, C, H, W) with fresh noise, on the device they came from."""
    if not noise:
        return images
    return torch.from_numpy(add_noise(images.cpu().numpy(), draws.noise, noise)).to(images.device)
