"""The page cleaner that ships: it cleans what it never saw, harms nothing, and has no seams.

Source of the expected values: pages made here, clean before they were soiled; one piece against tiles.
"""

import numpy as np
import pytest

import legible as package
from legible.cleaning.clean import load_cleaner
from legible.cleaning.cleaner import HALO_PX, Cleaner
from legible.data.page_maker import make_page
from legible.images import to_bytes
from legible.inference.tiles import run_in_tiles
from legible.noise import add_noise


@pytest.fixture(scope="module")
def shipped() -> Cleaner:
    return load_cleaner()


@pytest.mark.parametrize("dpi", [100, 200, 300])
def test_the_shipped_cleaner_takes_off_what_it_never_saw(shipped, dpi):
    rng = np.random.default_rng(dpi)
    ink = make_page(rng, size=(4 * dpi, 5 * dpi), dpi=dpi, points=(9, 12)).ink
    noisy = add_noise(ink[None, None], rng, ["fog:0.4", "low-contrast:0.6"])[0, 0]
    cleaned = package.clean(to_bytes(1 - noisy))
    assert np.square(1 - cleaned.image / 255 - ink).mean() < 0.1 * np.square(noisy - ink).mean()
    assert cleaned.vanished == ()


@pytest.mark.parametrize("dpi", [150, 300])
def test_the_shipped_cleaner_does_clean_pages_no_harm(shipped, dpi):
    made = make_page(np.random.default_rng(dpi), size=(4 * dpi, 5 * dpi), dpi=dpi, points=(9, 12))
    assert shipped.clean(to_bytes(1 - made.ink)).changed < 0.005


def test_the_shipped_cleaner_in_tiles_is_itself_in_one_piece(shipped, rng):
    ink = make_page(rng, size=(500, 700), dpi=120).ink
    page = to_bytes(add_noise(ink[None, None], rng, ["office"])[0, 0])
    run, multiple = shipped.restorer.restore, shipped.restorer.card.multiple
    whole = run_in_tiles(run, page, halo=HALO_PX, multiple=multiple).astype(int)
    tiled = run_in_tiles(run, page, halo=HALO_PX, multiple=multiple, most_pixels=260**2)
    assert np.abs(tiled - whole).max() <= 2


def test_a_small_page_is_the_mean_of_two_views_a_pixel_apart(shipped, rng):
    run, multiple = shipped.restorer.restore, shipped.restorer.card.multiple
    errors = []
    for _ in range(4):
        ink = make_page(rng, size=(384, 512), dpi=110).ink
        page = to_bytes(add_noise(ink[None, None], rng, ["office"])[0, 0])
        moved = np.pad(page, ((1, 0), (1, 0)), mode="edge")
        once = run_in_tiles(run, page, halo=HALO_PX, multiple=multiple).astype(float)
        again = run_in_tiles(run, moved, halo=HALO_PX, multiple=multiple)[1:, 1:]
        cleaned = 255 - shipped.clean(255 - page).image.astype(float)
        assert np.abs(cleaned - (once + again) / 2).max() <= 0.5
        errors.append([np.square(seen / 255 - ink).mean() for seen in (cleaned, once)])
    twice, single = np.mean(errors, axis=0)
    assert twice < single


def test_python_cleans_with_the_shipped_one(shipped, rng):
    page = to_bytes(1 - make_page(rng, size=(200, 300), dpi=100).ink)
    np.testing.assert_array_equal(package.clean(page).image, shipped.clean(page).image)
