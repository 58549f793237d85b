"""The task of a restorer: predict the clean image, by reconstruction or denoising."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from legible.errors import ArgumentError
from legible.training.augment import augment
from legible.training.tasks import TASKS, RandomStreams, Task, add_noise_to_batch


@dataclass(frozen=True)
class Restore:
    """Predict the clean image from itself (reconstruction) or from a noisy copy (denoising).

    noise, augment: as for Classify. loss_name: `bce_nats`, the binary cross-entropy per pixel, or `mse`; both
    are minimal at the expected value of the clean pixel.
    in_pairs: the data has noisy copies of its own: the first half of the channels is noisy, the second clean.
    """

    score_name: ClassVar[str] = "mse"
    noise: tuple[str, ...] = ()
    augment: tuple[str, ...] = ()
    loss_name: str = "bce_nats"
    in_pairs: bool = False

    def pair(self, images: Tensor, labels: Tensor, streams: RandomStreams) -> tuple[Tensor, Tensor]:
        """Noisy and clean images, with the same augmentation."""
        images = augment(images, streams.augment, self.augment)
        noisy, clean = images.chunk(2, dim=1) if self.in_pairs else (images, images)
        return add_noise_to_batch(noisy, self.noise, streams), clean

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The mean over all pixels. outputs: pixel logits (N, C, H, W)."""
        if self.loss_name == "bce_nats":
            return F.binary_cross_entropy_with_logits(outputs.float(), targets)
        return F.mse_loss(outputs.float().sigmoid(), targets)

    def score(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The sum over images of the mean squared error of their pixels."""
        return (outputs.float().sigmoid() - targets).square().flatten(1).mean(1).sum()


@TASKS.register("restore", kind="restore")
def restore(
    noise: tuple[str, ...], augment: tuple[str, ...], label_smoothing: float, *, loss: str = "bce"
) -> Task:
    """Predict the clean image; without noise, reconstruct the input. loss: bce or mse."""
    names = {"bce": "bce_nats", "mse": "mse"}
    if loss not in names:
        raise ArgumentError(f"task 'restore': loss is bce or mse, not {loss!r}.")
    if label_smoothing:
        raise ArgumentError("task 'restore' has no labels to smooth; leave label_smoothing at 0.")
    return Restore(noise, augment, names[loss])
