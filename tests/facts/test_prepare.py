"""Digits and lines in the form that networks learnt from.

Source of the expected values: LeCun et al., 1998, and MNIST's own images.
"""

import numpy as np
import pytest

from legible.data import load_dataset
from legible.images import resize_images
from legible.prepare import BOX_PX, CENTRE, LINE_PX, SIDE_PX, are_prepared, prepare_digit, prepare_line
from legible.seeds import rng_for


@pytest.fixture
def digits():
    """Real digits of 8x8, enlarged: of other size and place than MNIST's."""
    images = load_dataset("digits-embedded").test.images[:40]
    return resize_images(images, (56, 56))[:, 0]


def test_images_in_mnists_form_are_distinguished_from_whole_pictures(digits):
    prepared = np.stack([prepare_digit(digit) for digit in digits])[:, None]
    assert are_prepared(prepared)
    assert not are_prepared(np.roll(prepared, 5, axis=3))  # off the centre
    assert not are_prepared(resize_images(prepared, (20, 20))) and not are_prepared(
        prepared.repeat(3, axis=1)
    )


def test_mnist_comes_back_as_it_is(real_data, monkeypatch):
    """LeCun et al., 1998: a box of 20 x 20, the centre of mass in the middle of 28 x 28."""
    monkeypatch.setenv("LEGIBLE_DATA", str(real_data))
    images = load_dataset("mnist").test.images[:500, 0]
    prepared = np.stack([prepare_digit(image) for image in images])
    assert np.abs(prepared - images).max() < 0.01


def test_a_prepared_digit_lies_in_its_box_around_its_centre_of_mass(digits):
    for digit in digits:
        prepared = prepare_digit(digit)
        rows, columns = np.nonzero(prepared.max(1))[0], np.nonzero(prepared.max(0))[0]
        assert prepared.shape == (SIDE_PX, SIDE_PX) and prepared.dtype == np.float32
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == BOX_PX
        for axis in (0, 1):
            middle = prepared.sum(1 - axis) @ np.arange(SIDE_PX) / prepared.sum()
            assert abs(middle - CENTRE) <= 0.51  # moved by whole pixels


def test_place_and_size_of_a_digit_do_not_matter(digits):
    for digit in digits[:10]:
        placed = np.pad(digit, ((30, 3), (1, 50)))
        np.testing.assert_allclose(prepare_digit(placed), prepare_digit(digit), atol=1e-6)


def test_blank_paper_stays_blank():
    assert not prepare_digit(np.zeros((9, 30), np.float32)).any()
    assert prepare_line(np.full((60, 200), 0.4, np.float32)).max() < 1e-5


def test_a_line_comes_to_its_height_with_even_paper_and_dark_ink():
    rng = rng_for("line")
    shade = np.linspace(0.1, 0.5, 300, dtype=np.float32)[None].repeat(80, 0)
    shade += rng.normal(0, 0.01, shade.shape).astype(np.float32)
    shade[20:60, 50:260:30] += 0.35
    line = prepare_line(shade)
    assert line.shape == (LINE_PX, 150) and line.min() >= 0 and line.max() <= 1
    assert line[15:25, 25:130:15].min() > 0.6 and np.median(line) < 0.25
