"""A net that cleans pages: a U-Net predicts offset and contrast of each pixel; convolutions sharpen edges."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from legible.models import MODELS, ImageShape
from legible.models.autoencoder import check_between
from legible.models.unet import UNet, make_body

_MAPS = 3  # the U-Net's outputs for each pixel: offset, contrast, and one that only `sharpen` uses


class PageNet(nn.Module):
    """Ink = offset + contrast * darkness, plus a correction from the neighbouring pixels that sharpens edges.

    Reason, measured on NoisyOffice: a pixel's darkness is a function of paper and print, so that once the
    paper is known the print follows from this pixel alone, and the clean ink from 3x3 pixels of print. The
    paper is smooth, so the U-Net (`body`) estimates it at half the size and below. Edges are not smooth:
    `sharpen` works at full resolution, with place x place pixels stacked as channels; place 2 costs a quarter
    of place 1 with the same number of filters.
    """

    def __init__(self, body: nn.Module, n_channels: int, place: int, fine: int, layers: int) -> None:
        super().__init__()
        self.body = body
        n_here = place**2 * n_channels  # channels after place x place pixels are stacked
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
    kind="restore",
    paper="this project",
    smallest=1,
    recipe={
        "n_epochs": 10,
        "batch_size": 16,
        "optimiser": "muon",
        "learning_rate": 0.1,
        "schedule": "triangle:warmup=0.1,final=0.02",
        "augment": ("shift:1",),  # so that stacks of 2x2 pixels start at any pixel
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
    """A small U-Net at half the size and below, plus a few convolutions that sharpen edges: see PageNet.

    filters: channels at half the size; each coarser level halves the size and has `growth` times as many.
    levels: 1 to 8. fine: filters of the sharpening convolutions, in each of `layers` (1 to 8). place: 1 or 2,
    the side of the squares of pixels that these stack as channels: 1 has a lower error, 2 is faster.
    269,380 parameters for grey images, of any size; they are padded with paper to multiples of 2^levels.
    """
    for name, value, low, top in (
        ("filters", filters, 1, 4096), ("growth", growth, 1, 4), ("levels", levels, 1, 8),
        ("place", place, 1, 2), ("fine", fine, 1, 4096), ("layers", layers, 1, 8),
    ):  # fmt: skip
        check_between(f"model 'page-net': {name}", value, low, top)
    n_channels = image_shape[0]
    widths = [round(filters * growth**level) for level in range(levels)]
    stem, rest = make_body(n_channels, _MAPS * n_channels, widths)
    # for place 2, leave out the last PixelShuffle: four maps of half the size are already 2x2 stacked pixels
    body = nn.Sequential(stem, *list(rest)[: -1 if place == 2 else None])
    return UNet(PageNet(body, n_channels, place, fine, layers), 2**levels, takes_any_size=True)
