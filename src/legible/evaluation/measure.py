"""Judge a classifier: ask it about images whose labels are known, and sum up the answers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from legible.errors import ArgumentError, InputError, ModelError
from legible.evaluation import metrics
from legible.evaluation.metrics import ClassScore, ReliabilityBin
from legible.images import check_images

N_SAMPLES = 20


@dataclass(frozen=True)
class Answer:
    """One image's answer: where the image is, what it shows, what it was taken for and how surely."""

    index: int
    label: int
    predicted: int
    probability: float  # given to the predicted class
    loss_nats: float


@dataclass(frozen=True)
class Judgement:
    """All that was measured of one classifier on one set of images.

    Fractions in [0, 1], losses in nats. accuracy_low and accuracy_high: the 95 % Wilson interval.
    per_class and confusion (row = true, column = predicted) follow the order of `classes`. samples: the
    answers for up to 20 images, spread evenly over the set; worst: those with the highest loss, worst first.
    most_frequent_class_accuracy: what always answering these images' commonest class would score, the row
    that learns nothing. seconds: the model's own time.
    """

    n_images: int
    classes: tuple[str, ...]
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    most_frequent_class_accuracy: float
    loss_nats: float
    calibration_error: float
    seconds: float
    images_per_second: float
    per_class: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    reliability: tuple[ReliabilityBin, ...]
    samples: tuple[Answer, ...]
    worst: tuple[Answer, ...]

    @property
    def scores(self) -> dict[str, Any]:
        """What rows and cards keep of it."""
        return {
            "n_images": self.n_images,
            "accuracy": self.accuracy,
            "loss_nats": self.loss_nats,
            "calibration_error": self.calibration_error,
        }

    def to_json(self) -> dict[str, Any]:
        """Everything as plain dictionaries, lists, text and unrounded numbers."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))  # tuples become lists
        return plain


def judge(
    predict: Callable[[np.ndarray], np.ndarray],
    images: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    *,
    n_worst: int = 20,
) -> Judgement:
    """Judge a classifier on labelled images.

    predict: maps images to logits (N, K), called once with all images; it makes its own batches, and only
    its time is measured. images: (N, C, H, W) float32 in [0, 1], 1 = ink. labels: (N,) integers in
    0 ... K-1. classes: K names. n_worst: how many of the images with the highest loss to keep.
    Raises InputError for images or labels that do not fit, ModelError for answers that do not.
    """
    _check_question(images, labels, classes)
    if n_worst < 0:
        raise ArgumentError(f"n_worst must be 0 or more, got {n_worst}.")
    started = time.perf_counter()
    logits = predict(images)
    seconds = max(time.perf_counter() - started, 1e-9)  # a coarse clock may show no time at all
    logits = _check_answer(np.asarray(logits), len(images), len(classes))
    return _sum_up(logits, labels, tuple(str(name) for name in classes), seconds, n_worst)


def _sum_up(
    logits: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], seconds: float, n_worst: int
) -> Judgement:
    probabilities, losses = metrics.softmax(logits), metrics.image_losses(logits, labels)
    n_images, predicted = len(labels), probabilities.argmax(axis=1)
    confusion = metrics.confusion_matrix(labels, predicted, len(classes))
    n_right = int(np.trace(confusion))
    low, high = metrics.wilson_interval(n_right, n_images)
    bins = metrics.reliability(probabilities, labels)

    def answers(indices: np.ndarray) -> tuple[Answer, ...]:
        return tuple(
            Answer(int(i), int(labels[i]), int(predicted[i]), float(probabilities[i].max()), float(losses[i]))
            for i in indices
        )

    return Judgement(
        n_images=n_images,
        classes=classes,
        accuracy=n_right / n_images,
        accuracy_low=low,
        accuracy_high=high,
        most_frequent_class_accuracy=int(confusion.sum(axis=1).max()) / n_images,
        loss_nats=float(losses.mean()),
        calibration_error=metrics.binned_calibration_error(bins),
        seconds=seconds,
        images_per_second=n_images / seconds,
        per_class=tuple(metrics.per_class(confusion)),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        reliability=tuple(bins),
        samples=answers(np.unique(np.linspace(0, n_images - 1, N_SAMPLES).round().astype(int))),
        worst=answers(np.argsort(-losses, kind="stable")[:n_worst]),
    )  # stable: ties keep the images' order


def _check_question(images: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> None:
    check_images(images)
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise InputError(
            f"labels: expected one whole number per image, got {labels.dtype} of shape {labels.shape}."
        )
    if len(labels) != len(images):
        raise InputError(
            f"there are {len(images)} images and {len(labels)} labels; give one label for each image."
        )
    if labels.min() < 0 or labels.max() >= len(classes):
        wrong = int(np.flatnonzero((labels < 0) | (labels >= len(classes)))[0])
        raise InputError(
            f"label {labels[wrong]} of image {wrong} is outside the {len(classes)} classes "
            f"(0 ... {len(classes) - 1}). Judge on data with the classes the model was trained on."
        )


def _check_answer(logits: np.ndarray, n_images: int, n_classes: int) -> np.ndarray:
    if logits.shape != (n_images, n_classes):
        raise ModelError(
            f"the model answered {n_images} images with an array of shape {logits.shape}; expected "
            f"({n_images}, {n_classes}). Use a model that was trained for these {n_classes} classes."
        )
    finite = np.isfinite(logits).all(axis=1)
    if not finite.all():
        raise ModelError(
            f"the model's answers for {n_images - int(finite.sum())} of {n_images} images are not finite "
            "numbers: its weights are damaged or its training diverged. Train it again."
        )
    return logits
