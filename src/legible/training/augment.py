"""Augmentations: changes to a batch of training images that keep their meaning, drawn anew at every showing.

Functions `(images, generator, *, amount...) -> images` on whole batches of tensors, on any device.
What comes in from outside an image is paper (0). Fact: `none` is the settings that change nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from legible.noise import check_setting
from legible.noise.blurs import gaussian_matrix
from legible.registry import Registry, Spec

AUGMENTS: Registry[Tensor] = Registry("augmentation", "legible train --help")


def augment(images: Tensor, generator: torch.Generator, specs: Iterable[Spec | str]) -> Tensor:
    """Put several augmentations on a batch, one after the other, in the order given.

    images: (N, C, H, W) in [0, 1], 1 = ink; not changed in place. Same shape, range, dtype, device and
    memory format out. generator: on any device; equal states give equal images.
    Of rotation, scale and shift together, `affine` does all at once, in the time of one.
    """
    memory_format = _memory_format(images)
    for spec in specs:
        images = AUGMENTS.call(spec, images, generator)
    return images.contiguous(memory_format=memory_format)


@AUGMENTS.register("shift", none="0")
def shift(images: Tensor, generator: torch.Generator, *, max_px: int = 2) -> Tensor:
    """Move each image by whole pixels, down and right each drawn evenly from -max_px ... max_px.

    images: (N, C, H, W) in [0, 1]. max_px: 0 to 100. Raises ArgumentError.
    """
    check_setting("augmentation 'shift': max_px", max_px, 0, 100)
    n, channels, height, width = images.shape
    padded = F.pad(images, (max_px,) * 4).contiguous()
    stride, plane = width + 2 * max_px, (height + 2 * max_px) * (width + 2 * max_px)
    moves = torch.randint(2 * max_px + 1, (2, n), generator=generator, device=generator.device)
    down, right = moves.to(images.device)
    planes = torch.arange(n * channels, device=images.device).view(n, channels, 1) * plane
    rows = torch.arange(height, device=images.device) * stride
    starts = planes + rows + (down * stride + right).view(n, 1, 1)  # (N, C, H)
    # every row of every moved image is one piece of memory: an embedding table copies such pieces fastest
    pieces = padded.as_strided((padded.numel() - width + 1, width), (1, 1))
    return F.embedding(starts, pieces)


@AUGMENTS.register("rotation", none="0")
def rotation(images: Tensor, generator: torch.Generator, *, max_degrees: float = 10.0) -> Tensor:
    """Turn each image about its centre, by an angle drawn evenly from -max_degrees ... max_degrees.

    images: (N, C, H, W) in [0, 1]; bilinear. max_degrees: 0 to 180. Raises ArgumentError.
    """
    return affine(images, generator, max_degrees=max_degrees, max_scale=0.0, max_shift_px=0.0)


@AUGMENTS.register("scale", none="0")
def scale(images: Tensor, generator: torch.Generator, *, max_scale: float = 0.1) -> Tensor:
    """Enlarge or shrink each image, by a factor drawn evenly from 1 - max_scale ... 1 + max_scale.

    images: (N, C, H, W) in [0, 1]; bilinear. max_scale: 0 to 0.9. Raises ArgumentError.
    """
    return affine(images, generator, max_degrees=0.0, max_scale=max_scale, max_shift_px=0.0)


@AUGMENTS.register("affine", none="0,0,0")
def affine(
    images: Tensor,
    generator: torch.Generator,
    *,
    max_degrees: float = 10.0,
    max_scale: float = 0.1,
    max_shift_px: float = 2.0,
    max_shear: float = 0.0,
) -> Tensor:
    """Turn, scale, shift and slant each image in one step, each amount drawn evenly up to its most.

    images: (N, C, H, W) in [0, 1]; sampled bilinearly, once. max_degrees: 0 to 180. max_scale: 0 to 0.9,
    around 1. max_shift_px: 0 to 100, not rounded. max_shear: 0 to 2, the move right per pixel down.
    Raises ArgumentError.
    """
    check_setting("augmentation: max_degrees", max_degrees, 0, 180)
    check_setting("augmentation: max_scale", max_scale, 0, 0.9)
    check_setting("augmentation: max_shift_px", max_shift_px, 0, 100)
    check_setting("augmentation: max_shear", max_shear, 0, 2)
    draws = _draw_evenly((5, len(images)), images, generator)
    angle, size, slant = draws[0] * math.radians(max_degrees), 1 + draws[1] * max_scale, draws[2] * max_shear
    cos, sin = torch.cos(angle) / size, torch.sin(angle) / size
    # where each pixel comes from: back along the shift, then the scale and the turn, then the slant
    back = torch.stack([cos - slant * sin, -sin - slant * cos, sin, cos], 1).view(-1, 2, 2)
    move = (draws[3:] * max_shift_px).T.unsqueeze(2)  # (N, 2, 1)
    theta = torch.cat([back, -(back @ move)], 2)  # (N, 2, 3)
    pixels = _pixels(images).flatten(1)
    pixels = torch.cat([pixels, torch.ones_like(pixels[:1])])  # (3, H * W)
    return _sample(images, (theta.view(-1, 3) @ pixels).view(-1, 2, *images.shape[2:]))


@AUGMENTS.register("elastic", none="0")
def elastic(
    images: Tensor, generator: torch.Generator, *, alpha: float = 34.0, sigma_px: float = 4.0
) -> Tensor:
    """Bend each image smoothly, as hands never write the same stroke twice.

    images: (N, C, H, W) in [0, 1]; bilinear. alpha, sigma_px: as the noise `elastic` (docs/noise.md); at 34
    and 4, pixels move by about 1.4. Raises ArgumentError. Source: Simard, Steinkraus, Platt, ICDAR 2003.
    """
    check_setting("augmentation 'elastic': alpha", alpha, 0, 10_000)
    check_setting("augmentation 'elastic': sigma_px", sigma_px, 0.5, 100)
    n, _, height, width = images.shape
    across, down = (
        torch.from_numpy(gaussian_matrix(size, sigma_px, goes_on=False)).to(images.device)
        for size in (width, height)
    )
    moves = (down * alpha) @ (_draw_evenly((n, 2, height, width), images, generator) @ across)
    return _sample(images, _pixels(images) + moves)


@AUGMENTS.register("pen", none="0")
def change_pen(images: Tensor, generator: torch.Generator, *, most: float = 0.7) -> Tensor:
    """Draw each image with a thicker or a thinner pen: towards its 3 x 3 dilation or erosion.

    images: (N, C, H, W) in [0, 1]. most: 0 to 1, of the way there; each image goes its own part of it, evenly
    from thinner by the most to thicker by the most. Raises ArgumentError.
    """
    check_setting("augmentation 'pen': most", most, 0, 1)
    way = (_draw_evenly((len(images), 1, 1, 1), images, generator) * most).to(images.dtype)
    thick, thin = _largest_around(images), -_largest_around(-images)
    return torch.lerp(images, torch.where(way > 0, thick, thin), way.abs())


def _largest_around(images: Tensor) -> Tensor:
    """The largest of each 3 x 3 pixels, outside left out: in an eighth of the time of PyTorch's pool."""
    padded = F.pad(images, (1, 1, 1, 1), value=-math.inf)
    rows = torch.maximum(torch.maximum(padded[:, :, :-2], padded[:, :, 1:-1]), padded[:, :, 2:])
    return torch.maximum(torch.maximum(rows[..., :-2], rows[..., 1:-1]), rows[..., 2:])


