"""Each noise does what its formula says.

Source of the expected values: theory (moments and rates of each distribution), other libraries, and papers,
named in each test.
"""

import gzip
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from legible.noise import NOISES
from legible.noise.geometry import rotate


def _noisy(spec: str, images: np.ndarray, seed: int = 0) -> np.ndarray:
    return NOISES.call(spec, images, np.random.default_rng(seed))


def _plain(ink: float, n: int = 400, size: int = 28) -> np.ndarray:
    return np.full((n, 1, size, size), ink, np.float32)


def test_gaussian_noise_has_the_mean_and_std_asked_for() -> None:
    """On mid-grey at std 0.1 clipping is 5 std away."""
    grain = _noisy("gaussian:0.1", _plain(0.5)) - 0.5
    assert grain.mean() == pytest.approx(0, abs=0.001)
    assert grain.std() == pytest.approx(0.1, rel=0.01)
    neighbours = np.corrcoef(grain[..., :-1].ravel(), grain[..., 1:].ravel())[0, 1]
    assert neighbours == pytest.approx(0, abs=0.01)


def test_clipped_gaussian_noise_on_paper_has_the_mse_of_theory() -> None:
    """By hand: E[clip(0.5 n, 0, 1)^2] = 0.25 (Phi(2) - 1/2 - 2 phi(2)) + 1 - Phi(2) = 0.1151."""
    phi, Phi = math.exp(-2) / math.sqrt(2 * math.pi), (1 + math.erf(math.sqrt(2))) / 2
    by_hand = 0.25 * (Phi - 0.5 - 2 * phi) + 1 - Phi
    assert by_hand == pytest.approx(0.1151, abs=1e-4)
    assert np.square(_noisy("gaussian:0.5", _plain(0))).mean() == pytest.approx(by_hand, rel=0.01)


def test_clipped_gaussian_noise_on_mnist_has_the_known_mse(real_data: Path) -> None:
    """Theory (above) says 0.1151 on paper and, by symmetry, on solid ink: all but a few pixels of MNIST."""
    raw = gzip.decompress((real_data / "mnist" / "t10k-images-idx3-ubyte.gz").read_bytes())
    images = np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 1, 28, 28)[:2000] / np.float32(255)
    assert np.square(_noisy("gaussian:0.5", images) - images).mean() == pytest.approx(0.115, abs=0.001)


def test_salt_and_pepper_replaces_the_requested_share_half_by_0_and_half_by_1() -> None:
    noisy = _noisy("salt-and-pepper:0.3", _plain(0.5))
    assert (noisy == 0).mean() == pytest.approx(0.15, abs=0.003)
    assert (noisy == 1).mean() == pytest.approx(0.15, abs=0.003)
    assert (noisy == 0.5).mean() == pytest.approx(0.7, abs=0.004)
    assert set(np.unique(_noisy("salt-and-pepper:1", _plain(0.5)))) == {0, 1}


def test_poisson_noise_has_the_mean_and_variance_of_counts() -> None:
    """A Poisson count of mean x * peak has that variance too, so x / peak after division."""
    noisy = _noisy("poisson:50", _plain(0.3))
    assert noisy.mean() == pytest.approx(0.3, rel=0.005)
    assert noisy.var() == pytest.approx(0.3 / 50, rel=0.02)
    assert not _noisy("poisson:50", _plain(0)).any()


def test_speckle_grows_with_the_ink() -> None:
    for ink in (0.25, 0.5):
        assert _noisy("speckle:0.1", _plain(ink)).std() == pytest.approx(0.1 * ink, rel=0.01)
    assert not _noisy("speckle:0.1", _plain(0)).any()


def test_gaussian_blur_equals_that_of_opencv(rng: np.random.Generator) -> None:
    images = rng.random((3, 1, 30, 41), dtype=np.float32)
    expected = [cv2.GaussianBlur(i[0], (17, 17), 2.0, borderType=cv2.BORDER_REPLICATE) for i in images]
    np.testing.assert_allclose(_noisy("gaussian-blur:2", images)[:, 0], expected, atol=1e-5)


