"""Classical filters without training: the baselines for trained restorers of digits and pages.

FILTERS: name -> a function `(images, *, strength...) -> restored images`, written as a spec, `median:5`.
All take and return images (N, C, H, W) float32 in [0, 1], 1 = ink, of any size. They filter each channel
separately and don't change their input. Some compute in 8 bits, as stated: their output is rounded to 1/255.
"""

from __future__ import annotations

import cv2
import numpy as np

from legible.errors import ArgumentError
from legible.images import Predict, check_images, to_bytes
from legible.registry import Registry

FILTERS: Registry[np.ndarray] = Registry("filter")

_PATCH_PX, _WINDOW_PX = 5, 21  # sides of the compared patches and of the search window
_N_ITERATIONS = 30  # OpenCV's default


@FILTERS.register("identity")
def keep_images(images: np.ndarray) -> np.ndarray:
    """Return the images unchanged: the score of doing nothing. Raises InputError."""
    return check_images(images).copy()


@FILTERS.register("median")
def take_median(images: np.ndarray, *, size_px: int = 3) -> np.ndarray:
    """Replace each pixel by the median of the square around it: removes single specks, keeps edges.

    size_px: side of the square, 3 or 5 (the only sizes that OpenCV takes in float32). Edge pixels are
    repeated beyond the image. Raises ArgumentError, InputError.
    """
    if size_px not in (3, 5):
        raise ArgumentError(f"filter 'median': size_px must be 3 or 5, not {size_px!r}.")
    return _filter_planes(images, lambda plane: cv2.medianBlur(plane, size_px))


@FILTERS.register("non-local-means")
def non_local_means(images: np.ndarray, *, strength: float = 0.2) -> np.ndarray:
    """Average the pixels whose 5x5 patches are similar: for Gaussian noise on large pictures.

    strength: 0.01 to 10; patches that differ by much more than this get little weight. Three quarters of the
    noise's std is a good first choice. In 8 bits. Raises ArgumentError, InputError.
    Source: Buades, Coll and Morel, 2005, implemented by OpenCV's fastNlMeansDenoising.
    """
    _check_strength("non-local-means", "strength", strength, 10)
    return _filter_planes(images, _in_bytes(
        lambda plane: cv2.fastNlMeansDenoising(plane, None, 255 * strength, _PATCH_PX, _WINDOW_PX)
    ))  # fmt: skip


@FILTERS.register("total-variation")
def smooth_variation(images: np.ndarray, *, fidelity: float = 1.5) -> np.ndarray:
    """Minimise total variation while staying near the noisy picture: flat areas, sharp edges.

    fidelity: 0.01 to 100, the weight of the difference from the noisy picture; smaller means smoother. The
    difference is absolute, not squared (TV-L1), so that specks are removed. In 8 bits.
    Raises ArgumentError, InputError. Source: Chambolle and Pock, 2011, implemented by OpenCV's denoise_TVL1.
    """
    _check_strength("total-variation", "fidelity", fidelity, 100)

    def smooth(plane: np.ndarray) -> np.ndarray:
        smoothed = np.empty_like(plane)
        cv2.denoise_TVL1([plane], smoothed, fidelity, _N_ITERATIONS)
        return smoothed

    return _filter_planes(images, _in_bytes(smooth))


@FILTERS.register("background")
def divide_by_background(images: np.ndarray, *, size_px: int = 61) -> np.ndarray:
    """Divide each page by its background, the median around each pixel: removes stains and shadows.

    size_px: side of the square for the median, odd, 3 to 1001; it must be several strokes wide, or ink counts
    as background. In 8 bits. Raises ArgumentError, InputError.
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
    """Binarise each page with a local threshold from the mean and standard deviation around each pixel.

    size_px: side of the square around a pixel, odd, 3 to 1001. k: 0.01 to 1; a larger k keeps less ink.
    Ink is darker than m (1 + k (s / 128 - 1)), with the mean m and the standard deviation s in 0 ... 255.
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


def _filter_planes(images: np.ndarray, change: Predict) -> np.ndarray:
    """Apply `change` to each channel (H, W) of each image."""
    check_images(images)
    restored = np.empty(images.shape, np.float32)
    for place in np.ndindex(images.shape[:2]):
        restored[place] = change(np.ascontiguousarray(images[place]))
    return restored


def _in_bytes(change: Predict) -> Predict:
    """A function of uint8 planes, as a function of float planes in [0, 1]."""
    return lambda plane: change(to_bytes(plane)) / np.float32(255)


def _check_square(name: str, size_px: int) -> None:
    if not (3 <= size_px <= 1001 and size_px % 2):
        raise ArgumentError(f"filter {name!r}: size_px must be odd and between 3 and 1001, not {size_px!r}.")


def _check_strength(name: str, setting: str, value: float, high: float) -> None:
    if not 0.01 <= value <= high:  # NaN compares false
        raise ArgumentError(f"filter {name!r}: {setting} must lie between 0.01 and {high:g}, not {value!r}.")
