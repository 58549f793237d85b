"""Noises that move ink: shift, rotation, elastic distortion. Pixels from outside the image are paper (0)."""

from __future__ import annotations

import numpy as np

from legible.noise import NOISES, check_setting
from legible.noise.blurs import gaussian_matrix
from legible.noise.chunks import in_chunks


@NOISES.register("shift", none="0")
def shift(images: np.ndarray, rng: np.random.Generator, *, max_px: int = 4) -> np.ndarray:
    """Shift each image by whole pixels, like a digit that was cropped off centre.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    max_px: the largest shift, 0 to 100; down and right are each drawn uniformly from -max_px ... max_px.
    Raises ArgumentError, InputError. Source: docs/noise.md.
    """
    check_setting("noise 'shift': max_px", max_px, 0, 100)

    def change(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        down, right = rng.integers(-max_px, max_px, (2, len(part)), endpoint=True)
        padded = np.pad(part, ((0, 0), (0, 0), (max_px, max_px), (max_px, max_px)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, part.shape[2:], axis=(2, 3))
        moved: np.ndarray = windows[np.arange(len(part)), :, max_px - down, max_px - right]
        return moved  # (n, C, H, W)

    return in_chunks(images, rng, change)


@NOISES.register("rotation", none="0")
def rotation(images: np.ndarray, rng: np.random.Generator, *, max_degrees: float = 30.0) -> np.ndarray:
    """Rotate each image about its centre, like a page that was scanned askew.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    max_degrees: the largest angle, 0 to 180; drawn uniformly from -max_degrees ... max_degrees for each
    image. Raises ArgumentError, InputError. Source: docs/noise.md.
    """
    check_setting("noise 'rotation': max_degrees", max_degrees, 0, 180)

    def change(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return rotate(part, rng.uniform(-max_degrees, max_degrees, len(part)))

    return in_chunks(images, rng, change)


@NOISES.register("elastic", none="0")
def elastic(
    images: np.ndarray, rng: np.random.Generator, *, alpha: float = 34.0, sigma_px: float = 4.0
) -> np.ndarray:
    """Distort each image smoothly, as the same stroke differs each time it is written.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    alpha: strength, 0 to 10,000: each pixel's displacement down and right is drawn from -1 ... 1, smoothed by
    a Gaussian of std sigma_px (0.5 to 100) and multiplied by alpha; at 34 and 4, about 1.4 px.
    Raises ArgumentError, InputError. Source: Simard, Steinkraus, Platt, ICDAR 2003; docs/noise.md.
    """
    check_setting("noise 'elastic': alpha", alpha, 0, 10_000)
    check_setting("noise 'elastic': sigma_px", sigma_px, 0.5, 100)
    height, width = images.shape[-2:]
    down, across = (gaussian_matrix(size, sigma_px, repeat_edges=False) for size in (height, width))

    def change(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        # 256 values are enough for a field that is smoothed, and drawn four times as fast as floats
        moves = rng.integers(-128, 128, (2, len(part), height, width), dtype=np.int8).astype(np.float32)
        dy, dx = (down * (alpha / 128)) @ moves @ across  # (n, H, W) each; the matrices are symmetric
        return sample(
            part, np.arange(height, dtype=np.float32)[:, None] + dy, np.arange(width, dtype=np.float32) + dx
        )

    return in_chunks(images, rng, change)


def rotate(images: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Rotate each image (N, C, H, W) anticlockwise by its own angle, (N,), with bilinear sampling."""
    height, width = images.shape[2:]
    angles = np.deg2rad(degrees)[:, None, None]
    sin, cos = np.sin(angles).astype(np.float32), np.cos(angles).astype(np.float32)
    centre_y, centre_x = np.float32((height - 1) / 2), np.float32((width - 1) / 2)
    rows = np.arange(height, dtype=np.float32)[:, None] - centre_y
    columns = np.arange(width, dtype=np.float32) - centre_x
    return sample(images, (cos * rows + centre_y) + sin * columns, (centre_x - sin * rows) + cos * columns)


def sample(images: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Sample each image bilinearly at the positions (y, x) in pixels; outside the image is paper (0).

    images: (N, C, H, W) float32. y, x: (N, H', W') float32. Returns (N, C, H', W') float32.
    """
    n, channels, height, width = images.shape
    stride = width + 3  # a border of paper: 1 before; 2 after, so that every position has a right neighbour
    padded = np.zeros((n, channels, height + 3, stride), np.float32)
    padded[:, :, 1 : height + 1, 1 : width + 1] = images
    y, x = np.clip(y, -1, height) + 1, np.clip(x, -1, width) + 1
    row, column = np.floor(y), np.floor(x)
    y, x = (y - row)[:, None], (x - column)[:, None]
    planes = np.arange(n * channels).reshape(n, channels, 1, 1) * ((height + 3) * stride)
    corner = row.astype(np.int32) * stride + column.astype(np.int32)  # (N, H', W')
    place = planes + corner.astype(np.intp)[:, None]  # (N, C, H', W')
    ink = padded.reshape(-1)

    def at(offset: int) -> np.ndarray:
        ink_there: np.ndarray = ink[offset:].take(place, mode="clip")  # all are inside; clip is fastest
        return ink_there

    return _blend(_blend(at(0), at(1), x), _blend(at(stride), at(stride + 1), x), y)


def _blend(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """first + share * (second - first), computed in place in `second`."""
    second -= first
    second *= share
    second += first
    return second
