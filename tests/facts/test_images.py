"""Whatever comes in, the contract goes out: values worked out by hand, or by Pillow.

Source of the expected values: by hand, and Pillow.
"""

import time

import numpy as np
import pytest
from PIL import Image

from legible.errors import ArgumentError, InputError
from legible.images import check_images, from_array, resize_images, to_channels, to_labels, to_one_hot

INK = np.zeros((2, 6, 5), np.float32)  # two images of light ink on dark paper, the contract's own way
INK[:, 2:4, 2] = [[0.2, 1.0], [0.6, 0.4]]
CONTRACT = INK[:, None]


@pytest.mark.parametrize(
    ("array", "options"),
    [
        (INK, {}),
        (CONTRACT, {}),
        (INK[..., None].astype(np.float64), {}),
        (1 - INK, {}),
        (INK * 255, {}),
        ((INK * 255).astype(np.uint8), {}),
        (255 - (INK * 255).astype(np.uint8), {}),
        ((INK * 65535).astype(np.uint16), {}),
        ((INK * 65535).astype(">u2"), {}),
        (np.repeat(INK[..., None], 3, axis=3), {}),
        (np.repeat(CONTRACT, 3, axis=1), {}),
        (1 - CONTRACT, {"polarity": "dark-on-light"}),
        (INK[..., None], {"layout": "channels-last"}),
    ],
)
def test_every_usual_form_of_the_same_images_gives_the_same_contract_images(array, options):
    before = array.copy()
    images, words = from_array(array, **options)
    check_images(images)
    np.testing.assert_allclose(images, CONTRACT, atol=1 / 255)
    np.testing.assert_array_equal(array, before)
    assert words.startswith("2 images of 6 x 5 pixels") and words.endswith(".") and words.count(". ") == 0


def test_bytes_of_0_and_1_and_booleans_are_ink_or_paper():
    bits = np.zeros((1, 5, 5), bool)
    bits[0, 1, 2] = True
    for array in (bits, bits.astype(np.uint8), bits.astype(np.int64)):
        np.testing.assert_array_equal(from_array(array)[0], bits[:, None].astype(np.float32))


def test_the_words_say_what_was_said_and_what_was_detected():
    assert "dark ink on light paper, inverted (detected)" in from_array(1 - INK)[1]
    said = from_array(1 - INK, polarity="dark-on-light")[1]
    assert "dark ink on light paper, inverted" in said and "detected" not in said
    assert "RGB turned to grey, channels-last (detected)" in from_array(np.zeros((1, 8, 8, 3)))[1]
    assert "scaled to 12 x 10" in from_array(INK, size=(12, 10))[1]


def test_colour_becomes_the_grey_that_pillow_makes_or_stays_colour(rng):
    """Source: Pillow's convert("L"), which uses ITU-R 601-2 luma."""
    colour = rng.integers(0, 256, (1, 9, 7, 3), dtype=np.uint8)
    grey, _ = from_array(colour, polarity="light-on-dark")
    expected = np.asarray(Image.fromarray(colour[0]).convert("L")) / 255
    np.testing.assert_allclose(grey[0, 0], expected, atol=1 / 255)
    kept, _ = from_array(colour, polarity="light-on-dark", grey=False)
    np.testing.assert_allclose(kept, np.moveaxis(colour, 3, 1) / 255, atol=1e-6)
    check_images(kept)


def test_what_is_transparent_is_paper():
    picture = np.zeros((1, 6, 6, 4), np.uint8)  # black everywhere, seen only in the middle
    picture[0, 2:4, 2:4, 3] = 255
    images, words = from_array(picture)
    expected = np.zeros((1, 1, 6, 6), np.float32)
    expected[0, 0, 2:4, 2:4] = 1
    np.testing.assert_array_equal(images, expected)
    assert "RGBA" in words


def test_resizing_keeps_the_shape_of_the_ink_and_adds_paper():
    """By hand: a solid 4 x 8 image fits 8 x 8 as it is, with two rows of paper above and below."""
    solid = np.ones((1, 1, 4, 8), np.float32)
    fitted = resize_images(solid, (8, 8))
    assert fitted[0, 0, 2:6].min() == 1 and fitted[0, 0, :2].max() == fitted[0, 0, 6:].max() == 0
    assert resize_images(solid, (4, 8)) is solid


