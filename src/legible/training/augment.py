"""Augmentation: whole batches of training images, moved a little at random."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from legible.registry import Registry, Spec

AUGMENTS: Registry[Tensor] = Registry("augmentation", "legible train --help")


def augment(images: Tensor, generator: torch.Generator, specs: Iterable[Spec | str]) -> Tensor:
    """Put several augmentations on a batch (N, C, H, W), one after the other."""
    for spec in specs:
        images = AUGMENTS.call(spec, images, generator)
    return images
