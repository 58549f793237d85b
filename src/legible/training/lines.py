"""Learning to read lines: strings composed anew from the digits of each batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from legible.ctc import read_best
from legible.data.strings import compose_lines
from legible.errors import ArgumentError
from legible.images import pad_widths
from legible.training.augment import augment as augment_images
from legible.training.tasks import TASKS, Draws, Task, put_noise

NOTHING = -1  # behind a string that is shorter than the longest of its batch


@dataclass(frozen=True)
class ReadLines:
    """Read strings of digits: connectionist temporal classification of lines composed from single digits.

    noise, augment: as for Classify, put on the single digits. Source of the loss: Graves et al.,
    Connectionist Temporal Classification, ICML 2006.
    """

    loss_name: ClassVar[str] = "loss_nats"
    score_name: ClassVar[str] = "strings_right"
    noise: tuple[str, ...] = ()
    augment: tuple[str, ...] = ()

    def pair(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Lines (n, 1, 40, W) of all the digits, and what they say, (n, longest), NOTHING behind each end."""
        images = put_noise(augment_images(images, draws.augment, self.augment), self.noise, draws)
        lines, texts = compose_lines(images[:, 0].cpu().numpy(), labels.cpu().numpy(), draws.noise)
        rows = np.full((len(texts), max(map(len, texts))), NOTHING)
        for row, text in zip(rows, texts, strict=True):
            row[: len(text)] = text
        inputs = torch.from_numpy(pad_widths(lines)).to(images.device)
        return inputs.contiguous(memory_format=torch.channels_last), torch.from_numpy(rows).to(labels.device)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Nats a line, each divided by its length, the mean over the batch."""
        logs = outputs.float().log_softmax(1).permute(2, 0, 1)  # (W / 2, n, 1 + K)
        is_there = targets != NOTHING
        n_seen = torch.full((len(targets),), len(logs), device=targets.device)
        return F.ctc_loss(logs, targets[is_there] + 1, n_seen, is_there.sum(1), zero_infinity=True)

    def score(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The share of lines read wholly right, times the number of digits, as the loop counts images."""
        read = read_best(outputs.detach().float().cpu().numpy())
        rows = targets.cpu().numpy()
        rights = [text == row[row != NOTHING].tolist() for text, row in zip(read, rows, strict=True)]
        return torch.tensor(float(np.mean(rights) * (rows != NOTHING).sum()), device=outputs.device)


@TASKS.register("read-lines", kind="reader", calibrated=True)
def read_lines(noise: tuple[str, ...], augment: tuple[str, ...], label_smoothing: float) -> Task:
    """Read strings of digits, composed from the single ones."""
    if label_smoothing:
        raise ArgumentError("task 'read-lines' has no labels to smooth; leave label_smoothing at 0.")
    return ReadLines(noise, augment)
