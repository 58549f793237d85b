"""Learning to read digits as they come, and to know what is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from legible.data.not_digits import draw_not_digits
from legible.data.pens import vary_digits
from legible.noise import check_setting
from legible.training.augment import augment as augment_images
from legible.training.tasks import TASKS, Draws, Task, put_noise

NO_DIGIT = -1
_AS_THEY_ARE = 0.15  # of what is shown, not augmented


@dataclass(frozen=True)
class Recognise:
    """Name the digit, in forms of all countries and under noise; of what is no digit, believe nothing.

    noise, augment, label_smoothing: as for Classify. others: pictures without a digit, made up anew, as a
    share of the digits; their target is every class alike. Source: Hendrycks et al., Deep Anomaly Detection
    with Outlier Exposure, ICLR 2019; theirs were photographs.
    """

    loss_name: ClassVar[str] = "loss_nats"
    score_name: ClassVar[str] = "accuracy"
    noise: tuple[str, ...] = ()
    augment: tuple[str, ...] = ()
    label_smoothing: float = 0.0
    others: float = 0.15

    def pair(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """The digits changed, then the pictures without one, and labels, NO_DIGIT for these."""
        digits, n_others = images[:, 0].cpu().numpy(), round(self.others * len(images))
        forms = vary_digits(digits, labels.cpu().numpy(), draws.noise)[:, None]
        others = draw_not_digits(n_others, digits, draws.noise)
        shown = torch.from_numpy(np.concatenate([forms, others])).to(images.device)
        # both alike: what is moved is softer than what is not, and must not tell digits from others
        moved = augment_images(shown, draws.augment, self.augment)
        is_moved = torch.from_numpy(draws.noise.random(len(shown)) >= _AS_THEY_ARE).to(images.device)
        inputs = put_noise(torch.where(is_moved[:, None, None, None], moved, shown), self.noise, draws)
        targets = torch.cat([labels, labels.new_full((n_others,), NO_DIGIT)])
        return inputs.contiguous(memory_format=torch.channels_last), targets

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy in nats, the mean over the batch; for what is no digit, with even probabilities."""
        logits, is_digit = outputs.float(), targets != NO_DIGIT
        of_digits = F.cross_entropy(
            logits[is_digit], targets[is_digit], label_smoothing=self.label_smoothing, reduction="sum"
        )
        of_others = -logits[~is_digit].log_softmax(1).mean(1).sum()
        return (of_digits + of_others) / len(targets)

    def score(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """How many of the digits are right."""
        return (outputs.argmax(1) == targets).sum()


@TASKS.register("recognise", kind="classifier", does="classify", calibrated=True)
def recognise(
    noise: tuple[str, ...], augment: tuple[str, ...], label_smoothing: float, *, others: float = 0.15
) -> Task:
    """Name the digit, and believe nothing of what is none. others: pictures without one, a share, 0 to 1."""
    check_setting("task 'recognise': others", others, 0, 1)
    return Recognise(noise, augment, label_smoothing, others)
