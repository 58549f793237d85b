"""Readers of lines: a line of writing in, for each few columns of it what is written there."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from legible.models import MODELS, ImageShape

_PER_COLUMN = 2  # answers for each column of features, which stands for 4 pixels


class LineReader(nn.Module):
    """Convolutions that end one row high, and two answers for each column of features.

    Lines (N, 1, 40, W), W a multiple of 8, to logits (N, 1 + n_classes, W / 2); the first is "nothing new".
    """

    multiple: ClassVar[int] = 8
    takes: ClassVar[ImageShape] = (1, 40, 256)

    def __init__(self, n_classes: int, filters: int) -> None:
        super().__init__()
        wide, wider = 2 * filters, 4 * filters
        self.features = nn.Sequential(
            *_convolve(1, filters, 5, stride=2, padding=2),
            *_convolve(filters, wide),
            *_convolve(wide, wide),
            nn.MaxPool2d(2),
            *_convolve(wide, wider),
            *_convolve(wider, wider),
            nn.MaxPool2d((2, 1)),
            *_convolve(wider, wider, (5, 3), padding=(0, 1)),
            _Along(wider, 1),
            _Along(wider, 2),
            nn.Dropout(0.1),
        )
        self.head = nn.Conv2d(wider, _PER_COLUMN * (1 + n_classes), 1)

    def forward(self, lines: Tensor) -> Tensor:
        """Logits of each class at each place of each line."""
        answers = self.head(self.features(lines)).squeeze(2)  # (N, 2 K, W / 4)
        n, n_answers, width = answers.shape
        apart: Tensor = answers.reshape(n, _PER_COLUMN, n_answers // _PER_COLUMN, width)
        return apart.permute(0, 2, 3, 1).reshape(n, n_answers // _PER_COLUMN, _PER_COLUMN * width)


class _Along(nn.Module):
    """What is to the left and right, added to what is here. apart: columns between those looked at."""

    def __init__(self, filters: int, apart: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.Conv2d(filters, filters, (1, 3), padding=(0, apart), dilation=(1, apart), bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
            nn.Conv2d(filters, filters, 1, bias=False),
            nn.BatchNorm2d(filters),
        )

    def forward(self, columns: Tensor) -> Tensor:
        changed: Tensor = torch.relu(columns + self.change(columns))
        return changed


@MODELS.register(
    "line-reader",
    paper="ours",
    kind="reader",
    smallest=8,
    recipe={
        "n_epochs": 22,
        "batch_size": 256,
        "optimiser": "muon",
        "learning_rate": 0.05,
        "schedule": "triangle:warmup=0.1,final=0.03",
        "augment": ("elastic:24",),
        "average": 0.998,
    },
)
def build_line_reader(image_shape: ImageShape, n_classes: int, *, filters: int = 32) -> nn.Module:
    """Six convolutions, two that look along the line, two answers for each four pixels of it.

    filters: of the first convolution; later ones have twice and four times as many. image_shape: of the
    single digits that lines are composed from; lines are 40 pixels high and of any width.
    659,062 parameters for ten classes.
    """
    return LineReader(n_classes, filters)


def _convolve(
    n_in: int,
    n_out: int,
    kernel: int | tuple[int, int] = 3,
    *,
    stride: int = 1,
    padding: int | tuple[int, int] = 1,
) -> list[nn.Module]:
    """A convolution with its norm."""
    convolution = nn.Conv2d(n_in, n_out, kernel, stride=stride, padding=padding, bias=False)
    return [convolution, nn.BatchNorm2d(n_out), nn.ReLU()]
