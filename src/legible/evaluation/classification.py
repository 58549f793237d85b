"""Evaluate a classifier on labelled images."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from legible.errors import ArgumentError, InputError, ModelError
from legible.evaluation import metrics
from legible.evaluation.evaluation_set import EvaluationSet
from legible.evaluation.metrics import ClassScore, ReliabilityBin
from legible.images import Predict, check_images
from legible.softmax import softmax

N_SAMPLES = 20


@dataclass(frozen=True)
class Prediction:
    """The prediction for one image: its index, its label, and the predicted class with its probability."""

    index: int
    label: int
    predicted: int
    probability: float  # of the predicted class
    loss_nats: float


@dataclass(frozen=True)
class ClassificationReport:
    """The evaluation of one classifier on one set of images.

    Fractions in [0, 1], losses in nats. accuracy_low and accuracy_high: the 95 % Wilson interval.
    per_class and confusion (row = true, column = predicted) are in the order of `classes`. samples: the
    predictions for up to 20 images, evenly spaced in the set; worst: those with the highest loss, worst
    first. most_frequent_class_accuracy: the accuracy of always predicting the most frequent class, a
    baseline. seconds: of the model alone.
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
    samples: tuple[Prediction, ...]
    worst: tuple[Prediction, ...]

    @property
    def scores(self) -> dict[str, Any]:
        """The figures that rows and cards store."""
        return {
            "n_images": self.n_images,
            "accuracy": self.accuracy,
            "loss_nats": self.loss_nats,
            "calibration_error": self.calibration_error,
        }

    def to_json(self) -> dict[str, Any]:
        """The whole report as dictionaries, lists, text and unrounded numbers."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))  # tuples become lists
        return plain


def evaluate(predict: Predict, shown: EvaluationSet) -> ClassificationReport:
    """Evaluate a classifier on an evaluation set."""
    return evaluate_classifier(predict, shown.seen.images, shown.seen.labels, shown.seen.classes)


def evaluate_classifier(
    predict: Predict,
    images: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    *,
    n_worst: int = 20,
) -> ClassificationReport:
    """Evaluate a classifier on labelled images.

    predict: maps images to logits (N, K); called once with all images, it makes its own batches; only its
    time is measured. images: (N, C, H, W) float32 in [0, 1], 1 = ink. labels: (N,) integers in 0 ... K-1.
    classes: K names. n_worst: number of images with the highest loss to include.
    Raises InputError for unsuitable images or labels, ModelError for unsuitable logits.
    """
    _check_input(images, labels, classes)
    if n_worst < 0:
        raise ArgumentError(f"n_worst must be 0 or more, got {n_worst}.")
    started = time.perf_counter()
    logits = predict(images)
    seconds = max(time.perf_counter() - started, 1e-9)  # 0 with a coarse clock
    logits = _check_logits(np.asarray(logits), len(images), len(classes))
    return _summarise(logits, labels, tuple(str(name) for name in classes), seconds, n_worst)


def _summarise(
    logits: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], seconds: float, n_worst: int
) -> ClassificationReport:
    probabilities, losses = softmax(logits.astype(np.float64)), metrics.image_losses(logits, labels)
    n_images, predicted = len(labels), probabilities.argmax(axis=1)
    confusion = metrics.confusion_matrix(labels, predicted, len(classes))
    n_right = int(np.trace(confusion))
    low, high = metrics.wilson_interval(n_right, n_images)
    bins = metrics.reliability(probabilities, labels)

    def predictions(indices: np.ndarray) -> tuple[Prediction, ...]:
        return tuple(
            Prediction(
                int(i), int(labels[i]), int(predicted[i]), float(probabilities[i].max()), float(losses[i])
            )
            for i in indices
        )

    return ClassificationReport(
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
        samples=predictions(np.unique(np.linspace(0, n_images - 1, N_SAMPLES).round().astype(int))),
        worst=predictions(np.argsort(-losses, kind="stable")[:n_worst]),
    )  # stable: ties are in the images' order


def _check_input(images: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> None:
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
            f"(0 ... {len(classes) - 1}). Evaluate on data with the classes the model was trained on."
        )


def _check_logits(logits: np.ndarray, n_images: int, n_classes: int) -> np.ndarray:
    if logits.shape != (n_images, n_classes):
        raise ModelError(
            f"the model returned an array of shape {logits.shape} for {n_images} images, not "
            f"({n_images}, {n_classes}). Use a model that was trained for these {n_classes} classes."
        )
    finite = np.isfinite(logits).all(axis=1)
    if not finite.all():
        raise ModelError(
            f"the model's outputs for {n_images - int(finite.sum())} of {n_images} images are not finite: "
            "its weights are damaged or its training diverged. Train it again."
        )
    return logits
