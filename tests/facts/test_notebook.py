"""What a notebook shows of a value: tables that hold its figures, pictures that hold its pixels.

Source of the expected values: what OpenCV reads back from the pictures, and text by hand.
"""

import cv2
import numpy as np
import pytest

import legible
from legible.cards import find_card
from legible.notebook import html_table, lay_out, png
from legible.report.tables import Table


def look_at(shown: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(shown, np.uint8), cv2.IMREAD_UNCHANGED)


def test_a_table_escapes_its_cells_and_sets_figures_flush_right():
    shown = Table(("what", "share"), [("a < b", "98.98 %")])._repr_html_()
    assert "<td>a &lt; b</td>" in shown
    assert '<td class="figure" style="text-align:right">98.98 %</td>' in shown
    assert html_table(("a",), [("1",)]) == "<table><tr><th>a</th></tr><tr><td>1</td></tr></table>"


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_a_picture_is_a_png_of_the_same_pixels(rng, shape, depth):
    picture = rng.integers(0, np.iinfo(depth).max, shape).astype(depth)
    seen = look_at(png(picture))
    np.testing.assert_array_equal(seen[..., ::-1] if seen.ndim == 3 else seen, picture)


def test_images_are_laid_out_row_by_row(rng):
    images = rng.integers(0, 255, (5, 3, 2, 4)).astype(np.uint8)
    sheet = lay_out(images, columns=3)
    assert sheet.shape == (4, 12, 3)
    np.testing.assert_array_equal(sheet[2:, 4:8], images[4].transpose(1, 2, 0))
    assert not sheet[2:, 8:].any()


def test_datasets_pages_readings_and_cards_show_themselves():
    splits = legible.load_dataset("digits-embedded")
    assert "<td>train</td>" in splits._repr_html_() and "1,197" in splits._repr_html_()
    assert look_at(splits.test._repr_png_()).shape == (5 * 28, 20 * 28)
    white = np.full((60, 90), 255, np.uint8)
    assert look_at(legible.clean(white)._repr_png_()).shape == (60, 90)
    nothing = legible.read(white)
    assert nothing._repr_html_().endswith(f">{nothing.reason}") and nothing.reason
    page = (255 * (1 - np.pad(splits.test.images[0, 0], 20))).astype(np.uint8)
    reading = legible.read(page)
    assert f"<td>{reading.text}</td>" in reading._repr_html_()
    card = find_card("digits")
    assert "<td>parameters</td><td>412266</td>" in card._repr_html_() and "facts" not in repr(card)
