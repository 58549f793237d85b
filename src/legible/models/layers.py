"""Pieces that several models share."""

from __future__ import annotations

import torch
from torch import nn

from legible.errors import ArgumentError


def glorot(model: nn.Module) -> nn.Module:
    """Draw the weights as the reports' libraries do: Glorot uniform, biases zero. Returns the model.

    Source: Glorot and Bengio, 2010.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return model


def flat_size(features: nn.Module, image_shape: tuple[int, int, int]) -> int:
    """How many numbers `features` makes of one image of (C, H, W) pixels."""
    if min(image_shape) < 1:
        raise ArgumentError(f"an image of {image_shape} (channels, height, width) has no pixels.")
    with torch.no_grad():
        size = int(features.eval()(torch.zeros(1, *image_shape)).numel())
    features.train()
    return size