@AUGMENTS.register("erasing", none="0")
def erasing(
    images: Tensor, generator: torch.Generator, *, probability: float = 0.5, max_share: float = 0.2
) -> Tensor:
    """Erase a rectangle of some images, so that no single part of a digit decides.

    images: (N, C, H, W) in [0, 1]. probability: that an image is touched, 0 to 1. max_share: the most of
    the image's area, 0.02 to 1; the share is drawn evenly from 0.02, the aspect from 0.3 to 1 / 0.3.
    Raises ArgumentError. Source: Zhong et al., Random Erasing Data Augmentation, AAAI 2020: their RE-0,
    which fills with 0 (here: paper); a rectangle too long for the image is cut, not drawn again.
    """
    check_setting("augmentation 'erasing': probability", probability, 0, 1)
    check_setting("augmentation 'erasing': max_share", max_share, 0.02, 1)
    n, _, height, width = images.shape
    draws = torch.rand(5, n, 1, 1, 1, generator=generator, device=generator.device).to(images.device)
    area = (0.02 + draws[0] * (max_share - 0.02)) * height * width
    aspect = torch.exp((2 * draws[1] - 1) * math.log(1 / 0.3))
    tall = torch.sqrt(area * aspect).round().clamp(1, height)
    wide = torch.sqrt(area / aspect).round().clamp(1, width)
    top = (draws[2] * (height - tall + 1)).floor()
    left = (draws[3] * (width - wide + 1)).floor()
    rows = torch.arange(height, device=images.device).view(-1, 1)
    columns = torch.arange(width, device=images.device)
    is_erased = (top <= rows) & (rows < top + tall) & (draws[4] < probability)  # (N, 1, H, 1)
    is_erased = is_erased & (left <= columns) & (columns < left + wide)
    return images.masked_fill(is_erased, 0)


def _draw_evenly(shape: tuple[int, ...], images: Tensor, generator: torch.Generator) -> Tensor:
    """Numbers drawn evenly from -1 ... 1 by the generator, on the device of the images."""
    draws = torch.empty(shape, device=generator.device).uniform_(-1, 1, generator=generator)
    return draws.to(images.device)


def _pixels(images: Tensor) -> Tensor:
    """Right and down of each pixel, counted from the images' centre: (2, H, W) float32."""
    y, x = (torch.arange(size, device=images.device) - (size - 1) / 2 for size in images.shape[2:])
    return torch.stack(torch.meshgrid(x, y, indexing="xy"))


def _sample(images: Tensor, places: Tensor) -> Tensor:
    """Read each image at the places (N, 2, H, W), as _pixels counts them, bilinearly; outside is paper (0).

    In float32 whatever the images are: half precision cannot name a place to a tenth of a pixel.
    """
    height, width = images.shape[2:]
    grid = places * torch.tensor([2 / width, 2 / height], device=images.device).view(2, 1, 1)
    moved = F.grid_sample(images.float(), grid.permute(0, 2, 3, 1), padding_mode="zeros", align_corners=False)
    return moved.clamp_(0, 1).to(images.dtype)  # rounding must not pass 1: a noise after it would refuse


def _memory_format(images: Tensor) -> torch.memory_format:
    is_last = images.is_contiguous(memory_format=torch.channels_last) and not images.is_contiguous()
    return torch.channels_last if is_last else torch.contiguous_format