@pytest.mark.parametrize("spec", ["gaussian-blur:1.5", "motion-blur:7", "motion-blur:8,angle=20"])
def test_blur_preserves_the_total_ink_of_a_stroke_away_from_the_border(
    spec: str, rng: np.random.Generator
) -> None:
    images = np.zeros((50, 1, 40, 40), np.float32)
    images[:, :, 15:25, 15:25] = rng.random((50, 1, 10, 10))
    np.testing.assert_allclose(_noisy(spec, images).sum((1, 2, 3)), images.sum((1, 2, 3)), rtol=1e-4)


@pytest.mark.parametrize(
    ("angle", "step"), [("0", (0, 1)), ("90", (1, 0)), ("45", (-1, 1)), ("-45", (1, 1)), ("180", (0, 1))]
)
def test_motion_blur_turns_a_point_into_a_line_at_the_angle(angle: str, step: tuple[int, int]) -> None:
    point = np.zeros((1, 1, 21, 21), np.float32)
    point[0, 0, 10, 10] = 1
    line = _noisy(f"motion-blur:5,angle={angle}", point)[0, 0]
    reach = 2 if 0 in step else 1  # 5 px along a diagonal are 1.4 px each
    expected = {(10 + k * step[0], 10 + k * step[1]) for k in range(-reach, reach + 1)}
    assert set(zip(*(axis.tolist() for axis in line.nonzero()), strict=True)) == expected
    np.testing.assert_allclose(line[line > 0], 1 / len(expected), rtol=1e-6)


def test_motion_blur_of_even_length_has_no_gaps() -> None:
    point = np.zeros((1, 1, 21, 21), np.float32)
    point[0, 0, 10, 10] = 1
    columns = _noisy("motion-blur:6,angle=0", point)[0, 0].nonzero()[1]
    assert len(columns) == 6 and np.ptp(columns) == 5


def test_low_contrast_pulls_towards_mid_grey() -> None:
    assert _noisy("low-contrast:0.2", _plain(0, 1)).max() == pytest.approx(0.4)
    assert _noisy("low-contrast:0.2", _plain(1, 1)).min() == pytest.approx(0.6)


def test_fog_is_smooth_and_ranges_from_0_to_1() -> None:
    cloud = _noisy("fog:1", _plain(0.5, 50))
    np.testing.assert_allclose(cloud.min((1, 2, 3)), 0, atol=1e-6)
    np.testing.assert_allclose(cloud.max((1, 2, 3)), 1, atol=1e-6)
    assert abs(np.diff(cloud, axis=3)).mean() < 0.1  # independent pixels of this range differ by 1/3
    coarse, fine = (_noisy(f"fog:1,octaves={n}", _plain(0.5, 50)) for n in (1, 4))
    assert abs(np.diff(coarse, axis=3)).mean() < abs(np.diff(fine, axis=3)).mean()


def test_fog_is_the_same_in_all_channels() -> None:
    red, green, blue = _noisy("fog", np.zeros((1, 3, 20, 20), np.float32))[0]
    assert (red == green).all() and (green == blue).all()


def test_occlusion_erases_one_square_anywhere() -> None:
    erased = _noisy("occlusion:8", _plain(1)) == 0
    assert (erased.sum((1, 2, 3)) == 64).all()
    assert (erased.any((1, 3)).sum(1) == 8).all() and (erased.any((1, 2)).sum(1) == 8).all()
    assert erased[:, 0, 0, :].any() and erased[:, 0, -1, :].any() and erased[:, 0, :, -1].any()
    assert not _noisy("occlusion:99", _plain(1, 2)).any()


def test_stripes_cover_their_share_in_both_directions() -> None:
    striped = _noisy("stripes:0.8,width_px=2,period_px=7", _plain(0))
    assert set(np.unique(striped)) == {0, np.float32(0.8)}
    np.testing.assert_allclose((striped > 0).mean((1, 2, 3)), 2 / 7, atol=1e-6)  # 28 is four periods
    level = (striped[:, 0] == striped[:, 0, :, :1]).all((1, 2))
    assert 0.4 < level.mean() < 0.6


def test_shift_moves_by_whole_pixels_evenly_over_the_range() -> None:
    dot = np.zeros((2000, 1, 9, 9), np.float32)
    dot[:, :, 4, 4] = 1
    image, _, row, column = _noisy("shift:2", dot).nonzero()
    assert image.tolist() == list(range(2000))
    for moves in (row - 4, column - 4):
        counts = np.bincount(moves + 2, minlength=5)
        assert len(counts) == 5 and counts.min() > 320  # 400 expected, std 18


