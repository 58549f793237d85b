"""Metrics of restored images compared with clean ones, in NumPy and OpenCV.

In all functions, clean (the target) and restored (the output) are images (N, C, H, W) float32 in [0, 1] of
the same shape; clean comes first. They compute in float64 and raise InputError for anything else. The metric
of several images is the mean over all pixels.
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
# probabilities are clipped to [1e-7, 1 - 1e-7] before the logarithm, as in Keras, which published figures
# used; a pixel that is certain and wrong costs 16.1 nats
LEAST_PROBABILITY = 1e-7
CHUNK_PIXELS = (
    1 << 15
)  # processed at a time: 256 KiB per float64 array, so that arrays stay in a core's cache


def mse(clean: np.ndarray, restored: np.ndarray) -> float:
    """The mean squared error of the pixels: 0 is perfect."""
    return float(image_mse(clean, restored).mean())


def rmse(clean: np.ndarray, restored: np.ndarray) -> float:
    """The root mean squared error of the pixels, where 1 is full ink."""
    return math.sqrt(mse(clean, restored))


def psnr_db(clean: np.ndarray, restored: np.ndarray) -> float:
    """The peak signal-to-noise ratio in dB, from the mean MSE of all images; more is better.

    This is lower than the mean of the images' own ratios. Infinite if no pixel differs.
    """
    return psnr_of(mse(clean, restored))


def psnr_of(mse: float) -> float:
    """The peak signal-to-noise ratio in dB for a mean squared error of pixels in [0, 1]."""
    return -10 * math.log10(mse) if mse > 0 else math.inf


def ssim(clean: np.ndarray, restored: np.ndarray) -> float:
    """The structural similarity, the mean over images and channels: 1 is perfect, -1 the minimum.

    Gaussian window of 11 x 11 pixels, sigma 1.5; only windows fully inside the image count. Equals
    scikit-image's structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    data_range=1). Raises InputError for images that are smaller than the window.
    Source: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural
    similarity", IEEE Trans. Image Processing 13 (2004) 600-612.
    """
    return float(image_ssim(clean, restored).mean())


def bce_nats(clean: np.ndarray, restored: np.ndarray) -> float:
    """The binary cross-entropy in nats per pixel, with restored pixels as probabilities of ink.

    Restored pixels are first clipped to [1e-7, 1 - 1e-7]. If clean pixels are grey, a perfect restoration
    scores bce_nats(clean, clean), which is above 0.
    """
    return float(_average_map(clean, restored, _bce_map).mean())


def image_mse(clean: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """The mean squared error of each image: (N,) float64."""
    return _average_map(clean, restored, lambda c, r: np.square(c - r))


def image_ssim(clean: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """The structural similarity of each image, as in `ssim`: (N,) float64."""
    if not fits_ssim(clean):
        raise InputError(
            f"SSIM needs images of at least {SSIM_WINDOW_PX} x {SSIM_WINDOW_PX} pixels, but these have "
            f"{' x '.join(map(str, clean.shape[2:]))}. Enlarge them, or use their MSE."
        )
    return _average_map(clean, restored, _ssim_map)


def fits_ssim(images: np.ndarray) -> bool:
    """Whether images (N, C, H, W) are large enough for the window of SSIM."""
    return min(images.shape[2:], default=SSIM_WINDOW_PX) >= SSIM_WINDOW_PX


def _average_map(
    clean: np.ndarray, restored: np.ndarray, to_map: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """The mean over each image of a map (n, C, h, w), computed for a few images at a time."""
    check_images(clean, "clean")
    check_images(restored, "restored")
    if clean.shape != restored.shape:
        raise InputError(
            f"restored images of shape {restored.shape} and clean ones {clean.shape} differ: give the same "
            "images, clean and restored."
        )
    step = max(1, CHUNK_PIXELS // math.prod(clean.shape[1:]))
    parts = [slice(start, start + step) for start in range(0, len(clean), step)]
    maps = (to_map(clean[part].astype(np.float64), restored[part].astype(np.float64)) for part in parts)
    return np.concatenate([quality.mean(axis=(1, 2, 3)) for quality in maps])


def _bce_map(clean: np.ndarray, restored: np.ndarray) -> np.ndarray:
    ink = np.clip(restored, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.asarray(-(clean * np.log(ink) + (1 - clean) * np.log1p(-ink)))


def _ssim_map(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Equation 13 of Wang et al. at each position of the window: (n, C, H - 10, W - 10)."""
    mean_x, mean_y = _blur(x), _blur(y)
    squares, product = mean_x**2 + mean_y**2, mean_x * mean_y
    variances, covariance = _blur(x * x + y * y) - squares, _blur(x * y) - product
    similarity = (2 * product + _C1) * (2 * covariance + _C2)
    return np.asarray(similarity / ((squares + _C1) * (variances + _C2)))


def _blur(images: np.ndarray) -> np.ndarray:
    """Gaussian means at every position with the window inside the image: (n, C, H - 10, W - 10)."""
    weights = cv2.getGaussianKernel(SSIM_WINDOW_PX, SSIM_SIGMA_PX)
    column = images.reshape(-1, images.shape[-1])  # all images stacked, to filter them in a single call
    blurred = cv2.sepFilter2D(column, -1, weights, weights).reshape(images.shape)
    edge = SSIM_WINDOW_PX // 2  # where the window extends into another image or beyond the stack
    return blurred[..., edge:-edge, edge:-edge]
