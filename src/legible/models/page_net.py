"""A net that cleans pages: a U-Net tells how to read each pixel, and a few filters sharpen."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from legible.models import MODELS, ImageShape
from legible.models.autoencoder import check_between
from legible.models.unet import UNet, make_body

_MAPS = 3  # that the U-Net gives each pixel: an offset, a contrast, and one that only the sharpening sees


class PageNet(nn.Module):
    """Ink from darkness: offset + contrast * darkness, and what the pixels around it say about its edges.

    Measured on NoisyOffice: paper and print make a pixel's darkness by one formula, so that with the paper
    known the print follows from the pixel alone; and the clean ink follows from the print's 3x3 pixels. The
    paper is smooth, and seen at half the size and below (`body`). Edges are not: they are sharpened by
    filters that see place x place pixels as one and answer for each of them: for 2, at a quarter of the cost
    of as many filters for 1.
    """

    def __init__(self, body: nn.Module, n_channels: int, place: int, fine: int, layers: int) -> None:
        super().__init__()
        self.body = body
        n_here = place**2 * n_channels  # maps of all pixels of a place
        self.gather, self.scatter = nn.PixelUnshuffle(place), nn.PixelShuffle(place)
        within = [
            part for _ in range(layers - 1) for part in (nn.Conv2d(fine, fine, 1), nn.ReLU(inplace=True))
        ]
        self.sharpen = nn.Sequential(
            nn.Conv2d(_MAPS * n_here, fine, 3, padding=1),
            nn.ReLU(inplace=True),
            *within,
            nn.Conv2d(fine, n_here, 1),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Pixel logits (N, C, H, W) of images (N, C, H, W), of even height and width."""
        offset, contrast, more = self.body(images).chunk(_MAPS, 1)
        darkness = self.gather(2 * images - 1)  # paper is -1
        ink = offset + contrast * darkness
        ink = ink + self.sharpen(torch.cat([ink, darkness, more], 1))
        return self.scatter(ink)  # type: ignore[no-any-return]


@MODELS.register(
    "page-net",
    kind="autoencoder",
    paper="ours",
    smallest=1,
    recipe={
        "n_epochs": 10,
        "batch_size": 16,
        "optimiser": "muon",
        "learning_rate": 0.1,
        "schedule": "triangle:warmup=0.1,final=0.02",
        "augment": ("shift:1",),  # any pixel may be the first of a place of 2x2
    },
)
def build_page_net(
    image_shape: ImageShape,
    n_classes: int,
    *,
    filters: int = 24,
    growth: float = 1.5,
    levels: int = 4,
    place: int = 2,
    fine: int = 48,
    layers: int = 2,
) -> nn.Module:
    """A small U-Net at half the size and below, and a few filters that sharpen edges: see PageNet.

    filters: maps at half the size; each further level has `growth` times as many at half of that. levels: 1
    to 8. fine: filters that sharpen, in each of `layers` (1 to 8). place: 1 or 2, the side of the squares of
    pixels that these filters see as one: 1 errs less, 2 is sooner done. 269,380 parameters for grey images,
    of any size; paper is added up to multiples of 2^levels.
    """
    for name, value, low, top in (
        ("filters", filters, 1, 4096), ("growth", growth, 1, 4), ("levels", levels, 1, 8),
        ("place", place, 1, 2), ("fine", fine, 1, 4096), ("layers", layers, 1, 8),
    ):  # fmt: skip
        check_between(f"model 'page-net': {name}", value, low, top)
    n_channels = image_shape[0]
    widths = [round(filters * growth**level) for level in range(levels)]
    stem, rest = make_body(n_channels, _MAPS * n_channels, widths)
    # a place of 2x2 is served by four maps of half the size before the last layer makes them one
    body = nn.Sequential(stem, *list(rest)[: -1 if place == 2 else None])
    return UNet(PageNet(body, n_channels, place, fine, layers), 2**levels, takes_any_size=True)
