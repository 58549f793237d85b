"""Evaluations of classifiers have their known values.

Source of the expected values: small cases by hand, and scikit-learn.
"""

import dataclasses
import json
import math
import subprocess
import sys

import numpy as np
import pytest

from legible.errors import ArgumentError, InputError, ModelError
from legible.evaluation.classification import evaluate_classifier

CLASSES = ("zero", "one", "two")
LABELS = np.array([0, 0, 0, 1, 2])
PROBABILITIES = np.array(
    [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.5, 0.3, 0.2]]
)
IMAGES = np.zeros((5, 1, 4, 4), np.float32)


def fixed_logits(images: np.ndarray) -> np.ndarray:
    return np.log(PROBABILITIES[: len(images)]).astype(np.float32)


@pytest.fixture(scope="module")
def report():
    return evaluate_classifier(fixed_logits, IMAGES, LABELS, CLASSES, n_worst=2)


def test_a_report_counts_correct_predictions(report):
    assert (report.n_images, report.accuracy) == (5, 0.6)
    assert report.accuracy_low < 0.6 < report.accuracy_high
    assert report.confusion == ((2, 1, 0), (0, 1, 0), (1, 0, 0))
    assert [score.support for score in report.per_class] == [3, 1, 1]


def test_the_loss_is_the_mean_cross_entropy_in_nats(report):
    expected = -(2 * math.log(0.8) + math.log(0.1) + math.log(0.6) + math.log(0.2)) / 5
    assert report.loss_nats == pytest.approx(expected, rel=1e-6)


def test_the_baseline_predicts_the_most_frequent_class(report):
    assert report.most_frequent_class_accuracy == 3 / 5


def test_the_worst_images_are_first_with_their_predictions(report):
    worst = [(a.index, a.label, a.predicted, round(a.probability, 6)) for a in report.worst]
    assert worst == [(1, 0, 1, 0.8), (4, 2, 0, 0.5)]
    assert report.worst[0].loss_nats == pytest.approx(-math.log(0.1), rel=1e-6)


def test_samples_are_evenly_spaced_in_the_set(rng):
    images, labels = np.zeros((1000, 1, 2, 2), np.float32), rng.integers(0, 3, 1000)
    samples = evaluate_classifier(
        lambda batch: rng.normal(size=(len(batch), 3)), images, labels, CLASSES
    ).samples
    indices = [a.index for a in samples]
    assert (len(set(indices)), indices[0], indices[-1]) == (20, 0, 999)
    assert [a.label for a in samples] == labels[indices].tolist()


def test_a_report_is_json_without_rounding(report):
    plain = report.to_json()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert set(plain) == {field.name for field in dataclasses.fields(report)}
    assert plain["loss_nats"] == report.loss_nats
    assert plain["worst"][0]["index"] == 1


def test_only_the_models_time_is_measured(monkeypatch):
    clock = iter([10.0, 12.0])
    monkeypatch.setattr("legible.evaluation.classification.time.perf_counter", lambda: next(clock))
    report = evaluate_classifier(fixed_logits, IMAGES, LABELS, CLASSES)
    assert (report.seconds, report.images_per_second) == (2.0, 2.5)


def test_one_image_is_enough():
    report = evaluate_classifier(fixed_logits, IMAGES[:1], LABELS[:1], CLASSES)
    assert (report.accuracy, len(report.worst), len(report.samples)) == (1.0, 1, 1)


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        (IMAGES[:4], LABELS, "4 images and 5 labels"),
        (IMAGES, np.array([0, 0, 0, 1, 3]), "label 3 of image 4"),
        (IMAGES, np.array([0, -1, 0, 1, 2]), "label -1 of image 1"),
        (IMAGES, LABELS.astype(float), "whole number"),
        (IMAGES, np.eye(5, dtype=int), "whole number"),
        (IMAGES[0], LABELS, "N, C, H, W"),
        (IMAGES + 2, LABELS, "values must lie"),
    ],
)
def test_unsuitable_images_and_labels_are_refused(images, labels, says):
    with pytest.raises(InputError, match=says):
        evaluate_classifier(fixed_logits, images, labels, CLASSES)


@pytest.mark.parametrize(
    ("logits", "says"),
    [
        (np.zeros((4, 3)), r"shape \(4, 3\)"),
        (np.zeros((5, 10)), r"shape \(5, 10\)"),
        (np.zeros(5), r"shape \(5,\)"),
        (np.where(np.arange(15).reshape(5, 3) == 4, np.nan, 0.0), "1 of 5 images are not finite"),
        (np.where(np.arange(15).reshape(5, 3) > 11, np.inf, 0.0), "1 of 5 images are not finite"),
    ],
)
def test_unsuitable_logits_are_a_model_error(logits, says):
    with pytest.raises(ModelError, match=says):
        evaluate_classifier(lambda images: logits, IMAGES, LABELS, CLASSES)


def test_a_negative_number_of_worst_images_is_refused():
    with pytest.raises(ArgumentError, match="n_worst"):
        evaluate_classifier(fixed_logits, IMAGES, LABELS, CLASSES, n_worst=-1)


def test_evaluation_and_its_tables_need_neither_pytorch_nor_matplotlib_nor_scikit_learn():
    code = (
        "import sys, legible.evaluation.classification, legible.report.tables\n"
        "print(*{'torch', 'matplotlib', 'sklearn', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
