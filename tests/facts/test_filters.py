"""Each filter does what it says, by hand and on noisy pictures.

Source of the expected values: by hand, and OpenCV.
"""

import cv2
import numpy as np
import pytest

from legible.errors import ArgumentError, InputError, UnknownName
from legible.models.filters import FILTERS
from legible.noise import add_noise

every_filter = pytest.mark.parametrize("entry", list(FILTERS), ids=FILTERS.names())


@pytest.fixture
def page() -> np.ndarray:
    """A page of four lines of text, 1 = ink."""
    sheet = np.zeros((120, 200), np.uint8)
    for line in range(4):
        cv2.putText(sheet, "Legible 0123", (5, 28 + 27 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.85, 255, 2)
    return sheet[None, None] / np.float32(255)


def mse(restored: np.ndarray, clean: np.ndarray) -> float:
    return float(np.square(restored - clean).mean())


@every_filter
@pytest.mark.parametrize("shape", [(2, 1, 28, 28), (1, 3, 9, 40), (1, 1, 1, 1), (1, 1, 2, 30)], ids=str)
def test_a_filter_keeps_shape_dtype_and_range_and_does_not_change_its_input(entry, shape, rng):
    images = rng.random(shape, dtype=np.float32)
    images.flags.writeable = False
    restored = entry.build(images)
    assert restored.shape == shape and restored.dtype == np.float32
    assert restored.min() >= 0 and restored.max() <= 1 and not np.shares_memory(restored, images)
    np.testing.assert_array_equal(restored, entry.build(images))


@every_filter
def test_a_filter_processes_each_channel_of_each_image_separately(entry, rng):
    images = rng.random((2, 3, 12, 15), dtype=np.float32)
    one_by_one = [entry.build(plane[None, None])[0, 0] for plane in images.reshape(6, 12, 15)]
    np.testing.assert_array_equal(entry.build(images).reshape(6, 12, 15), one_by_one)


@every_filter
def test_a_filter_refuses_images_and_strengths_out_of_range(entry, rng):
    images = rng.random((1, 1, 8, 8), dtype=np.float32)
    for wrong in (images * 255, images.astype(np.float64), images[0], images * np.nan, images[:0]):
        with pytest.raises(InputError):
            entry.build(wrong)
    for setting in entry.defaults:
        for value in (-1, 0, 1e6, float("nan")):
            with pytest.raises(ArgumentError, match=f"filter '{entry.name}': {setting} must"):
                entry.build(images, **{setting: value})


def test_identity_changes_nothing(rng):
    images = rng.random((3, 1, 28, 28), dtype=np.float32)
    np.testing.assert_array_equal(FILTERS.call("identity", images), images)


def test_the_median_drops_specks_and_keeps_the_edge_of_a_stroke_by_hand():
    """Ink in the right half; a speck of ink on paper, a hole in the ink. Each square holds one of them."""
    clean = np.zeros((1, 1, 6, 8), np.float32)
    clean[..., 4:] = 1
    specked = clean.copy()
    specked[0, 0, 2, 1], specked[0, 0, 4, 6] = 1, 0
    np.testing.assert_array_equal(FILTERS.call("median:3", specked), clean)


def test_the_median_equals_that_of_numpy_on_salt_and_pepper(rng):
    images = add_noise(np.full((1, 1, 20, 30), 0.4, np.float32), rng, ["salt-and-pepper:0.4"])
    for size in (3, 5):
        around = np.pad(images[0, 0], size // 2, mode="edge")
        squares = np.lib.stride_tricks.sliding_window_view(around, (size, size))
        restored = FILTERS.call(f"median:{size}", images)[0, 0]
        np.testing.assert_array_equal(restored, np.median(squares, axis=(2, 3)))


@pytest.mark.parametrize(
    ("spec", "noise"),
    [
        ("median:3", "salt-and-pepper:0.2"),
        ("non-local-means:0.15", "gaussian:0.2"),
        ("total-variation:1.5", "gaussian:0.2"),
        ("total-variation:1.5", "salt-and-pepper:0.2"),
    ],
)
def test_a_filter_halves_the_error_of_the_noise_it_is_for(spec, noise, page, rng):
    noisy = add_noise(page, rng, [noise])
    assert mse(FILTERS.call(spec, noisy), page) < 0.5 * mse(noisy, page)


def test_less_strength_smooths_less(page, rng):
    noisy = add_noise(page, rng, ["gaussian:0.2"])
    for weak, strong in (
        ("non-local-means:0.05", "non-local-means:0.3"),
        ("total-variation:3", "total-variation:0.5"),
    ):
        assert mse(FILTERS.call(weak, noisy), noisy) < 0.5 * mse(FILTERS.call(strong, noisy), noisy)


def test_8_bit_filters_are_exact_to_half_a_grey_level():
    """A plain picture has nothing to smooth; what is left is the rounding to 1/255."""
    plain = np.full((1, 1, 30, 30), 0.3, np.float32)
    for name in ("non-local-means", "total-variation"):
        assert abs(FILTERS.call(name, plain) - 0.3).max() <= 0.5 / 255 + 1e-6


def test_a_misspelt_filter_gets_a_suggestion():
    with pytest.raises(UnknownName, match=r"no filter 'medain'\. Did you mean 'median'"):
        FILTERS.parse("medain")


def test_dividing_by_the_background_removes_a_shadow(page):
    light = (1 - page) * np.linspace(0.9, 0.5, 200, dtype=np.float32)
    restored = FILTERS.call("background", 1 - light)
    assert mse(restored, page) < 0.02 * mse(1 - light, page)


def test_sauvola_follows_its_formula(page, rng):
    """The formula, written out with sliding windows."""
    dirty = np.clip(0.3 + 0.5 * page + 0.05 * rng.standard_normal(page.shape, dtype=np.float32), 0, 1)
    restored = FILTERS.call("sauvola:15,k=0.3", dirty)
    light = 255 * (1 - dirty[0, 0].astype(np.float64))
    squares = np.lib.stride_tricks.sliding_window_view(light, (15, 15))
    threshold = squares.mean(axis=(2, 3)) * (1 + 0.3 * (squares.std(axis=(2, 3)) / 128 - 1))
    expected = light[7:-7, 7:-7] < threshold
    assert (restored[0, 0, 7:-7, 7:-7] == expected).mean() > 0.9999  # rounding in float32 may change one
    assert set(np.unique(restored)) == {0, 1}
