"""The metrics of restored images have their known values.

Source of the expected values: scikit-image, Keras's rule, and sums by hand.
"""

import gzip
import math

import cv2
import numpy as np
import pytest

from legible.errors import InputError
from legible.evaluation import image_metrics
from legible.evaluation.image_metrics import (
    bce_nats,
    image_mse,
    image_ssim,
    mse,
    psnr_db,
    psnr_of,
    rmse,
    ssim,
)

CLEAN = np.array([[[[0, 0], [1, 1]]], [[[0, 1], [0, 1]]]], np.float32)
RESTORED = np.array([[[[0, 0.5], [1, 1]]], [[[0, 1], [1, 0]]]], np.float32)  # MSEs 1/16 and 1/2
MEASURES = (mse, rmse, psnr_db, ssim, bce_nats)


def wavy(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """A reproducible picture and a distorted copy."""
    y, x = np.mgrid[:height, :width].astype(float)
    clean = (0.5 + 0.5 * np.sin(x / 3 + y / 5)).astype(np.float32)
    disturbed = np.clip(clean + 0.4 * np.sin(1.7 * x * y / 7 + x), 0, 1).astype(np.float32)
    return clean[None, None], disturbed[None, None]


def random_pair(rng: np.random.Generator, *shape: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.random(shape, dtype=np.float32), rng.random(shape, dtype=np.float32)


def ssim_by_hand(x: np.ndarray, y: np.ndarray) -> float:
    """Wang et al. 2004, equation 13, written as a loop over the windows of one picture (H, W)."""
    distance = np.arange(11) - 5
    bell = np.exp(-(distance**2) / (2 * 1.5**2))
    weights = np.outer(bell, bell) / bell.sum() ** 2
    c1, c2 = 0.01**2, 0.03**2
    found = []
    for top in range(x.shape[0] - 10):
        for left in range(x.shape[1] - 10):
            a, b = (p[top : top + 11, left : left + 11].astype(float) for p in (x, y))
            mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
            var_a, var_b = (weights * (a - mean_a) ** 2).sum(), (weights * (b - mean_b) ** 2).sum()
            shared = (weights * (a - mean_a) * (b - mean_b)).sum()
            alike = (2 * mean_a * mean_b + c1) * (2 * shared + c2)
            found.append(alike / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)))
    return float(np.mean(found))


def test_squared_errors_equal_those_by_hand():
    assert image_mse(CLEAN, RESTORED).tolist() == [1 / 16, 1 / 2]
    assert mse(CLEAN, RESTORED) == 9 / 32
    assert rmse(CLEAN, RESTORED) == pytest.approx(math.sqrt(9 / 32), rel=1e-15)


def test_psnr_is_that_of_the_mean_error_not_the_mean_psnr():
    assert psnr_db(CLEAN, RESTORED) == pytest.approx(10 * math.log10(32 / 9), rel=1e-12)
    assert np.mean([psnr_of(e) for e in image_mse(CLEAN, RESTORED)]) > psnr_db(CLEAN, RESTORED) + 1


def test_an_error_of_0_0075_is_21_2_db():
    """10 * log10(1 / 0.0075) = 21.249."""
    assert psnr_of(0.0075) == pytest.approx(21.249, abs=5e-4)


def test_equal_images_are_perfect_in_every_metric(rng):
    images, _ = random_pair(rng, 3, 1, 12, 12)
    assert (mse(images, images), rmse(images, images)) == (0, 0)
    assert psnr_db(images, images) == math.inf
    assert ssim(images, images) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("height", "width", "expected_ssim", "expected_psnr_db"),
    [
        (28, 28, 0.48162606998568, 12.706727767780183),
        (11, 11, 0.58588445356498, 13.31142105638677),
        (12, 40, 0.47238527140961, 12.660163975133734),
    ],
)
def test_ssim_and_psnr_equal_scikit_image(height, width, expected_ssim, expected_psnr_db):
    """scikit-image 0.26.0 on float64 copies, peak_signal_noise_ratio(data_range=1) and
    structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1).
    """
    clean, disturbed = wavy(height, width)
    assert ssim(clean, disturbed) == pytest.approx(expected_ssim, abs=1e-6)
    assert psnr_db(clean, disturbed) == pytest.approx(expected_psnr_db, abs=1e-6)


def test_ssim_equals_the_sum_over_windows_of_each_image_and_channel(rng):
    clean, restored = random_pair(rng, 2, 3, 13, 16)
    expected = [
        np.mean([ssim_by_hand(x, y) for x, y in zip(one, other, strict=True)])
        for one, other in zip(clean, restored, strict=True)
    ]
    np.testing.assert_allclose(image_ssim(clean, restored), expected, rtol=1e-10)
    assert ssim(clean, restored) == pytest.approx(np.mean(expected), rel=1e-10)


