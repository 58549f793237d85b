"""Autoencoders: images to a code and back. Each autoencoder of reports B and E is a spec of one of these two.

The reports count pools, dropouts and norms but don't say which layers they are in. Here (`spread`), they are
spaced evenly and symmetrically: the first half of the layers has n of them, including the middle one, and the
i-th of its m extras is in layer ceil(i * n / (m + 1)); the second half mirrors the first; if the total is
odd, one is in layer n. So row B1.4, with 14 layers, has its pool in layer 4, its upsampling in 11, dropouts
in 4 and 11, norms in 2, 4, 6, 9, 11 and 13.
The order within a layer is: convolution or dense, pool, ReLU, norm, dropout, upsampling. Pooling before the
ReLU and normalising before upsampling give the same numbers as afterwards, faster.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import ceil, prod

from torch import Tensor, nn
from torch.nn import functional as F

from legible.errors import ArgumentError
from legible.models import MODELS, ImageShape
from legible.models.layers import glorot


class Autoencoder(nn.Module):
    """An encoder and a decoder, each usable alone; together they turn images into pixel logits.

    multiple: images are padded to multiples of it; 0 for a model that takes one size only.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, multiple: int = 0) -> None:
        super().__init__()
        self.encoder, self.decoder, self.multiple = encoder, decoder, multiple

    def forward(self, images: Tensor) -> Tensor:
        """Pixel logits (N, C, H, W) of images (N, C, H, W)."""
        return run_padded(lambda padded: self.decoder(self.encoder(padded)), images, self.multiple)


