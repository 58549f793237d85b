"""Filters that learn nothing: what any trained restorer, of digits or of pages, must beat.

FILTERS: name -> a function `(images, *, strength...) -> restored images`, written as a spec, `median:5`.
All take and give images (N, C, H, W) float32 in [0, 1], 1 = ink, of any size, each channel by itself; they
don't change their input. Some work in 8 bits, as they say: their output is rounded to 1/255.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from legible.errors import ArgumentError
from legible.images import check_images, to_bytes
from legible.registry import Registry

FILTERS: Registry[np.ndarray] = Registry("filter")

_PATCH_PX, _WINDOW_PX = 5, 21  # patches that are compared, and how far around a pixel they are looked for
_N_ITERATIONS = 30  # OpenCV's default


@FILTERS.register("identity")
def keep_images(images: np.ndarray) -> np.ndarray:
    """Give the images back as they are: what doing nothing scores. Raises InputError."""
    return check_images(images).copy()


@FILTERS.register("median")
def take_median(images: np.ndarray, *, size_px: int = 3) -> np.ndarray:
    """Replace each pixel by the median of the square around it: removes single specks, keeps edges.

    size_px: side of the square, 3 or 5 (OpenCV takes no others in float32); beyond the image its outermost
    pixels go on. Raises ArgumentError, InputError.
    """
    if size_px not in (3, 5):
        raise ArgumentError(f"filter 'median': size_px must be 3 or 5, not {size_px!r}.")
    return _filter_planes(images, lambda plane: cv2.medianBlur(plane, size_px))


@FILTERS.register("non-local-means")
def average_alike(images: np.ndarray, *, strength: float = 0.2) -> np.ndarray:
    """Average the pixels whose surroundings look alike, wherever they are: for grain on large pictures.

    strength: 0.01 to 10; surroundings (5x5) that differ by more than about so much count little.
    Three quarters of the noise's std is a good first choice. In 8 bits. Raises ArgumentError, InputError.
    Source: Buades, Coll and Morel, 2005, as OpenCV's fastNlMeansDenoising.
    """
    _check_strength("non-local-means", "strength", strength, 10)
    return _filter_planes(images, _in_bytes(
        lambda plane: cv2.fastNlMeansDenoising(plane, None, 255 * strength, _PATCH_PX, _WINDOW_PX)
    ))  # fmt: skip


@FILTERS.register("total-variation")
def smooth_variation(images: np.ndarray, *, fidelity: float = 1.5) -> np.ndarray:
    """Find the picture of least variation that stays near the noisy one: flat areas, sharp edges.

    fidelity: 0.01 to 100, what it costs to leave the noisy picture; smaller means smoother. Differences count
    by their size and not their square (TV-L1), so that specks are dropped. In 8 bits.
    Raises ArgumentError, InputError. Source: Chambolle and Pock, 2011, as OpenCV's denoise_TVL1.
    """
    _check_strength("total-variation", "fidelity", fidelity, 100)

    def smooth(plane: np.ndarray) -> np.ndarray:
        smoothed = np.empty_like(plane)
        cv2.denoise_TVL1([plane], smoothed, fidelity, _N_ITERATIONS)
        return smoothed

    return _filter_planes(images, _in_bytes(smooth))


@FILTERS.register("background")
def divide_by_background(images: np.ndarray, *, size_px: int = 61) -> np.ndarray:
    """Divide each page by its paper, the median of the square around each pixel: stains and shades go.

    size_px: side of the square, odd, 3 to 1001; several strokes wide, or ink is taken for paper. In 8 bits.
    Raises ArgumentError, InputError.
    """
    _check_square("background", size_px)

    def divide(plane: np.ndarray) -> np.ndarray:
        light = 255 - plane
        paper = np.maximum(cv2.medianBlur(light, size_px), 1)
        restored: np.ndarray = 255 - np.clip(np.rint(light.astype(np.float32) * 255 / paper), 0, 255)
        return restored.astype(np.uint8)

    return _filter_planes(images, _in_bytes(divide))


@FILTERS.register("sauvola")
def threshold_locally(images: np.ndarray, *, size_px: int = 25, k: float = 0.2) -> np.ndarray:
    """Make each pixel ink or paper by the mean and the spread of the light around it.

    size_px: side of the square around a pixel, odd, 3 to 1001. k: 0.01 to 1; more keeps less.
    Ink is darker than m (1 + k (s / 128 - 1)) of the mean m and the standard deviation s in bytes.
    Raises ArgumentError, InputError. Source: Sauvola and Pietikäinen, "Adaptive document image
    binarization", 2000.
    """
    _check_square("sauvola", size_px)
    _check_strength("sauvola", "k", k, 1)

    def split(plane: np.ndarray) -> np.ndarray:
        light = (1 - plane) * 255
        mean = cv2.blur(light, (size_px, size_px))
        spread = np.sqrt(np.maximum(cv2.sqrBoxFilter(light, -1, (size_px, size_px)) - mean * mean, 0))
        ink: np.ndarray = light < mean * (1 + k * (spread / 128 - 1))
        return ink.astype(np.float32)

    return _filter_planes(images, split)


def _filter_planes(images: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Change each channel of each image, (H, W), by itself."""
    check_images(images)
    restored = np.empty(images.shape, np.float32)
    for place in np.ndindex(images.shape[:2]):
        restored[place] = change(np.ascontiguousarray(images[place]))
    return restored


def _in_bytes(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """A change of bytes, for pictures in [0, 1]."""
    return lambda plane: change(to_bytes(plane)) / np.float32(255)


def _check_square(name: str, size_px: int) -> None:
    if not (3 <= size_px <= 1001 and size_px % 2):
        raise ArgumentError(f"filter {name!r}: size_px must be odd and between 3 and 1001, not {size_px!r}.")


def _check_strength(name: str, setting: str, value: float, high: float) -> None:
    if not 0.01 <= value <= high:  # NaN compares false
        raise ArgumentError(f"filter {name!r}: {setting} must lie between 0.01 and {high:g}, not {value!r}.")
