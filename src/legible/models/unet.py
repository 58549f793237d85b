"""A U-Net that restores images, at several scales; the finest has half the image's size."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from legible.errors import ArgumentError
from legible.models import MODELS, ImageShape
from legible.models.autoencoder import check_between, run_padded
from legible.models.layers import QuantizedLinear

_N_INPUTS = 3  # maps per channel: grey pixels, a mask of pure pixels, values of pure pixels
_GREY = (0.002, 0.998)  # between these a pixel is neither pure paper nor pure ink; 1/255 is 0.0039


class UNet(nn.Module):
    """A net whose inputs are padded to multiples of `padded_to`, for images of any size or of one size."""

    def __init__(self, body: nn.Module, padded_to: int, *, takes_any_size: bool) -> None:
        super().__init__()
        self.body, self.padded_to = body, padded_to
        self.multiple = padded_to if takes_any_size else 0

    def forward(self, images: Tensor) -> Tensor:
        """Pixel logits (N, C, H, W) of images (N, C, H, W)."""
        return run_padded(self.body, images, self.padded_to)


class Residual(nn.Module):
    """A residual connection around a path through coarser scales."""

    def __init__(self, path: nn.Module) -> None:
        super().__init__()
        self.path = path

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the same shape (N, filters, H, W)."""
        seen: Tensor = self.path(maps)
        return maps + seen


class BlindUNet(nn.Module):
    """A U-Net for Gaussian and salt-and-pepper noise of unknown kind and amount; it may copy input pixels.

    Salt-and-pepper noise makes no grey pixels and keeps those that it does not replace; Gaussian noise
    changes every grey pixel, and the more of it, the less a grey pixel is worth. So the net gets three maps
    for each channel: grey pixels, a mask of pure (black or white) pixels, and the values of the pure pixels.
    From the image's mean, mean square and share of pure pixels, `survey` computes a scale for each of the
    three and a bias for each filter. The last maps (N, 2 * C, H, W) are logits, and the weight of a grey
    input pixel.
    """

    def __init__(self, stem: nn.Module, n_filters: int, body: nn.Module) -> None:
        super().__init__()
        self.stem, self.body = stem, body
        self.survey = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, n_filters + _N_INPUTS))

    def forward(self, images: Tensor) -> Tensor:
        """Pixel logits (N, C, H, W) of images (N, C, H, W)."""
        within = images.clamp(*_GREY)
        is_pure = (images != within).to(images.dtype)
        statistics = [each.mean((1, 2, 3)) for each in (images, images.square(), is_pure)]
        survey = self.survey(4 * torch.stack(statistics, 1) - 2)[:, :, None, None]
        scales, bias = survey[:, :_N_INPUTS].exp(), survey[:, _N_INPUTS:]
        ink = 2 * images - 1  # paper is -1
        inputs = [ink * (1 - is_pure), is_pure, ink * is_pure]
        inputs = [maps * scales[:, i : i + 1] for i, maps in enumerate(inputs)]
        maps = self.body(self.stem(torch.cat(inputs, 1)) + bias)
        logits, trust = maps.chunk(2, 1)
        input_logits = torch.log(within / (1 - within))
        return logits + trust.sigmoid() * (1 - is_pure) * (input_logits - logits)  # type: ignore[no-any-return]