def test_pixels_uncovered_by_a_shift_are_paper() -> None:
    kept = _noisy("shift:3", _plain(1, 50, 9)).mean((1, 2, 3)) * 81
    assert kept.min() >= 36 - 1e-3 and kept.max() <= 81.001 and kept.min() < 60


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_rotating_by_quarters_equals_numpys_rot90(quarters: int, rng: np.random.Generator) -> None:
    images = rng.random((2, 3, 15, 15), dtype=np.float32)
    turned = rotate(images, np.full(2, 90.0 * quarters))
    np.testing.assert_allclose(turned, np.rot90(images, quarters, axes=(2, 3)), atol=1e-5)


def test_rotating_equals_opencvs_warp(rng: np.random.Generator) -> None:
    """cv2.warpAffine with a matrix of cv2.getRotationMatrix2D; its sampling is rounded to 1/32 of a pixel."""
    image = cv2.GaussianBlur(rng.random((30, 41), dtype=np.float32), (0, 0), 2)
    matrix = cv2.getRotationMatrix2D((20, 14.5), 25, 1)
    expected = cv2.warpAffine(image, matrix, (41, 30), flags=cv2.INTER_LINEAR)
    turned = rotate(image[None, None], np.array([25.0]))[0, 0]
    np.testing.assert_allclose(turned[5:-5, 5:-5], expected[5:-5, 5:-5], atol=0.02)


def test_elastic_moves_pixels_as_far_as_simards_formula_says() -> None:
    """Uniform -1 ... 1 has std 0.577; smoothing in 2-D by a Gaussian of std s divides it by 2 s sqrt(pi)."""
    ramp = np.broadcast_to((np.arange(64, dtype=np.float32) + 0.5) / 64, (40, 1, 64, 64))
    moved_px = (_noisy("elastic:34", ramp) - ramp)[:, :, 20:44, 20:44] * 64
    assert moved_px.std() == pytest.approx(34 * 0.577 / (2 * 4 * math.sqrt(math.pi)), rel=0.08)
    assert abs(np.diff(moved_px, axis=2)).mean() < 0.5  # neighbours move together


def test_mixed_noise_is_gaussian_on_the_requested_share_of_images() -> None:
    for share in (0.0, 0.7, 1.0):
        noisy = _noisy(f"mixed:0.8,grain={share}", _plain(0.5, n=2000))
        is_gaussian = np.array([len(np.unique(image)) > 3 for image in noisy])
        assert is_gaussian.mean() == pytest.approx(share, abs=0.04)


def test_more_draws_of_mixed_noise_make_medium_amounts_more_frequent() -> None:
    """The mean of n uniform draws has 1 / sqrt(n) of the standard deviation of one."""
    noisy = _noisy("mixed:0.8,grain=0,draws=4", _plain(0.5, n=4000))
    level = (noisy != 0.5).mean(axis=(1, 2, 3))
    assert level.mean() == pytest.approx(0.4, abs=0.01)
    assert level.std() == pytest.approx(0.8 / math.sqrt(12) / 2, rel=0.08)


def test_mixed_noise_is_half_gaussian_and_half_salt_and_pepper_in_all_amounts() -> None:
    noisy = _noisy("mixed:0.8", _plain(0.5, n=4000))
    is_gaussian = np.array([len(np.unique(image)) > 3 for image in noisy])  # dots: 0, 1/2 and 1 only
    assert is_gaussian.mean() == pytest.approx(0.5, abs=0.03)
    replaced = (noisy[~is_gaussian] != 0.5).mean(axis=(1, 2, 3))  # each image's level
    assert replaced.mean() == pytest.approx(0.4, abs=0.02) and replaced.max() <= 0.88
    assert replaced.std() == pytest.approx(0.8 / math.sqrt(12), rel=0.05)
    std = 1.4826 * np.abs(
        np.median(np.abs(noisy[is_gaussian] - 0.5), axis=(1, 2, 3))
    )  # clipping moves no median here
    assert np.minimum(std, 0.7).mean() == pytest.approx(
        np.minimum(np.linspace(0, 0.8, 1000), 0.7).mean(), abs=0.03
    )
