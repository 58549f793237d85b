"""Evaluations of restorers have their known values.

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
from legible.evaluation import image_metrics
from legible.evaluation.restoration import evaluate_restorer

CLEAN = np.zeros((4, 1, 12, 12), np.float32)
CLEAN[:, :, 3:9, 3:9] = 1
NOISY = np.abs(CLEAN - np.float32(0.5))  # grey all over: every pixel is 0.5 off
OFF = np.array([0.1, 0.4, 0.0, 0.4], np.float32)  # by how much each image's pixels are missed
RESTORED = np.abs(CLEAN - OFF[:, None, None, None])


def fixed_restoration(images: np.ndarray) -> np.ndarray:
    return RESTORED[: len(images)]


@pytest.fixture(scope="module")
def restoration():
    return evaluate_restorer(fixed_restoration, NOISY, CLEAN, n_worst=3)


def test_the_errors_are_means_over_all_pixels(restoration):
    mse = (0.01 + 0.16 + 0.16) / 4
    assert restoration.n_images == 4
    assert restoration.mse == pytest.approx(mse, rel=1e-6)
    assert restoration.rmse == pytest.approx(math.sqrt(mse), rel=1e-6)
    assert restoration.psnr_db == pytest.approx(-10 * math.log10(mse), rel=1e-6)
    nats = -(math.log(0.9) + 2 * math.log(0.6)) / 4
    assert restoration.bce_nats == pytest.approx(nats, rel=1e-5)
    assert restoration.ssim == image_metrics.ssim(CLEAN, RESTORED)


def test_the_baseline_is_the_noisy_images(restoration):
    assert (restoration.noisy_mse, restoration.noisy_rmse) == (0.25, 0.5)
    assert restoration.noisy_psnr_db == pytest.approx(10 * math.log10(4))
    assert restoration.noisy_bce_nats == pytest.approx(math.log(2))
    assert restoration.noisy_ssim == image_metrics.ssim(CLEAN, NOISY)


def test_the_lowest_bce_of_black_and_white_images_is_almost_0(restoration):
    assert restoration.least_bce_nats == pytest.approx(1e-7, rel=1e-5)


def test_the_worst_images_are_first_and_ties_keep_their_order(restoration):
    assert [image.index for image in restoration.worst] == [1, 3, 0]
    assert restoration.worst[0].mse == pytest.approx(0.16, rel=1e-6)
    assert {image.noisy_mse for image in restoration.worst} == {0.25}


def test_samples_are_evenly_spaced_in_the_set(rng):
    clean = rng.random((1000, 1, 2, 2), dtype=np.float32)
    samples = evaluate_restorer(lambda images: 1 - images, clean, clean).samples
    indices = [image.index for image in samples]
    assert (len(set(indices)), indices[0], indices[-1]) == (20, 0, 999)
    errors = np.square(1 - 2 * clean.astype(float)).mean(axis=(1, 2, 3))
    np.testing.assert_allclose([image.mse for image in samples], errors[indices], rtol=1e-5)


def test_a_report_is_json_without_rounding(restoration):
    plain = restoration.to_json()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert set(plain) == {field.name for field in dataclasses.fields(restoration)}
    assert plain["mse"] == restoration.mse
    assert plain["worst"][0] == dataclasses.asdict(restoration.worst[0])


def test_rows_store_all_metrics_but_no_times_or_images(restoration):
    scores = restoration.scores
    left_out = {
        "seconds",
        "images_per_second",
        "samples",
        "worst",
        "kinds",
    }  # of one kind there is no more to say
    assert set(scores) == set(restoration.to_json()) - left_out
    assert scores["noisy_mse"] == 0.25


def test_the_report_of_a_perfect_restoration_is_json():
    restoration = evaluate_restorer(lambda images: CLEAN, CLEAN, CLEAN)
    assert (restoration.mse, restoration.psnr_db, restoration.noisy_psnr_db) == (0, None, None)
    assert restoration.bce_nats == restoration.least_bce_nats
    json.dumps(restoration.to_json(), allow_nan=False)


def test_images_too_small_for_ssim_are_evaluated_without_it():
    small = CLEAN[..., :8, :8]
    restoration = evaluate_restorer(lambda images: images, 1 - small, small)
    assert (restoration.mse, restoration.ssim, restoration.noisy_ssim) == (1, None, None)


def test_only_the_restorers_time_is_measured(monkeypatch):
    clock = iter([10.0, 12.0])
    monkeypatch.setattr("legible.evaluation.restoration.time.perf_counter", lambda: next(clock))
    restoration = evaluate_restorer(fixed_restoration, NOISY, CLEAN)
    assert (restoration.seconds, restoration.images_per_second) == (2.0, 2.0)


def test_one_image_is_enough_and_float64_output_is_accepted():
    restoration = evaluate_restorer(lambda images: RESTORED[:1].astype(float), NOISY[:1], CLEAN[:1])
    assert (restoration.n_images, len(restoration.worst), len(restoration.samples)) == (1, 1, 1)
    assert restoration.mse == pytest.approx(0.01, rel=1e-6)


@pytest.mark.parametrize(
    ("noisy", "clean", "says"),
    [
        (NOISY[:3], CLEAN, "and clean ones"),
        (NOISY, CLEAN[..., 1:], "and clean ones"),
        (NOISY[0], CLEAN, "noisy images: expected an array"),
        (NOISY, CLEAN.astype(float), "clean images: expected float32"),
        (NOISY + 2, CLEAN, "noisy images: values must lie"),
        (NOISY, CLEAN * np.float32(np.nan), "clean images: values must lie"),
        (NOISY[:0], CLEAN[:0], "no image"),
    ],
)
def test_unsuitable_images_are_refused_before_the_model_runs(noisy, clean, says):
    def restore(images):
        raise AssertionError("asked")

    with pytest.raises(InputError, match=says):
        evaluate_restorer(restore, noisy, clean)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (RESTORED[:3], r"shape \(3, 1, 12, 12\)"),
        (np.zeros((4, 10)), r"shape \(4, 10\)"),
        (np.where(CLEAN * (OFF == 0)[:, None, None, None] == 1, np.nan, 0), "1 of 4 images are not finite"),
        (np.where(CLEAN == 1, np.inf, 0), "4 of 4 images are not finite"),
        (4 * RESTORED - 2, r"between -2 and 2, not in \[0, 1\]"),
    ],
)
def test_unsuitable_output_is_a_model_error(answer, says):
    with pytest.raises(ModelError, match=says):
        evaluate_restorer(lambda images: answer, NOISY, CLEAN)


def test_a_negative_number_of_worst_images_is_refused():
    with pytest.raises(ArgumentError, match="n_worst"):
        evaluate_restorer(fixed_restoration, NOISY, CLEAN, n_worst=-1)


def test_evaluation_needs_neither_pytorch_nor_matplotlib_nor_scikit_learn():
    code = (
        "import sys, legible.evaluation.restoration\n"
        "print(*{'torch', 'matplotlib', 'sklearn', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_each_kind_of_noise_is_evaluated_separately():
    kinds = ["dots", "grain", "dots", "grain"]
    restoration = evaluate_restorer(fixed_restoration, NOISY, CLEAN, kinds=kinds)
    assert restoration.kinds == pytest.approx({"dots": 0.005, "grain": 0.16})
    assert restoration.scores["kinds"] == restoration.kinds
