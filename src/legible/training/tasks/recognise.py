"""The task of a classifier of digits that is also uncertain about anything that isn't a digit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from legible.data.non_digits import make_non_digits
from legible.data.pens import vary_digits
from legible.noise import check_setting
from legible.training.augment import augment as augment_images
from legible.training.tasks import TASKS, RandomStreams, Task, add_noise_to_batch

NOT_A_DIGIT = -1
_UNAUGMENTED_SHARE = 0.15  # of the images


@dataclass(frozen=True)
class Recognise:
    """Read digits in the forms of all countries; predict equal probabilities for anything else.

    noise, augment, label_smoothing: as for Classify. others: the number of generated pictures without a
    digit, as a share of the digits; their target is the uniform distribution. Source: Hendrycks et al., Deep
    Anomaly Detection with Outlier Exposure, ICLR 2019, who used photographs.
    """

    loss_name: ClassVar[str] = "loss_nats"
    score_name: ClassVar[str] = "accuracy"
    noise: tuple[str, ...] = ()
    augment: tuple[str, ...] = ()
    label_smoothing: float = 0.0
    others: float = 0.15

    def pair(self, images: Tensor, labels: Tensor, streams: RandomStreams) -> tuple[Tensor, Tensor]:
        """The varied digits, then the pictures without a digit, whose label is NOT_A_DIGIT."""
        digits, n_others = images[:, 0].cpu().numpy(), round(self.others * len(images))
        forms = vary_digits(digits, labels.cpu().numpy(), streams.noise)[:, None]
        others = make_non_digits(n_others, digits, streams.noise)
        shown = torch.from_numpy(np.concatenate([forms, others])).to(images.device)
        # augmentation blurs slightly, so it applies to both: blur must not distinguish digits from others
        changed = augment_images(shown, streams.augment, self.augment)
        is_changed = torch.from_numpy(streams.noise.random(len(shown)) >= _UNAUGMENTED_SHARE).to(
            images.device
        )
        shown = torch.where(is_changed[:, None, None, None], changed, shown)
        inputs = add_noise_to_batch(shown, self.noise, streams)
        targets = torch.cat([labels, labels.new_full((n_others,), NOT_A_DIGIT)])
        return inputs.contiguous(memory_format=torch.channels_last), targets

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy in nats, the mean over the batch; of non-digits with the uniform distribution."""
        logits, is_digit = outputs.float(), targets != NOT_A_DIGIT
        of_digits = F.cross_entropy(
            logits[is_digit], targets[is_digit], label_smoothing=self.label_smoothing, reduction="sum"
        )
        of_others = -logits[~is_digit].log_softmax(1).mean(1).sum()
        return (of_digits + of_others) / len(targets)

    def score(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The number of digits with a correct prediction."""
        return (outputs.argmax(1) == targets).sum()


@TASKS.register("recognise", kind="classify", calibrated=True)
def recognise(
    noise: tuple[str, ...], augment: tuple[str, ...], label_smoothing: float, *, others: float = 0.15
) -> Task:
    """Read digits, and be uncertain about anything that isn't one.

    others: pictures without a digit, as a share of the digits, 0 to 1.
    """
    check_setting("task 'recognise': others", others, 0, 1)
    return Recognise(noise, augment, label_smoothing, others)
