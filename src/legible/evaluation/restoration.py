"""Evaluate a restorer on noisy images whose clean versions are known."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from legible.errors import ArgumentError, InputError, ModelError
from legible.evaluation.classification import N_SAMPLES
from legible.evaluation.evaluation_set import EvaluationSet
from legible.evaluation.image_metrics import bce_nats, fits_ssim, image_mse, psnr_of, ssim
from legible.images import Predict, check_images

_NOT_SCORES = ("seconds", "images_per_second", "samples", "worst")


@dataclass(frozen=True)
class RestoredImage:
    """The restoration of one image: its index, and its mean squared error after and before."""

    index: int
    mse: float
    noisy_mse: float


@dataclass(frozen=True)
class RestorationReport:
    """The evaluation of one restorer on one set of images, with the metrics of image_metrics.

    mse: of pixels in [0, 1], the mean over all pixels of all images. psnr_db: of that mean MSE, peak 1; None
    if it is infinite because no pixel differs. ssim: None if the images are smaller than its window.
    bce_nats: per pixel. noisy_...: the same for the unrestored noisy images, a baseline.
    least_bce_nats: of a perfect restoration; more than 0 if clean pixels are grey.
    kinds: the MSE for each kind of noise, if the dataset has several.
    samples: up to 20 images, evenly spaced in the set; worst: those with the highest MSE, worst first.
    seconds: of the restorer alone.
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
        """The figures that rows and cards store."""
        left_out = _NOT_SCORES if self.kinds else (*_NOT_SCORES, "kinds")
        return {name: value for name, value in vars(self).items() if name not in left_out}

    def to_json(self) -> dict[str, Any]:
        """The whole report as dictionaries, lists and unrounded numbers."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))  # tuples become lists
        return plain


def evaluate(restore: Predict, shown: EvaluationSet) -> RestorationReport:
    """Evaluate a restorer on an evaluation set."""
    kinds = [shown.seen.classes[label] for label in shown.seen.labels] if shown.by_kind else None
    return evaluate_restorer(restore, shown.seen.images, shown.clean, kinds=kinds)


def evaluate_restorer(
    restore: Predict, noisy: np.ndarray, clean: np.ndarray, *, n_worst: int = 20,
    kinds: Sequence[str] | None = None,
) -> RestorationReport:  # fmt: skip
    """Evaluate a restorer on noisy images whose clean versions are known.

    restore: maps images to restored images of the same shape in [0, 1]; called once with all images, it makes
    its own batches; only its time is measured. noisy, clean: (N, C, H, W) float32 in [0, 1], 1 = ink, the
    same images in the same order. n_worst: number of images with the highest MSE to include. kinds: the kind
    of noise of each image, if there are several.
    Raises InputError for unsuitable images, ModelError for unsuitable output.
    """
    _check_input(noisy, clean)
    if n_worst < 0:
        raise ArgumentError(f"n_worst must be 0 or more, got {n_worst}.")
    started = time.perf_counter()
    restored = restore(noisy)
    seconds = max(time.perf_counter() - started, 1e-9)  # 0 with a coarse clock
    restored = _check_output(np.asarray(restored), noisy.shape)
    return _summarise(clean, noisy, restored, np.array(kinds or []), seconds, n_worst)


def _summarise(
    clean: np.ndarray,
    noisy: np.ndarray,
    restored: np.ndarray,
    kinds: np.ndarray,
    seconds: float,
    n_worst: int,
) -> RestorationReport:
    errors, noisy_errors, n_images = image_mse(clean, restored), image_mse(clean, noisy), len(clean)

    def images(indices: np.ndarray) -> tuple[RestoredImage, ...]:
        return tuple(RestoredImage(int(i), float(errors[i]), float(noisy_errors[i])) for i in indices)

    return RestorationReport(
        n_images=n_images,
        **_measure(clean, restored, errors),
        **{f"noisy_{name}": value for name, value in _measure(clean, noisy, noisy_errors).items()},
        least_bce_nats=bce_nats(clean, clean),
        kinds={str(kind): float(errors[kinds == kind].mean()) for kind in np.unique(kinds)},
        seconds=seconds,
        images_per_second=n_images / seconds,
        samples=images(np.unique(np.linspace(0, n_images - 1, N_SAMPLES).round().astype(int))),
        worst=images(np.argsort(-errors, kind="stable")[:n_worst]),  # stable: ties are in the images' order
    )


def _measure(clean: np.ndarray, images: np.ndarray, errors: np.ndarray) -> dict[str, Any]:
    """All metrics of a set of images by name; errors: their MSEs (N,)."""
    mse = float(errors.mean())
    return {
        "mse": mse,
        "rmse": math.sqrt(mse),
        "psnr_db": psnr_of(mse) if mse > 0 else None,
        "ssim": ssim(clean, images) if fits_ssim(clean) else None,
        "bce_nats": bce_nats(clean, images),
    }


def _check_input(noisy: np.ndarray, clean: np.ndarray) -> None:
    check_images(noisy, "noisy images")
    check_images(clean, "clean images")
    if noisy.shape != clean.shape:
        raise InputError(
            f"noisy images of shape {noisy.shape} and clean ones {clean.shape} differ: give the same images "
            "with noise and without."
        )


def _check_output(restored: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if restored.shape != shape:
        raise ModelError(
            f"the model returned an array of shape {restored.shape} for images of shape {shape}. "
            "Use a model whose output has the size of its input."
        )
    finite = np.isfinite(restored).all(axis=(1, 2, 3))
    if not finite.all():
        raise ModelError(
            f"the model's outputs for {len(finite) - int(finite.sum())} of {len(finite)} images are not "
            "finite: its weights are damaged or its training diverged. Train it again."
        )
    low, high = float(restored.min()), float(restored.max())
    if low < 0 or high > 1:
        raise ModelError(
            f"the model's outputs are between {low:g} and {high:g}, not in [0, 1]. Use a model that returns "
            "pixels, not logits, or clip its output."
        )
    return restored.astype(np.float32, copy=False)