@MODELS.register(
    "unet",
    kind="restore",
    paper="this project, after Ronneberger et al., 2015",
    smallest=1,
    recipe={
        "n_epochs": 10,
        "batch_size": 256,
        "optimiser": "muon",
        "learning_rate": 0.1,
        "schedule": "triangle:warmup=0.1,final=0.02",
    },
)
def build_unet(
    image_shape: ImageShape,
    n_classes: int,
    *,
    filters: int = 32,
    growth: float = 2.0,
    levels: int = 2,
    blocks: int = 1,
    whole: int = 0,
    blind: bool = False,
) -> nn.Module:
    """A small U-Net whose finest level has half the image's size.

    filters: channels at the finest level; each coarser level halves the size and has `growth` times as many.
    levels: 1 to 8. blocks: 3x3 convolutions with norm and ReLU at each level, on the way down and again on
    the way up. whole: units of a dense layer over the whole image at the coarsest level; 0 for none.
    blind: for noise of unknown kind and amount, including salt and pepper; see BlindUNet.
    102,276 parameters for grey images. Images of any size without `whole`, of one size with it; they are
    padded with paper to multiples of 2^levels. Differences from the paper: 2x2 pixels are stacked as channels
    for the first and the last convolution, so that no layer works at full size; skip connections add instead
    of concatenating; batch norms, which are folded into the convolutions in the ONNX file.
    """
    if min(image_shape) < 1:
        raise ArgumentError(f"an image of {image_shape} (channels, height, width) has no pixels.")
    for name, value, low, top in (
        ("filters", filters, 1, 4096), ("growth", growth, 1, 4), ("levels", levels, 1, 8),
        ("blocks", blocks, 1, 64), ("whole", whole, 0, 65536),
    ):  # fmt: skip
        check_between(f"model 'unet': {name}", value, low, top)
    n_channels, *sides = image_shape
    padded_to = 2**levels
    coarsest = [-(-side // padded_to) for side in sides]
    widths = [round(filters * growth**level) for level in range(levels)]
    n_in = _N_INPUTS * n_channels if blind else n_channels
    n_out = 2 * n_channels if blind else n_channels
    stem, rest = make_body(n_in, n_out, widths, blocks=blocks, whole=whole, coarsest=coarsest)
    body = BlindUNet(stem, filters, rest) if blind else nn.Sequential(stem, rest)
    return UNet(body, padded_to, takes_any_size=not whole)


def make_body(
    n_in: int, n_out: int, widths: list[int], *, blocks: int = 1, whole: int = 0, coarsest: Sequence[int] = ()
) -> tuple[nn.Sequential, nn.Sequential]:
    """The stem, up to the first ReLU, and the rest of a U-Net: maps (N, n_in, H, W) -> (N, n_out, H, W).

    widths: channels at half the size, at a quarter and so on. The stem stacks 2x2 pixels as channels, and the
    last layer unstacks them. blocks, whole: as for `unet`; coarsest: height and width of the last level.
    """
    kernel, norm, relu = _convolve(4 * n_in, widths[0], 3, padding=1)
    stem = nn.Sequential(nn.PixelUnshuffle(2), kernel, norm)
    rest = nn.Sequential(
        relu,
        *_make_level(widths, blocks, whole, coarsest, n_done=1),
        nn.Conv2d(widths[0], 4 * n_out, 3, padding=1),
        nn.PixelShuffle(2),
    )
    return stem, rest


def _make_level(
    widths: list[int], blocks: int, whole: int, coarsest: Sequence[int], n_done: int = 0
) -> list[nn.Module]:
    """Convolutions at one size, with all coarser levels inside.

    widths: channels of this level and the coarser ones. n_done: blocks of the way down that exist already.
    """
    width, *rest = widths

    def way(n: int) -> list[nn.Module]:
        return [part for _ in range(n) for part in _convolve(width, width, 3, padding=1)]

    if rest:
        path = nn.Sequential(
            *_convolve(width, rest[0], 2, stride=2),
            *_make_level(rest, blocks, whole, coarsest),
            nn.Conv2d(rest[0], 4 * width, 1),
            nn.PixelShuffle(2),
        )
        return [*way(blocks - n_done), Residual(path), *way(blocks)]
    dense = [Residual(_make_dense(width, coarsest, whole))] if whole else []
    return [*way(blocks - n_done), *dense, *way(blocks)]


def _make_dense(filters: int, sides: Sequence[int], units: int) -> nn.Module:
    """A dense layer over all positions, and one back to their shape."""
    height, width = sides
    n = filters * height * width
    return nn.Sequential(
        nn.Flatten(),
        QuantizedLinear(n, units, bias=False),
        nn.BatchNorm1d(units),
        nn.ReLU(),
        QuantizedLinear(units, n),
        nn.Unflatten(1, (filters, height, width)),
    )


def _convolve(n_in: int, n_out: int, size: int, *, stride: int = 1, padding: int = 0) -> list[nn.Module]:
    kernel = nn.Conv2d(n_in, n_out, size, stride=stride, padding=padding, bias=False)
    return [kernel, nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]
