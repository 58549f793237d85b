"""Augmentations: random changes to training images that keep their class, different in every epoch.

Functions `(images, generator, *, amount...) -> images` on whole batches of tensors, on any device.
Pixels from outside an image are paper (0). Fact of an entry: `none`, the settings that change nothing.
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
    """Apply several augmentations to a batch, one after the other, in the order given.

    images: (N, C, H, W) in [0, 1], 1 = ink; not changed in place. Same shape, range, dtype, device and
    memory format out. generator: on any device; equal states give equal images.
    `affine` does rotation, scale and shift at once, in the time of one of them.
    """
    memory_format = _memory_format(images)
    for spec in specs:
        images = AUGMENTS.call(spec, images, generator)
    return images.contiguous(memory_format=memory_format)


@AUGMENTS.register("shift", none="0")
def shift(images: Tensor, generator: torch.Generator, *, max_px: int = 2) -> Tensor:
    """Shift each image by whole pixels, down and right each uniform on -max_px ... max_px.

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
    # every row of every shifted image is contiguous in memory; an embedding lookup copies such rows fastest
    all_rows = padded.as_strided((padded.numel() - width + 1, width), (1, 1))
    return F.embedding(starts, all_rows)


@AUGMENTS.register("rotation", none="0")
def rotation(images: Tensor, generator: torch.Generator, *, max_degrees: float = 10.0) -> Tensor:
    """Rotate each image about its centre, by an angle uniform on -max_degrees ... max_degrees.

    images: (N, C, H, W) in [0, 1]; bilinear. max_degrees: 0 to 180. Raises ArgumentError.
    """
    return affine(images, generator, max_degrees=max_degrees, max_scale=0.0, max_shift_px=0.0)


@AUGMENTS.register("scale", none="0")
def scale(images: Tensor, generator: torch.Generator, *, max_scale: float = 0.1) -> Tensor:
    """Scale each image by a factor uniform on 1 - max_scale ... 1 + max_scale.

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
    """Rotate, scale, shift and shear each image in one step, by uniform random amounts.

    images: (N, C, H, W) in [0, 1]; sampled bilinearly, once. max_degrees: 0 to 180. max_scale: 0 to 0.9,
    around 1. max_shift_px: 0 to 100, not rounded. max_shear: 0 to 2, pixels to the right per pixel down.
    Raises ArgumentError.
    """
    check_setting("augmentation: max_degrees", max_degrees, 0, 180)
    check_setting("augmentation: max_scale", max_scale, 0, 0.9)
    check_setting("augmentation: max_shift_px", max_shift_px, 0, 100)
    check_setting("augmentation: max_shear", max_shear, 0, 2)
    draws = _draw_uniform((5, len(images)), images, generator)
    angle, size, shear = draws[0] * math.radians(max_degrees), 1 + draws[1] * max_scale, draws[2] * max_shear
    cos, sin = torch.cos(angle) / size, torch.sin(angle) / size
    # the map from each output pixel to its source: undo the shift, scale and rotation, then the shear
    back = torch.stack([cos - shear * sin, -sin - shear * cos, sin, cos], 1).view(-1, 2, 2)
    move = (draws[3:] * max_shift_px).T.unsqueeze(2)  # (N, 2, 1)
    theta = torch.cat([back, -(back @ move)], 2)  # (N, 2, 3)
    pixels = _pixels(images).flatten(1)
    pixels = torch.cat([pixels, torch.ones_like(pixels[:1])])  # (3, H * W)
    return _sample(images, (theta.view(-1, 3) @ pixels).view(-1, 2, *images.shape[2:]))


@AUGMENTS.register("elastic", none="0")
def elastic(
    images: Tensor, generator: torch.Generator, *, alpha: float = 34.0, sigma_px: float = 4.0
) -> Tensor:
    """Distort each image smoothly, as the same stroke differs each time it is written.

    images: (N, C, H, W) in [0, 1]; bilinear. alpha, sigma_px: as the noise `elastic` (docs/noise.md); at 34
    and 4, pixels move by about 1.4. Raises ArgumentError. Source: Simard, Steinkraus, Platt, ICDAR 2003.
    """
    check_setting("augmentation 'elastic': alpha", alpha, 0, 10_000)
    check_setting("augmentation 'elastic': sigma_px", sigma_px, 0.5, 100)
    n, _, height, width = images.shape
    across, down = (
        torch.from_numpy(gaussian_matrix(size, sigma_px, repeat_edges=False)).to(images.device)
        for size in (width, height)
    )
    moves = (down * alpha) @ (_draw_uniform((n, 2, height, width), images, generator) @ across)
    return _sample(images, _pixels(images) + moves)


@AUGMENTS.register("pen", none="0")
def change_pen(images: Tensor, generator: torch.Generator, *, most: float = 0.7) -> Tensor:
    """Make strokes thicker or thinner: interpolate towards the 3 x 3 dilation or erosion.

    images: (N, C, H, W) in [0, 1]. most: 0 to 1; the weight of the interpolation is uniform on -most
    (erosion) ... most (dilation) for each image. Raises ArgumentError.
    """
    check_setting("augmentation 'pen': most", most, 0, 1)
    weight = (_draw_uniform((len(images), 1, 1, 1), images, generator) * most).to(images.dtype)
    thick, thin = _dilate(images), -_dilate(-images)
    return torch.lerp(images, torch.where(weight > 0, thick, thin), weight.abs())


def _dilate(images: Tensor) -> Tensor:
    """The maximum of each 3 x 3 pixels inside the image: in an eighth of the time of PyTorch's max-pool."""
    padded = F.pad(images, (1, 1, 1, 1), value=-math.inf)
    rows = torch.maximum(torch.maximum(padded[:, :, :-2], padded[:, :, 1:-1]), padded[:, :, 2:])
    return torch.maximum(torch.maximum(rows[..., :-2], rows[..., 1:-1]), rows[..., 2:])