def test_an_image_has_the_same_metrics_alone_and_among_others(rng):
    """More images than one chunk has; windows must not extend into other images."""
    clean, restored = random_pair(rng, 2 * image_metrics.CHUNK_PIXELS // 11**2 + 1, 1, 11, 11)
    for measure in (image_mse, image_ssim):
        found = measure(clean, restored)
        for i in (0, len(clean) // 2, len(clean) - 1):
            assert found[i] == pytest.approx(measure(clean[[i]], restored[[i]])[0], rel=1e-9)


def test_white_and_black_have_the_lowest_ssim_that_the_constants_allow():
    """By hand: means 1 and 0, no variances, so C1 / (1 + C1) with C1 = 0.0001."""
    paper = np.zeros((1, 1, 20, 20), np.float32)
    assert ssim(paper, 1 - paper) == pytest.approx(1e-4 / (1 + 1e-4), rel=1e-9)


def test_ssim_is_low_for_a_negative_and_high_for_a_slight_blur(rng):
    clean = np.kron(rng.integers(0, 2, (8, 8)), np.ones((4, 4))).astype(np.float32)
    blurred = np.clip(cv2.GaussianBlur(clean, (3, 3), 0.5), 0, 1)
    shown = [ssim(clean[None, None], other[None, None]) for other in (blurred, 1 - clean)]
    assert shown[0] > 0.9 and shown[1] < 0


def test_cross_entropy_equals_the_sum_by_hand():
    clean = np.array([[[[1, 0, 0.25]]]], np.float32)
    ink = np.array([[[[0.5, 0.25, 0.25]]]], np.float32)
    grey = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert bce_nats(clean, ink) == pytest.approx((math.log(2) - math.log(0.75) + grey) / 3, rel=1e-12)


def test_certain_and_wrong_pixels_cost_as_much_as_in_keras():
    """-log(1e-7) = 16.118 nats: Keras clips probabilities to [epsilon, 1 - epsilon], epsilon 1e-7."""
    clean = np.array([[[[1, 0]]]], np.float32)
    assert bce_nats(clean, 1 - clean) == pytest.approx(16.1181, abs=1e-4)
    assert bce_nats(clean, clean) == pytest.approx(1e-7, rel=1e-6)


def test_no_restoration_of_grey_pixels_has_a_lower_bce_than_the_clean_image(rng):
    clean, restored = random_pair(rng, 4, 1, 5, 5)
    nearly = np.clip(clean + np.float32(0.01), 0, 1)
    assert bce_nats(clean, clean) < bce_nats(clean, nearly) < bce_nats(clean, restored)


def test_a_perfect_reconstruction_of_the_mnist_test_digits_scores_0_0581_nats(real_data):
    """By the formula over all pixels at once. The best autoencoder of report B scores 0.0583 (row B1.2)."""
    raw = gzip.decompress((real_data / "mnist" / "t10k-images-idx3-ubyte.gz").read_bytes())
    images = np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 1, 28, 28) / np.float32(255)
    p = np.clip(images.astype(float), 1e-7, 1 - 1e-7)
    expected = -np.mean(images * np.log(p) + (1 - images) * np.log(1 - p))
    assert bce_nats(images, images) == pytest.approx(expected, rel=1e-7)
    assert expected == pytest.approx(0.0581, abs=5e-5)


def test_images_are_not_changed(rng):
    clean, restored = random_pair(rng, 2, 1, 12, 12)
    copies = clean.copy(), restored.copy()
    for measure in MEASURES:
        measure(clean, restored)
    assert (clean == copies[0]).all() and (restored == copies[1]).all()


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda images: images[:1], "and clean ones"),
        (lambda images: images[..., :11], "and clean ones"),
        (lambda images: images + np.float32(0.5), "restored: values must lie"),
        (lambda images: images * np.float32(np.nan), "restored: values must lie"),
        (lambda images: images.astype(float), "restored: expected float32"),
        (lambda images: images[0], "restored: expected an array"),
    ],
)
def test_unsuitable_images_are_refused(rng, measure, change, says):
    clean, _ = random_pair(rng, 2, 1, 12, 12)
    with pytest.raises(InputError, match=says):
        measure(clean, change(clean))


@pytest.mark.parametrize("shape", [(10, 11), (40, 8)])
def test_ssim_of_images_smaller_than_its_window_is_refused(rng, shape):
    with pytest.raises(InputError, match=f"11 x 11 pixels, but these have {shape[0]} x {shape[1]}"):
        ssim(*random_pair(rng, 2, 1, *shape))


def test_ssim_without_images_is_refused():
    nothing = np.zeros((0, 1, 28, 28), np.float32)
    with pytest.raises(InputError, match="no image"):
        ssim(nothing, nothing)
