"""Noises that blur: a lens out of focus, or motion during the exposure."""

from __future__ import annotations

import numpy as np

from legible.errors import ArgumentError
from legible.noise import NOISES, check_setting
from legible.noise.chunks import in_chunks

_N_DIRECTIONS = 16  # of motion blur, 11.25 degrees apart; images with the same direction are blurred together


@NOISES.register("gaussian-blur", none="0", is_random=False)
def gaussian_blur(images: np.ndarray, rng: np.random.Generator, *, std_px: float = 1.5) -> np.ndarray:
    """Blur all images equally, as a lens out of focus does.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    std_px: of the Gaussian, 0 to 50, truncated at 4 std. Edge pixels are repeated beyond the image.
    Raises ArgumentError, InputError.
    """
    check_setting("noise 'gaussian-blur': std_px", std_px, 0, 50)
    down, across = (gaussian_matrix(size, std_px, repeat_edges=True) for size in images.shape[-2:])
    return in_chunks(images, rng, lambda part, rng: down @ part @ across.T)


@NOISES.register("motion-blur", none="1")
def motion_blur(
    images: np.ndarray, rng: np.random.Generator, *, length_px: int = 7, angle: float | str = "random"
) -> np.ndarray:
    """Smear each image along a line, as a page that moved during the exposure.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    length_px: of the line, 1 (no blur) to 99; each pixel becomes the mean of the pixels on the line through
    it. Edge pixels are repeated beyond the image. angle: of the line in degrees, anticlockwise from
    horizontal, or "random": one of 16, drawn for each image. Raises ArgumentError, InputError.
    """
    check_setting("noise 'motion-blur': length_px", length_px, 1, 99)
    angles = np.arange(_N_DIRECTIONS) * 180 / _N_DIRECTIONS if angle == "random" else [_read_degrees(angle)]
    lines = [_line(length_px, float(degrees)) for degrees in angles]

    reach = length_px // 2
    margins = ((0, 0), (0, 0), (reach, reach), (reach, reach))

    def change(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        direction = rng.integers(len(lines), size=len(part))
        padded = np.pad(part, margins, mode="edge")
        blurred = np.empty(part.shape, np.float32)
        for k in np.unique(direction):
            chosen = np.flatnonzero(direction == k)
            blurred[chosen] = _mean_along(padded[chosen], lines[k], reach)
        return blurred

    return in_chunks(images, rng, change)


def gaussian_matrix(size: int, std_px: float, *, repeat_edges: bool) -> np.ndarray:
    """The matrix (size, size) float32 that smooths along one axis with a Gaussian truncated at 4 std.

    repeat_edges: values beyond the ends equal the outermost value; otherwise they are 0.
    Two small matrix products blur an image faster than a sum of shifted and weighted copies.
    """
    reach = np.arange(-int(np.ceil(4 * std_px)), int(np.ceil(4 * std_px)) + 1)
    weights = np.exp(-(reach**2) / (2 * std_px**2)) if std_px > 0 else np.ones(1)
    source = np.arange(size)[:, None] + reach
    weights = np.where(repeat_edges | ((source >= 0) & (source < size)), weights / weights.sum(), 0)
    matrix = np.zeros((size, size))
    np.add.at(matrix, (np.arange(size)[:, None], source.clip(0, size - 1)), weights)
    return matrix.astype(np.float32)


def _mean_along(padded: np.ndarray, line: list[tuple[int, int]], reach: int) -> np.ndarray:
    """The mean of the pixels at these offsets (down, right) from each pixel; images have margins of `reach`.

    All images are one contiguous array, so that an offset is one number and each addition runs over one long
    slice; the margins, which hold meaningless sums, are cropped at the end.
    """
    height, width = padded.shape[-2:]
    flat = padded.reshape(-1)
    length = flat.size - 2 * reach * (width + 1)
    total = np.zeros(flat.size, np.float32)
    for down, right in line:
        start = (reach + down) * width + reach + right
        total[:length] += flat[start : start + length]
    kept = total.reshape(padded.shape)[:, :, : height - 2 * reach, : width - 2 * reach]
    return kept / np.float32(len(line))


def _line(length_px: int, degrees: float) -> list[tuple[int, int]]:
    """The pixels (down, right) of a line through the centre, each once."""
    along = np.linspace(-(length_px - 1) / 2, (length_px - 1) / 2, length_px)
    down, right = -np.sin(np.deg2rad(degrees)) * along, np.cos(np.deg2rad(degrees)) * along
    places = np.floor(np.stack([down, right], axis=1) + 0.5).astype(int)  # (length, 2)
    return sorted({(int(y), int(x)) for y, x in places})


def _read_degrees(angle: float | str) -> float:
    try:
        degrees = float(angle)
    except ValueError:
        text = f"noise 'motion-blur': angle must be a number of degrees or 'random', not {angle!r}."
        raise ArgumentError(text) from None
    check_setting("noise 'motion-blur': angle", degrees, -360, 360)
    return degrees
