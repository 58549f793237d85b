"""Line readers: a line of writing in, logits for every two pixel columns out."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from legible.models import MODELS, ImageShape

_PER_COLUMN = 2  # outputs for each column of features, which covers 4 pixels


class LineReader(nn.Module):
    """Convolutions down to a height of one, and two outputs for each column of features.

    Lines (N, 1, 40, W), W a multiple of 8, to logits (N, 1 + n_classes, W / 2); class 0 is the CTC blank.
    """

    multiple: ClassVar[int] = 8
    own_input_shape: ClassVar[ImageShape] = (1, 40, 256)

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
            _ColumnContext(wider, 1),
            _ColumnContext(wider, 2),
            nn.Dropout(0.1),
        )
        self.head = nn.Conv2d(wider, _PER_COLUMN * (1 + n_classes), 1)

    def forward(self, lines: Tensor) -> Tensor:
        """Logits of each class at each time step of each line."""
        logits = self.head(self.features(lines)).squeeze(2)  # (N, 2 K, W / 4)
        n, n_logits, width = logits.shape
        split: Tensor = logits.reshape(n, _PER_COLUMN, n_logits // _PER_COLUMN, width)
        return split.permute(0, 2, 3, 1).reshape(n, n_logits // _PER_COLUMN, _PER_COLUMN * width)


class _ColumnContext(nn.Module):
    """A residual block that adds to each column features of the columns `distance` to its left and right."""

    def __init__(self, filters: int, distance: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.Conv2d(filters, filters, (1, 3), padding=(0, distance), dilation=(1, distance), bias=False),
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
    paper="this project",
    kind="read-lines",
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
    """Six convolutions, two residual blocks along the line, and CTC logits for every two pixel columns.

    filters: of the first convolution; later ones have twice and four times as many. image_shape: of the
    single digits that lines are composed from; the lines are 40 pixels high and of any width.
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
    """A convolution with norm and ReLU."""
    convolution = nn.Conv2d(n_in, n_out, kernel, stride=stride, padding=padding, bias=False)
    return [convolution, nn.BatchNorm2d(n_out), nn.ReLU()]
