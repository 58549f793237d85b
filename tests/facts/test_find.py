"""Where digits are in a picture, under any light.

Source of the expected values: pictures drawn here, whose digits are where they were put.
"""

import cv2
import numpy as np
import pytest

from legible.reading.find import find_lines, flatten_illumination
from legible.seeds import rng_for


def write(picture, text, at, scale=1.5, colour=20):
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 3, cv2.LINE_AA)


@pytest.fixture
def page():
    """Three numbers on uneven light: two beside each other, one below."""
    light = np.linspace(250, 130, 640)[None].repeat(400, 0)
    picture = (light + rng_for("page").normal(0, 2, light.shape)).clip(0, 255).astype(np.uint8)
    write(picture, "4711", (30, 100))
    write(picture, "62", (430, 110), colour=10)
    write(picture, "9035", (200, 300))
    return picture


def boxes_of(picture):
    """The boxes of what is found, in the picture's pixels, margins and all."""
    return [crop.place((0, 0, *crop.ink.shape[::-1])) for crop in find_lines(flatten_illumination(picture))]


def inside(box, left, top, right, bottom):
    return box[0] >= left and box[1] >= top and box[2] <= right and box[3] <= bottom


def test_numbers_are_found_in_reading_order(page):
    normalized, boxes = flatten_illumination(page), boxes_of(page)
    assert [crop.n_components for crop in find_lines(normalized)] == [4, 2, 4]
    assert not normalized.is_blank and normalized.scale == 1
    assert inside(boxes[0], 5, 45, 200, 115)
    assert inside(boxes[1], 405, 50, 530, 125)
    assert inside(boxes[2], 175, 240, 390, 315)


def test_light_on_dark_is_found_as_well(page):
    assert boxes_of(255 - page) == boxes_of(page)
    np.testing.assert_allclose(
        flatten_illumination(255 - page).darkness, flatten_illumination(page).darkness, atol=1e-6
    )


def test_colours_and_16_bits_are_seen_alike(page):
    of_16_bits = page.astype(np.uint16) * 257
    assert boxes_of(of_16_bits) == boxes_of(page)
    assert boxes_of(np.dstack([page] * 3)) == boxes_of(page)


def test_blank_paper_is_blank_in_any_light():
    shade = np.linspace(255, 120, 500)[None].repeat(300, 0).astype(np.uint8)
    for picture in (shade, np.full((28, 28), 255, np.uint8), np.zeros((40, 9), np.uint8), shade[:1, :1]):
        assert flatten_illumination(picture).is_blank


def test_a_huge_picture_is_searched_reduced():
    picture = np.full((3000, 4000), 240, np.uint8)
    write(picture, "58", (1000, 1500), scale=12)
    page = flatten_illumination(picture)
    assert page.ink.size <= 3_000_000 and page.scale == pytest.approx(0.5)
    assert len(find_lines(page)) == 1


@pytest.mark.parametrize("rise", [0, 12])
def test_rules_as_dark_as_the_ink_do_not_hide_the_numbers(page, rise):
    ruled = page.copy()
    for row in range(40, 400, 45):
        cv2.line(ruled, (0, row), (639, row + rise), 30, 2)
    cv2.line(ruled, (12, 0), (12, 399), 30, 2)
    crops, plain = find_lines(flatten_illumination(ruled)), boxes_of(page)
    assert [crop.n_components for crop in crops] == [4, 2, 4]
    for crop, box in zip(crops, plain, strict=True):
        found = crop.place((0, 0, *crop.ink.shape[::-1]))
        assert max(abs(a - b) for a, b in zip(found, box, strict=True)) <= 8


def test_strokes_that_cross_a_rule_stay_whole(page):
    ruled = page.copy()
    ruled[85:87] = 30
    before, after = flatten_illumination(page).ink > 0.5, flatten_illumination(ruled).ink > 0.5
    upright = before[85:87] & before[75:77] & before[95:97]  # goes on above and below
    assert upright.sum() > 5 and (after[85:87] & upright).sum() > 0.8 * upright.sum()
    assert after[85:87].sum() < 1.3 * before[85:87].sum()


@pytest.mark.parametrize("degrees", [-20, -8, 8, 20])
def test_a_slanting_line_is_set_upright(page, degrees):
    turn = cv2.getRotationMatrix2D((320, 200), degrees, 0.7)
    turned = cv2.warpAffine(page, turn, (640, 400), borderMode=cv2.BORDER_REPLICATE)
    crops = [crop for crop in find_lines(flatten_illumination(turned)) if crop.n_components == 4]
    assert len(crops) == 2
    for crop in crops:
        height, width = crop.ink.shape
        assert width > 2 * height  # as written: a line that still rose would be higher
        x, y = crop.matrix @ (width / 2, height / 2, 1)
        left, top, right, bottom = crop.place((0, 0, width, height))
        assert left < x < right and top < y < bottom
