"""Tiled inference equals inference on the whole page.

Source of the expected values: the same page as a whole.
"""

import math

import cv2
import numpy as np
import pytest

from legible.cleaning.guided_filter import Guide
from legible.inference.tiles import run_in_tiles


def blur(images: np.ndarray) -> np.ndarray:
    """A network with a receptive field of 9 pixels to each side: two blurs of 9 and 11 pixels."""
    outputs = [cv2.blur(cv2.blur(image[0], (9, 9)), (11, 11)) for image in images]
    return np.stack(outputs)[:, None]


def blur_whole(page: np.ndarray, multiple: int = 1) -> np.ndarray:
    padded = np.pad(page, [(0, -side % multiple) for side in page.shape], mode="edge")
    made = blur(padded[None, None].astype(np.float32) / 255)[0, 0]
    return np.rint(made[: page.shape[0], : page.shape[1]] * 255).astype(np.uint8)


@pytest.mark.parametrize(
    "shape", [(300, 517), (64, 64), (65, 63), (1, 400), (33, 1), (128, 256), (91, 700)], ids=str
)
def test_tiles_have_no_seams(rng, shape):
    page = rng.integers(0, 256, shape).astype(np.uint8)
    tiled = run_in_tiles(blur, page, halo=9, multiple=4, most_pixels=60 * 60)
    assert tiled.shape == shape
    assert np.abs(tiled.astype(int) - blur_whole(page, 4)).max() <= 1


def test_too_small_a_halo_leaves_seams(rng):
    page = rng.integers(0, 256, (200, 200)).astype(np.uint8)
    seamed = run_in_tiles(blur, page, halo=1, multiple=1, most_pixels=66 * 66)
    assert np.abs(seamed.astype(int) - blur_whole(page)).max() > 3


def test_a_network_gets_a_few_tiles_of_one_size_at_a_time():
    met = []

    def watch(images):
        met.append(images.shape)
        return images

    page = np.full((1000, 3000), 7, np.uint8)
    np.testing.assert_array_equal(run_in_tiles(watch, page, halo=10, multiple=8, most_pixels=90_000), page)
    (seen,) = {shape[1:] for shape in met}
    assert math.prod(seen) <= 90_000 and max(shape[0] for shape in met) <= 4
    assert sum(map(math.prod, met)) < 1.5 * page.size


def test_a_page_has_the_fewest_tiles_possible():
    met = []

    def watch(images):
        met.append(images.shape)
        return images

    run_in_tiles(watch, np.zeros((1754, 1240), np.uint8), halo=64, multiple=8)
    assert met == [(2, 1, 880 + 64, 1240)]  # two strips, for two cores


def test_the_guided_filter_transfers_edges_to_the_full_size():
    """If the output is a linear function of the page, the full page gets the same function."""
    drawn = np.zeros((240, 240), np.uint8)
    cv2.putText(drawn, "ink", (20, 150), cv2.FONT_HERSHEY_SIMPLEX, 3, 255, 8, cv2.LINE_AA)
    page = drawn.astype(np.float32) / 255
    dirty = 0.25 + 0.5 * page
    small = cv2.resize(dirty, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    small_bytes, made = (np.rint(255 * plane).astype(np.uint8) for plane in (small, (small - 0.25) * 2))
    guide = Guide(small_bytes, made)
    parts = [guide.apply(dirty[top : top + 100], top, 240) for top in (0, 100, 200)]
    restored = np.concatenate(parts)
    assert np.abs(restored - page).mean() < 0.01
    enlarged = cv2.resize((small - 0.25) * 2, (240, 240), interpolation=cv2.INTER_LINEAR)
    assert np.abs(restored - page).mean() < 0.3 * np.abs(enlarged - page).mean()
