"""Judge a restorer: give it noisy images whose clean form is known, and sum up how near it comes."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from legible.errors import ArgumentError, InputError, ModelError
from legible.evaluation.image_metrics import bce_nats, fits_ssim, image_mse, psnr_of, ssim
from legible.evaluation.measure import N_SAMPLES
from legible.images import check_images

_NOT_SCORES = ("seconds", "images_per_second", "samples", "worst")


@dataclass(frozen=True)
class RestoredImage:
    """One image's restoration: where the image is, and its mean squared error after and before."""

    index: int
    mse: float
    noisy_mse: float


@dataclass(frozen=True)
class Restoration:
    """All that was measured of one restorer on one set of images; the measures are those of image_metrics.

    mse: of pixels in [0, 1], the mean over all pixels of all images. psnr_db: of that mean MSE, peak 1; None
    where it is infinite because no pixel differs. ssim: None where the images are smaller than its window.
    bce_nats: per pixel. noisy_...: the same of the noisy images as they are, the row that learns nothing.
    least_bce_nats: what a perfect restoration scores; more than 0 where clean pixels are grey.
    kinds: the MSE of the images of each kind of noise, where they come in several.
    samples: up to 20 images, spread evenly over the set; worst: those with the highest MSE, worst first.
    seconds: the restorer's own time.
    """

    n_images: int
    mse: float
    rmse: float
    psnr_db: float | None
    ssim: float | None
    bce_nats: float
    noisy_mse: float
    noisy_rmse: float
    noisy_psnr_db: float | None
    noisy_ssim: float | None
    noisy_bce_nats: float
    least_bce_nats: float
    kinds: dict[str, float]
    seconds: float
    images_per_second: float
    samples: tuple[RestoredImage, ...]
    worst: tuple[RestoredImage, ...]

    @property
    def scores(self) -> dict[str, Any]:
        """What rows and cards keep of it."""
        left_out = _NOT_SCORES if self.kinds else (*_NOT_SCORES, "kinds")
        return {name: value for name, value in vars(self).items() if name not in left_out}

    def to_json(self) -> dict[str, Any]:
        """Everything as plain dictionaries, lists and unrounded numbers."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))  # tuples become lists
        return plain


def judge_restoration(
    restore: Callable[[np.ndarray], np.ndarray], noisy: np.ndarray, clean: np.ndarray, *, n_worst: int = 20,
    kinds: Sequence[str] | None = None,
) -> Restoration:  # fmt: skip
    """Judge a restorer on noisy images whose clean form is known.

    restore: maps images to restored images of the same shape in [0, 1], called once with all images; it
    makes its own batches, and only its time is measured. noisy, clean: (N, C, H, W) float32 in [0, 1],
    1 = ink, the same images in the same order. n_worst: how many of the images with the highest MSE to keep.
    kinds: of the noise of each image, where they come in several.
    Raises InputError for images that do not fit, ModelError for answers that do not.
    """
    _check_question(noisy, clean)
    if n_worst < 0:
        raise ArgumentError(f"n_worst must be 0 or more, got {n_worst}.")
    started = time.perf_counter()
    restored = restore(noisy)
    seconds = max(time.perf_counter() - started, 1e-9)  # a coarse clock may show no time at all
    answer = _check_answer(np.asarray(restored), noisy.shape)
    return _sum_up(clean, noisy, answer, np.array(kinds or []), seconds, n_worst)


def _sum_up(
    clean: np.ndarray,
    noisy: np.ndarray,
    restored: np.ndarray,
    kinds: np.ndarray,
    seconds: float,
    n_worst: int,
) -> Restoration:
    errors, noisy_errors, n_images = image_mse(clean, restored), image_mse(clean, noisy), len(clean)

    def images(indices: np.ndarray) -> tuple[RestoredImage, ...]:
        return tuple(RestoredImage(int(i), float(errors[i]), float(noisy_errors[i])) for i in indices)

    return Restoration(
        n_images=n_images,
        **_measure(clean, restored, errors),
        **{f"noisy_{name}": value for name, value in _measure(clean, noisy, noisy_errors).items()},
        least_bce_nats=bce_nats(clean, clean),
        kinds={str(kind): float(errors[kinds == kind].mean()) for kind in np.unique(kinds)},
        seconds=seconds,
        images_per_second=n_images / seconds,
        samples=images(np.unique(np.linspace(0, n_images - 1, N_SAMPLES).round().astype(int))),
        worst=images(np.argsort(-errors, kind="stable")[:n_worst]),  # stable: ties keep the images' order
    )


def _measure(clean: np.ndarray, images: np.ndarray, errors: np.ndarray) -> dict[str, Any]:
    """All measures of a set of images by name; errors: their MSEs (N,)."""
    mse = float(errors.mean())
    return {
        "mse": mse,
        "rmse": math.sqrt(mse),
        "psnr_db": psnr_of(mse) if mse > 0 else None,
        "ssim": ssim(clean, images) if fits_ssim(clean) else None,
        "bce_nats": bce_nats(clean, images),
    }


def _check_question(noisy: np.ndarray, clean: np.ndarray) -> None:
    check_images(noisy, "noisy images")
    check_images(clean, "clean images")
    if noisy.shape != clean.shape:
        raise InputError(
            f"noisy images of shape {noisy.shape} do not go with clean images of shape {clean.shape}; "
            "give the same images before and after the noise."
        )


def _check_answer(restored: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if restored.shape != shape:
        raise ModelError(
            f"the model answered images of shape {shape} with an array of shape {restored.shape}. "
            "Use a model that gives back images of the size it is given."
        )
    finite = np.isfinite(restored).all(axis=(1, 2, 3))
    if not finite.all():
        raise ModelError(
            f"the model's answers for {len(finite) - int(finite.sum())} of {len(finite)} images are not "
            "finite numbers: its weights are damaged or its training diverged. Train it again."
        )
    low, high = float(restored.min()), float(restored.max())
    if low < 0 or high > 1:
        raise ModelError(
            f"the model's answers lie between {low:g} and {high:g}, not in [0, 1]. Use a model that gives "
            "pixels, not their logits, or clip its answers."
        )
    return restored.astype(np.float32, copy=False)
