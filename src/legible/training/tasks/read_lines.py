"""The task of a line reader: strings composed from the digits of each batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from legible.ctc import greedy_decode
from legible.data.strings import compose_lines
from legible.errors import ArgumentError
from legible.images import pad_widths
from legible.training.augment import augment as augment_images
from legible.training.tasks import TASKS, RandomStreams, Task, add_noise_to_batch

PADDING = -1  # after strings that are shorter than the longest of their batch


@dataclass(frozen=True)
class ReadLines:
    """Read strings of digits: connectionist temporal classification (CTC) of lines composed of digits.

    noise, augment: as for Classify, applied to the single digits. Source of the loss: Graves et al.,
    Connectionist Temporal Classification, ICML 2006.
    """

    loss_name: ClassVar[str] = "loss_nats"
    score_name: ClassVar[str] = "strings_right"
    noise: tuple[str, ...] = ()
    augment: tuple[str, ...] = ()

    def pair(self, images: Tensor, labels: Tensor, streams: RandomStreams) -> tuple[Tensor, Tensor]:
        """Lines (n, 1, 40, W) of all the digits, and their digits (n, longest), followed by PADDING."""
        images = add_noise_to_batch(
            augment_images(images, streams.augment, self.augment), self.noise, streams
        )
        lines, texts = compose_lines(images[:, 0].cpu().numpy(), labels.cpu().numpy(), streams.noise)
        rows = np.full((len(texts), max(map(len, texts))), PADDING)
        for row, text in zip(rows, texts, strict=True):
            row[: len(text)] = text
        inputs = torch.from_numpy(pad_widths(lines)).to(images.device)
        return inputs.contiguous(memory_format=torch.channels_last), torch.from_numpy(rows).to(labels.device)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Nats per line, divided by the line's length, the mean over the batch."""
        logs = outputs.float().log_softmax(1).permute(2, 0, 1)  # (W / 2, n, 1 + K)
        is_digit = targets != PADDING
        n_steps = torch.full((len(targets),), len(logs), device=targets.device)
        return F.ctc_loss(logs, targets[is_digit] + 1, n_steps, is_digit.sum(1), zero_infinity=True)

    def score(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The share of lines without any error, times the number of digits, since the loop counts images."""
        read = greedy_decode(outputs.detach().float().cpu().numpy())
        rows = targets.cpu().numpy()
        is_right = [text == row[row != PADDING].tolist() for text, row in zip(read, rows, strict=True)]
        return torch.tensor(float(np.mean(is_right) * (rows != PADDING).sum()), device=outputs.device)


@TASKS.register("read-lines", kind="read-lines", calibrated=True)
def read_lines(noise: tuple[str, ...], augment: tuple[str, ...], label_smoothing: float) -> Task:
    """Read strings of digits, which are composed from the dataset's single digits."""
    if label_smoothing:
        raise ArgumentError("task 'read-lines' has no labels to smooth; leave label_smoothing at 0.")
    return ReadLines(noise, augment)
