"""The task of a classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from legible.images import Predict
from legible.training.augment import augment
from legible.training.tasks import TASKS, RandomStreams, Task, add_noise_to_batch


@dataclass(frozen=True)
class Classify:
    """Predict the class of each image: cross-entropy, with label smoothing, augmentation and noise.

    noise: specs, new random noise each time an image is used. augment: specs, applied before the noise.
    label_smoothing: share of each target that is distributed equally over all classes.
    prepare: a last step for images (N, C, H, W), such as a denoiser.
    """

    loss_name: ClassVar[str] = "loss_nats"
    score_name: ClassVar[str] = "accuracy"
    noise: tuple[str, ...] = ()
    augment: tuple[str, ...] = ()
    label_smoothing: float = 0.0
    prepare: Predict | None = None

    def pair(self, images: Tensor, labels: Tensor, streams: RandomStreams) -> tuple[Tensor, Tensor]:
        """Augmented, noisy and prepared images, and their labels."""
        images = add_noise_to_batch(augment(images, streams.augment, self.augment), self.noise, streams)
        if self.prepare is not None:
            images = torch.from_numpy(self.prepare(images.cpu().numpy())).to(images.device)
        return images, labels

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy in nats, the mean over the batch."""
        return F.cross_entropy(outputs.float(), targets, label_smoothing=self.label_smoothing)

    def score(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The number of correct predictions in the batch."""
        return (outputs.argmax(1) == targets).sum()


@TASKS.register("classify", kind="classify", after=True)
def classify(noise: tuple[str, ...], augment: tuple[str, ...], label_smoothing: float) -> Task:
    """Predict the class of each image."""
    return Classify(noise, augment, label_smoothing)
