"""Fully connected nets."""

from __future__ import annotations

from itertools import pairwise
from math import prod

from torch import nn

from legible.errors import ArgumentError
from legible.models import MODELS, ImageShape
from legible.models.layers import glorot


@MODELS.register("mlp", paper="report E; LeCun's list of MNIST results for 500-300", smallest=1)
def build_mlp(image_shape: ImageShape, n_classes: int, *, widths: str = "64-64") -> nn.Module:
    """A fully connected net with ReLU, for instance 784-64-64-10.

    widths: units of the hidden layers, first to last, joined by '-'. 55,050 parameters for 28x28 pixels,
    ten classes and 64-64 (report E2); 545,810 for 500-300, Hinton's net in LeCun's list.
    Smallest image: one pixel.
    """
    try:
        hidden = [int(width) for width in widths.split("-")]
    except ValueError:
        hidden = []
    if not hidden or min(hidden) < 1:
        raise ArgumentError(
            f"model 'mlp': widths takes whole numbers joined by '-', like 64-64, not {widths!r}."
        )
    sizes = [prod(image_shape), *hidden]
    layers: list[nn.Module] = [nn.Flatten()]
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return glorot(nn.Sequential(*layers, nn.Linear(sizes[-1], n_classes)))