class Light(nn.Module):
    """Inverts images from 1 = ink to 1 = paper, for reports that train on uninverted pages."""

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) in [0, 1] -> the same shape."""
        return 1 - images


class Negate(nn.Module):
    """Logits of paper -> logits of ink."""

    def forward(self, logits: Tensor) -> Tensor:
        """Any shape."""
        return -logits


def run_padded(body: Callable[[Tensor], Tensor], images: Tensor, multiple: int) -> Tensor:
    """Pad below and to the right to multiples, with paper; run the body; crop its output."""
    if multiple <= 1:
        return body(images)
    height, width = images.shape[2:]
    padded = F.pad(images, (0, -width % multiple, 0, -height % multiple))
    return body(padded)[:, :, :height, :width]


@MODELS.register("conv-autoencoder", kind="restore", paper="report B (B1, B2, B3)", smallest=1)
def build_conv(
    image_shape: ImageShape,
    n_classes: int,
    *,
    filters: str = "32-32-64-128",
    kernel: int = 3,
    pools: int = 0,
    dropouts: int = 0,
    rate: float = 0.2,
    norms: int = 0,
    light: bool = False,
) -> nn.Module:
    """A chain of convolutions with ReLU, with optional pooling and upsampling: report B.

    filters: of each layer, first to last, joined by '-'; one more 3x3 convolution outputs the pixels.
    kernel: side of the layers' kernels, odd. pools: number of 2x2 max-pools; as many layers of the second
    half upsample, repeating each value four times. dropouts: number of layers with dropout, at the rate
    `rate`. norms: number of layers with a batch norm. The top of this file says which layers these are.
    light: inside, the net uses paper = 1; its input and output are ink = 1 as always.
    The encoder is the first half of the layers, including the middle one of an odd number; the decoder is the
    rest. 103,073 parameters for grey images with the defaults, the best net of reports B2 and B3. Images of
    any size, from one pixel up; the encoder alone takes sides that are multiples of 2^pools.
    """
    maps = [image_shape[0], *read_widths("model 'conv-autoencoder': filters", filters)]
    n_layers = len(maps) - 1
    if min(image_shape) < 1:
        raise ArgumentError(f"an image of {image_shape} (channels, height, width) has no pixels.")
    if kernel < 1 or kernel % 2 == 0:
        raise ArgumentError(f"model 'conv-autoencoder': kernel must be odd and at least 1, not {kernel}.")
    check_between("model 'conv-autoencoder': pools", pools, 0, n_layers // 2)
    extras = _spread_extras("conv-autoencoder", n_layers, nn.BatchNorm2d, dropouts, rate, norms)
    resized = spread(2 * pools, n_layers)
    layers: list[nn.Module] = []
    for number, (before, after) in enumerate(pairwise(maps), start=1):
        convolution = nn.Conv2d(before, after, kernel, padding=kernel // 2)
        pool = [nn.MaxPool2d(2)] if number in resized[:pools] else []
        upsampling = [nn.Upsample(scale_factor=2)] if number in resized[pools:] else []
        layers.append(nn.Sequential(convolution, *pool, nn.ReLU(), *extras(number, after), *upsampling))
    half, last = ceil(n_layers / 2), nn.Conv2d(maps[-1], maps[0], 3, padding=1)
    encoder, decoder = [*layers[:half]], [*layers[half:], last]
    return _join(encoder, decoder, light, 2**pools)


@MODELS.register("dense-autoencoder", kind="restore", paper="reports E (E5) and B (B1, B2)", smallest=1)
def build_dense(
    image_shape: ImageShape,
    n_classes: int,
    *,
    widths: str = "128-96-128",
    dropouts: int = 0,
    rate: float = 0.2,
    norms: int = 0,
    light: bool = False,
) -> nn.Module:
    """Fully connected layers with ReLU from the pixels to a code and back, for instance 784-128-96-128-784.

    widths: units of the hidden layers, first to last, joined by '-'; one more layer outputs the pixels.
    dropouts, rate, norms, light: as for conv-autoencoder. The encoder ends with the narrowest layer (the one
    nearest the middle if several are), whose output is the code (N, width); the decoder is the rest.
    226,416 parameters for 28x28 grey pixels and report E's 128-96-128. Images of one size, from one pixel up.
    """
    hidden = read_widths("model 'dense-autoencoder': widths", widths)
    n_pixels, n_layers = prod(image_shape), len(hidden)
    extras = _spread_extras("dense-autoencoder", n_layers, nn.BatchNorm1d, dropouts, rate, norms)
    layers = [
        nn.Sequential(nn.Linear(before, after), nn.ReLU(), *extras(number, after))
        for number, (before, after) in enumerate(pairwise([n_pixels, *hidden]), start=1)
    ]
    n_encoding = 1 + min(range(n_layers), key=lambda i: (hidden[i], abs(2 * i - n_layers + 1)))
    pixels = [nn.Linear(hidden[-1], n_pixels), nn.Unflatten(1, image_shape)]
    return _join([nn.Flatten(), *layers[:n_encoding]], [*layers[n_encoding:], *pixels], light)


def _join(encoder: list[nn.Module], decoder: list[nn.Module], light: bool, multiple: int = 0) -> nn.Module:
    """An Autoencoder of these layers. light: invert its input and its output."""
    into, out_of = ([Light()], [Negate()]) if light else ([], [])
    whole = Autoencoder(nn.Sequential(*into, *encoder), nn.Sequential(*decoder, *out_of), multiple)
    return glorot(whole)


def spread(count: int, n_layers: int) -> list[int]:
    """Which of the layers 1 to n_layers have one of `count` extras, spaced evenly and symmetrically."""
    half, (pairs, odd) = ceil(n_layers / 2), divmod(count, 2)
    first = [ceil(i * half / (pairs + 1)) for i in range(1, pairs + 1)]
    return sorted([*first, *[half] * odd, *(n_layers + 1 - number for number in first)])


def _spread_extras(
    model: str, n_layers: int, norm: type[nn.Module], dropouts: int, rate: float, norms: int
) -> Callable[[int, int], list[nn.Module]]:
    """A function that returns the norm and the dropout, if any, of a layer given its number and width."""
    check_between(f"model {model!r}: dropouts", dropouts, 0, n_layers)
    check_between(f"model {model!r}: rate", rate, 0, 0.999)
    check_between(f"model {model!r}: norms", norms, 0, n_layers)
    dropped, normed = spread(dropouts, n_layers), spread(norms, n_layers)

    def extras(number: int, width: int) -> list[nn.Module]:
        norm_here = [norm(width)] if number in normed else []
        return [*norm_here, *([nn.Dropout(rate)] if number in dropped else [])]

    return extras


def read_widths(setting: str, text: str) -> list[int]:
    """Parse `16-8-8` as [16, 8, 8]. setting: its name in error messages. Raises ArgumentError."""
    try:
        widths = [int(width) for width in text.split("-")]
    except ValueError:
        widths = []
    if not widths or min(widths) < 1:
        raise ArgumentError(f"{setting} takes whole numbers joined by '-', like 16-8-8, not {text!r}.")
    return widths


def check_between(setting: str, value: float, low: float, high: float) -> None:
    """Raise ArgumentError unless low <= value <= high."""
    if not low <= value <= high:
        raise ArgumentError(f"{setting} must lie between {low:g} and {high:g}, not {value!r}.")
