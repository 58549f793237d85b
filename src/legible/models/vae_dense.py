"""The first published variational autoencoder: fully connected, with one layer of latents."""

from __future__ import annotations

from math import prod

from torch import nn

from legible.models import MODELS, ImageShape
from legible.models.vae import RECIPE, Ladder, LatentBlock, check_counts


@MODELS.register(
    "vae-dense", kind="generate", paper="Kingma, Welling 2014; report E8", smallest=1, recipe=RECIPE
)
def build_dense(
    image_shape: ImageShape, n_classes: int, *, latents: int = 50, hidden: int = 400, condition: str = "label"
) -> Ladder:
    """One layer of latents between two fully connected nets: the first published variational autoencoder.

    latents: number of latents; 2 allows a map of the latent space. hidden: units of each hidden layer.
    condition: `label` generates the class asked for; `no` is unconditional, like most published models.
    1,053,784 parameters for 28x28 grey pixels and ten classes.
    """
    check_counts("vae-dense", condition, latents=latents, hidden=hidden)
    stage = nn.Sequential(nn.Flatten(), nn.Linear(prod(image_shape), hidden), nn.Unflatten(1, (hidden, 1, 1)))
    pixels = nn.Sequential(
        nn.Flatten(), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, prod(image_shape)),
        nn.Unflatten(1, image_shape),
    )  # fmt: skip
    block = LatentBlock(hidden, (latents, 1, 1), 0, pixels)
    return Ladder([stage], [block], width=hidden, n_classes=n_classes if condition == "label" else 0)
