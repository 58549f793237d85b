"""How wide strokes are, whatever lies on the page.

Source of the expected values: strokes drawn with a pen of known width.
"""

import cv2
import numpy as np
import pytest

from legible.cleaning.stroke_width import estimate_stroke_px
from legible.data.page_maker import make_page
from legible.images import to_bytes


def make(dpi: int) -> np.ndarray:
    rng = np.random.default_rng(2)
    return make_page(rng, size=(4 * dpi, 5 * dpi), dpi=dpi, blocks=["paragraph"], languages=["English"]).ink


@pytest.mark.parametrize("width", [2, 4, 7])
def test_lines_are_as_wide_as_they_are(width):
    page = np.full((400, 400), 255, np.uint8)
    for y in range(30, 400, 40):
        page[y : y + width, 30:370] = 0
    assert estimate_stroke_px(page) == pytest.approx(width * 4 / np.pi, rel=0.05)  # as if they were slanting


def test_twice_the_resolution_has_strokes_twice_as_wide():
    widths = [estimate_stroke_px(to_bytes(1 - make(dpi))) for dpi in (150, 300, 600)]
    assert widths[1] == pytest.approx(2 * widths[0], rel=0.2)
    assert widths[2] == pytest.approx(2 * widths[1], rel=0.2)


def test_stains_are_no_strokes():
    ink = make(150)
    stained = ink.copy()
    cv2.circle(stained, (200, 200), 150, 0.6, 25)
    cv2.circle(stained, (600, 400), 90, 0.7, -1)
    stained = np.maximum(ink, stained)
    clean_px, stained_px = (estimate_stroke_px(to_bytes(1 - page)) for page in (ink, stained))
    assert stained_px == pytest.approx(clean_px, rel=0.15)


def test_an_empty_page_has_no_strokes():
    assert estimate_stroke_px(np.full((300, 300), 255, np.uint8)) is None
    assert estimate_stroke_px(np.zeros((300, 300), np.uint8)) is None
