"""A U-Net that restores images: it looks at several scales, the finest being half the image's."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from legible.errors import ArgumentError
from legible.models import MODELS, ImageShape
from legible.models.autoencoder import check_between, run_padded
from legible.models.layers import DenseInWholeNumbers

_KINDS = 3  # grey, pure, and what the pure ones are
_GREY = (0.002, 0.998)  # between these a pixel is neither pure paper nor pure ink: one level of 256 is 0.0039


class UNet(nn.Module):
    """A body that wants sides of a multiple, for images of any size, or of one."""

    def __init__(self, body: nn.Module, padded_to: int, *, takes_any_size: bool) -> None:
        super().__init__()
        self.body, self.padded_to = body, padded_to
        self.multiple = padded_to if takes_any_size else 0

    def forward(self, images: Tensor) -> Tensor:
        """Pixel logits (N, C, H, W) of images (N, C, H, W)."""
        return run_padded(self.body, images, self.padded_to)


class Add(nn.Module):
    """Add to maps what is seen in them from further away."""

    def __init__(self, path: nn.Module) -> None:
        super().__init__()
        self.path = path

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the same shape (N, filters, H, W)."""
        seen: Tensor = self.path(maps)
        return maps + seen


class BlindUNet(nn.Module):
    """A body that is told what tells noise from noise, and may keep pixels as they are.

    Salt and pepper leaves every grey pixel as it was and makes none; grain leaves none, and the more of it
    the less a grey pixel says. So the net sees the grey pixels, the pure ones, and what these are, as three
    maps for each channel. The image's mean, mean square and share of pure pixels tell how loud each of the
    three is to be and how much to add in each filter; the last maps (N, 2 * C, H, W) are logits, and how far
    to trust a grey pixel instead.
    """

    def __init__(self, stem: nn.Module, n_filters: int, body: nn.Module) -> None:
        super().__init__()
        self.stem, self.body = stem, body
        self.survey = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, n_filters + _KINDS))

    def forward(self, images: Tensor) -> Tensor:
        """Pixel logits (N, C, H, W) of images (N, C, H, W)."""
        within = images.clamp(*_GREY)
        is_pure = (images != within).to(images.dtype)
        facts = [each.mean((1, 2, 3)) for each in (images, images.square(), is_pure)]
        survey = self.survey(4 * torch.stack(facts, 1) - 2)[:, :, None, None]
        loudness, hint = survey[:, :_KINDS].exp(), survey[:, _KINDS:]
        ink = 2 * images - 1  # paper is -1
        seen = [ink * (1 - is_pure), is_pure, ink * is_pure]
        seen = [maps * loudness[:, i : i + 1] for i, maps in enumerate(seen)]
        maps = self.body(self.stem(torch.cat(seen, 1)) + hint)
        logits, trust = maps.chunk(2, 1)
        as_it_is = torch.log(within / (1 - within))
        return logits + trust.sigmoid() * (1 - is_pure) * (as_it_is - logits)  # type: ignore[no-any-return]


@MODELS.register(
    "unet",
    kind="autoencoder",
    paper="ours, after Ronneberger et al., 2015",
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
    """A small U-Net: convolutions at half the image's size, at a quarter and below, and up again.

    filters: maps at the finest level; each further level has `growth` times as many at half the size.
    levels: 1 to 8. blocks: 3x3 convolutions with norm and ReLU on each way, down and up, at each level.
    whole: units of a dense layer that sees the whole image at the coarsest level; 0 for none.
    blind: for noise of unknown kind and level, salt and pepper among them; see BlindUNet.
    102,276 parameters for grey images. Images of any size without `whole`, of one size with it; paper is
    added up to multiples of 2^levels. Differs from the paper: the first convolution takes and the last
    one gives 2x2 pixels as one place, so that no layer works at full size; levels are joined by addition;
    norms, which the ONNX file has no more.
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
    n_in = _KINDS * n_channels if blind else n_channels
    n_out = 2 * n_channels if blind else n_channels
    stem, rest = make_body(n_in, n_out, widths, blocks=blocks, whole=whole, coarsest=coarsest)
    body = BlindUNet(stem, filters, rest) if blind else nn.Sequential(stem, rest)
    return UNet(body, padded_to, takes_any_size=not whole)


def make_body(
    n_in: int, n_out: int, widths: list[int], *, blocks: int = 1, whole: int = 0, coarsest: Sequence[int] = ()
) -> tuple[nn.Sequential, nn.Sequential]:
    """The stem, up to the first ReLU, and all that follows: maps (N, n_in, H, W) -> (N, n_out, H, W).

    widths: maps at half the size, at a quarter and so on. The stem sees 2x2 pixels as one place, and the last
    convolution gives them so. blocks, whole: as for `unet`; coarsest: height and width of the last level.
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
    """Convolutions at one size, around all that is done at smaller ones.

    widths: maps of this level and the coarser ones. n_done: blocks of the way down that are there already.
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
        return [*way(blocks - n_done), Add(path), *way(blocks)]
    see = [Add(_see_whole(width, coarsest, whole))] if whole else []
    return [*way(blocks - n_done), *see, *way(blocks)]


def _see_whole(filters: int, sides: Sequence[int], units: int) -> nn.Module:
    """A dense layer over all places, and back."""
    height, width = sides
    n = filters * height * width
    return nn.Sequential(
        nn.Flatten(),
        DenseInWholeNumbers(n, units, bias=False),
        nn.BatchNorm1d(units),
        nn.ReLU(),
        DenseInWholeNumbers(units, n),
        nn.Unflatten(1, (filters, height, width)),
    )


def _convolve(n_in: int, n_out: int, size: int, *, stride: int = 1, padding: int = 0) -> list[nn.Module]:
    kernel = nn.Conv2d(n_in, n_out, size, stride=stride, padding=padding, bias=False)
    return [kernel, nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]