@AUGMENTS.register("erasing", none="0")
def erasing(
    images: Tensor, generator: torch.Generator, *, probability: float = 0.5, max_share: float = 0.2
) -> Tensor:
    """Erase a rectangle of some images, so that no single part of a digit decides its class.

    images: (N, C, H, W) in [0, 1]. probability: of erasing in an image, 0 to 1. max_share: the largest share
    of the image's area, 0.02 to 1; the share is uniform from 0.02, the aspect log-uniform on 0.3 ... 1 / 0.3.
    Raises ArgumentError. Source: Zhong et al., Random Erasing Data Augmentation, AAAI 2020: their RE-0,
    which fills with 0 (paper); a rectangle too long for the image is cropped here, not drawn again.
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


def _draw_uniform(shape: tuple[int, ...], images: Tensor, generator: torch.Generator) -> Tensor:
    """Random numbers uniform on -1 ... 1, on the device of the images."""
    draws = torch.empty(shape, device=generator.device).uniform_(-1, 1, generator=generator)
    return draws.to(images.device)


def _pixels(images: Tensor) -> Tensor:
    """The coordinates x, y of each pixel in pixels from the images' centre: (2, H, W) float32."""
    y, x = (torch.arange(size, device=images.device) - (size - 1) / 2 for size in images.shape[2:])
    return torch.stack(torch.meshgrid(x, y, indexing="xy"))


def _sample(images: Tensor, places: Tensor) -> Tensor:
    """Sample each image bilinearly at `places` (N, 2, H, W), in coordinates of _pixels; outside is paper (0).

    Always in float32: half precision cannot represent a coordinate to a tenth of a pixel.
    """
    height, width = images.shape[2:]
    grid = places * torch.tensor([2 / width, 2 / height], device=images.device).view(2, 1, 1)
    moved = F.grid_sample(images.float(), grid.permute(0, 2, 3, 1), padding_mode="zeros", align_corners=False)
    return moved.clamp_(0, 1).to(images.dtype)  # rounding errors above 1 would make a later noise raise


def _memory_format(images: Tensor) -> torch.memory_format:
    is_last = images.is_contiguous(memory_format=torch.channels_last) and not images.is_contiguous()
    return torch.channels_last if is_last else torch.contiguous_format
