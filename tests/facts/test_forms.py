"""Digits drawn stroke by stroke have the properties of written digits.

Source of the expected values: properties of any written digit, by construction.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from legible.data.forms import FORMS, HEIGHT_PX, draw_form, draw_zeros
from legible.data.pens import HandwritingStyle, write_digit


def test_every_digit_has_forms_of_height_one() -> None:
    assert sorted(FORMS) == list(range(10))
    for form in (form for forms in FORMS.values() for form in forms):
        points = np.array([point for stroke in form for point in stroke])
        assert points[:, 1].min() == pytest.approx(0, abs=0.05)
        assert points[:, 1].max() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("label", range(10))
def test_a_form_is_ink_in_one_or_two_pieces_inside_its_border(label: int) -> None:
    for seed in range(8):
        drawn = draw_form(label, np.random.default_rng(seed))
        assert drawn.dtype == np.float32
        assert 0.8 * HEIGHT_PX < len(drawn) < 1.8 * HEIGHT_PX
        assert not np.concatenate([drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1]]).any()
        n_components = cv2.connectedComponents((drawn > 0.3).astype(np.uint8))[0] - 1
        assert n_components in (1, 2)


def test_equal_states_draw_equal_forms_and_others_differ() -> None:
    one, same, other = (draw_form(7, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert one.shape != other.shape or not np.array_equal(one, other)


def test_a_style_that_uses_forms_ignores_the_given_picture() -> None:
    blot = np.zeros((28, 28), np.float32)
    blot[4:24, 4:24] = 1
    style = HandwritingStyle(30, 0, 0, 0, 0, 0, form_rate=1.0)
    assert write_digit(blot, 1, style, 30, np.random.default_rng(0)).mean() < 0.6


def test_a_wide_style_writes_wider_digits() -> None:
    digit = np.zeros((28, 28), np.float32)
    cv2.circle(digit, (14, 14), 9, 1.0, 2)
    narrow, wide = (
        write_digit(
            digit,
            0,
            HandwritingStyle(30, 0, 0, 0, 0, 0, relative_width=breadth),
            30,
            np.random.default_rng(0),
        )
        for breadth in (1.0, 2.0)
    )
    assert wide.shape[1] == pytest.approx(2 * narrow.shape[1], rel=0.1)
    assert abs(len(wide) - len(narrow)) <= 3  # rotated slightly, a wider one is slightly higher


@pytest.mark.parametrize("n", [2, 3, 4])
def test_joined_zeros_are_one_component_of_their_total_width(n: int) -> None:
    for seed in range(8):
        drawn = draw_zeros(n, np.random.default_rng(seed))
        assert cv2.connectedComponents((drawn > 0.3).astype(np.uint8))[0] - 1 == 1
        assert drawn.shape[1] > 0.35 * n * HEIGHT_PX
        assert not np.concatenate([drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1]]).any()