def test_shrinking_averages_areas():
    """By hand: each 2 x 2 block of a checkerboard is half ink."""
    board = (np.indices((8, 8)).sum(axis=0) % 2).astype(np.float32)[None, None]
    np.testing.assert_allclose(resize_images(board, (4, 4)), 0.5)


@pytest.mark.parametrize("size", [(13, 31), (5, 5), (64, 64), (1, 1)])
def test_resized_images_obey_the_contract(size, rng):
    images = check_images(resize_images(rng.random((3, 3, 10, 12), np.float32), size))
    assert images.shape == (3, 3, *size)


@pytest.mark.parametrize(
    ("array", "error", "hint"),
    [
        (np.zeros((0, 28, 28)), InputError, "no image"),
        (np.zeros((28, 28)), InputError, r"array\[None\]"),
        (np.zeros((28, 28, 3)), InputError, "one colour image"),
        (np.zeros((2, 2, 28, 28)), InputError, "1, 3 or 4 channels"),
        (np.zeros((2, 1, 1, 28, 28)), InputError, r"\(N, H, W\)"),
        (np.zeros((2, 3, 28, 3)), ArgumentError, "--layout"),
        (np.full((2, 8, 8), 0.5), ArgumentError, "--polarity"),
        (np.array([[["a"]]]), InputError, "must be numbers"),
        (-np.ones((1, 8, 8)), InputError, "found -1 to -1"),
        (np.full((1, 8, 8), 256.0), InputError, "found 256"),
        (np.full((1, 8, 8), 70_000), InputError, "found 70000"),
        (np.stack([np.zeros((8, 8)), np.full((8, 8), np.nan)]), InputError, "image 1 holds NaN"),
        (np.full((1, 8, 8), np.inf), InputError, "image 0 holds NaN or infinity"),
    ],
)
def test_what_cannot_be_images_is_refused_with_the_reason(array, error, hint):
    with pytest.raises(error, match=hint):
        from_array(array)


def test_options_that_do_not_exist_are_refused():
    for options in ({"layout": "nchw"}, {"polarity": "inverted"}, {"size": (0, 8)}, {"size": (8,)}):
        with pytest.raises(ArgumentError, match=next(iter(options))):
            from_array(INK, **options)
    with pytest.raises(InputError, match="channels-first has it"):
        from_array(np.zeros((2, 8, 8, 3)), layout="channels-first")


def test_sixty_thousand_byte_images_take_a_moment():
    array = np.zeros((60_000, 28, 28), np.uint8)
    array[:, 10:18, 12:16] = 200
    started = time.process_time()
    from_array(array)
    assert time.process_time() - started < 1.5  # 0.2 s on the machine it was written on


def test_both_channel_layouts_hold_the_same_pixels(rng):
    """Report E1's preprocessing: channels-first and channels-last."""
    images = rng.random((4, 3, 6, 5), np.float32)
    last = to_channels(images, "channels-last")
    assert last.shape == (4, 6, 5, 3) and last.flags.c_contiguous and last[1, 2, 3, 0] == images[1, 0, 2, 3]
    assert to_channels(images, "channels-first") is images
    with pytest.raises(ArgumentError, match="layout"):
        to_channels(images, "auto")


@pytest.mark.parametrize(
    "labels",
    [[2, 0, 1], np.array([2, 0, 1], np.uint8), [2.0, 0.0, 1.0], [[2], [0], [1]], np.eye(3)[[2, 0, 1]]],
)
def test_labels_come_as_integers_whole_floats_or_one_hot(labels):
    found = to_labels(labels, 3)
    assert found.dtype == np.int64 and found.tolist() == [2, 0, 1]
    one_hot = to_one_hot(labels, 3)
    assert one_hot.dtype == np.float32 and one_hot.tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize(
    ("labels", "hint"),
    [
        ([1, 10, 11], "label 1 is 10, outside the classes 0 to 9"),
        ([1, 2, -1], "label 2 is -1"),
        ([0.5], "label 0 is 0.5, which is not a whole number"),
        ([np.nan], "label 0 is nan"),
        (["seven"], "whole numbers"),
        ([[0, 1], [1, 1]], "label 1 is not one-hot"),
        ([[0, 0.5]], "label 0 is not one-hot"),
        (3, r"\(N,\)"),
    ],
)
def test_the_first_wrong_label_is_named(labels, hint):
    with pytest.raises(InputError, match=hint):
        to_labels(labels, 10)
