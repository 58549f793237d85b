"""What restored images are worth, held against the clean ones, in NumPy and OpenCV.

Everywhere: clean (the target) and restored (the answer) are images (N, C, H, W) float32 in [0, 1] of one
shape; all measures take clean first and are computed in float64. They raise InputError for anything else.
A measure of several images is the mean over their pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from legible.errors import InputError
from legible.images import check_images

SSIM_WINDOW_PX, SSIM_SIGMA_PX = 11, 1.5  # Wang et al. 2004, section III-C
_C1, _C2 = 0.01**2, 0.03**2  # their constants for pixels in [0, 1]
# probabilities are kept so far from 0 and 1 before their logarithm is taken: Keras's epsilon, which the
# published figures were made with; one certain and wrong pixel costs 16.1 nats
LEAST_PROBABILITY = 1e-7
_CHUNK_PIXELS = 1 << 15  # so many at a time: 256 KiB for each array in float64 stay in a core's cache


def mse(clean: np.ndarray, restored: np.ndarray) -> float:
    """Measure the mean squared error of the pixels: 0 is perfect."""
    return float(image_mse(clean, restored).mean())


def rmse(clean: np.ndarray, restored: np.ndarray) -> float:
    """Measure the root of the mean squared error: how far a pixel is off, in shares of full ink."""
    return math.sqrt(mse(clean, restored))


def psnr_db(clean: np.ndarray, restored: np.ndarray) -> float:
    """Measure the peak signal-to-noise ratio in dB, of the mean MSE of all images; more is better.

    This is not the mean of the images' own ratios, which is higher. Infinite where no pixel differs.
    """
    return psnr_of(mse(clean, restored))


def psnr_of(mse: float) -> float:
    """Express a mean squared error of pixels in [0, 1] as a peak signal-to-noise ratio in dB."""
    return -10 * math.log10(mse) if mse > 0 else math.inf


def ssim(clean: np.ndarray, restored: np.ndarray) -> float:
    """Measure the structural similarity, the mean over images and channels: 1 is perfect, at least -1.

    Gaussian window of 11 x 11 pixels, sigma 1.5; only windows that lie wholly inside the image count. Equals
    scikit-image's structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    data_range=1). Raises InputError for images that are smaller than the window.
    Source: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural
    similarity", IEEE Trans. Image Processing 13 (2004) 600-612.
    """
    return float(image_ssim(clean, restored).mean())


def bce_nats(clean: np.ndarray, restored: np.ndarray) -> float:
    """Measure the binary cross-entropy in nats per pixel, the restored pixels taken as probabilities of ink.

    Restored pixels are first clipped to [1e-7, 1 - 1e-7]. Where clean pixels are grey, a perfect restoration
    does not reach 0 but bce_nats(clean, clean).
    """
    return float(_average_map(clean, restored, _bce_map).mean())


def image_mse(clean: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """Measure the mean squared error of each image by itself: (N,) float64."""
    return _average_map(clean, restored, lambda c, r: np.square(c - r))


def image_ssim(clean: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """Measure the structural similarity of each image by itself: (N,) float64, as `ssim`."""
    if not fits_ssim(clean):
        raise InputError(
            f"SSIM looks through a window of {SSIM_WINDOW_PX} x {SSIM_WINDOW_PX} pixels, and the images have "
            f"{' x '.join(map(str, clean.shape[2:]))}. Enlarge them, or judge them by their MSE."
        )
    return _average_map(clean, restored, _ssim_map)


def fits_ssim(images: np.ndarray) -> bool:
    """Tell whether images (N, C, H, W) are large enough for the window of SSIM."""
    return min(images.shape[2:], default=SSIM_WINDOW_PX) >= SSIM_WINDOW_PX


def _average_map(
    clean: np.ndarray, restored: np.ndarray, to_map: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """The mean over each image of a map (n, C, h, w) of its quality, made for a few images at a time."""
    check_images(clean, "clean")
    check_images(restored, "restored")
    if clean.shape != restored.shape:
        raise InputError(
            f"restored images of shape {restored.shape} cannot be held against clean ones of shape "
            f"{clean.shape}; give the same images twice, clean and restored."
        )
    step = max(1, _CHUNK_PIXELS // math.prod(clean.shape[1:]))
    parts = [slice(start, start + step) for start in range(0, len(clean), step)]
    maps = (to_map(clean[part].astype(np.float64), restored[part].astype(np.float64)) for part in parts)
    return np.concatenate([quality.mean(axis=(1, 2, 3)) for quality in maps])


def _bce_map(clean: np.ndarray, restored: np.ndarray) -> np.ndarray:
    ink = np.clip(restored, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.asarray(-(clean * np.log(ink) + (1 - clean) * np.log1p(-ink)))


def _ssim_map(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Equation 13 of Wang et al. at each place of the window: (n, C, H - 10, W - 10)."""
    mean_x, mean_y = _blur(x), _blur(y)
    squares, product = mean_x**2 + mean_y**2, mean_x * mean_y
    variances, covariance = _blur(x * x + y * y) - squares, _blur(x * y) - product
    alike = (2 * product + _C1) * (2 * covariance + _C2)
    return np.asarray(alike / ((squares + _C1) * (variances + _C2)))


def _blur(images: np.ndarray) -> np.ndarray:
    """Gaussian means at every place where the window lies inside the image: (n, C, H - 10, W - 10)."""
    weights = cv2.getGaussianKernel(SSIM_WINDOW_PX, SSIM_SIGMA_PX)
    column = images.reshape(-1, images.shape[-1])  # all images in one column: a single call filters them
    blurred = cv2.sepFilter2D(column, -1, weights, weights).reshape(images.shape)
    edge = SSIM_WINDOW_PX // 2  # where the window reached into a neighbour or beyond the column
    return blurred[..., edge:-edge, edge:-edge]
