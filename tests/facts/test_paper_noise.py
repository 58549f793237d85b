"""Noises of paper and scanners damage a page in the way that they describe.

Source of the expected values: the definition of each kind of damage, measured on blank pages.
"""

import io

import numpy as np
import pytest
from PIL import Image

from legible.data.page_maker import make_page
from legible.noise import NOISES, add_noise
from legible.noise.paper import cloud

SHADES = (
    "stains",
    "rings",
    "shade",
    "shadow",
    "bleed-through",
    "ruled",
    "bands",
)  # these only darken


@pytest.fixture(scope="module")
def page() -> np.ndarray:
    return make_page(np.random.default_rng(1), size=(240, 320), dpi=80).ink[None, None]


@pytest.mark.parametrize("name", SHADES)
def test_noise_on_paper_darkens_it_and_keeps_the_ink(name, page, rng):
    pages = np.repeat(page, 8, axis=0)
    noisy = NOISES.call(name, pages, rng)
    assert (noisy >= pages - 1e-6).all() and noisy.mean() > pages.mean() + 0.002
    assert (noisy[pages == 1] > 1 - 1e-5).all()
    by_amount = [
        NOISES.call(f"{name}:{amount}", pages, np.random.default_rng(0)).mean() for amount in (0.1, 0.4, 0.8)
    ]
    assert by_amount == sorted(by_amount)


@pytest.mark.parametrize("name", ["stains", "rings", "shadow", "creases", "wrinkles"])
def test_sizes_are_relative_to_the_page(name):
    """On a page four times as large, about the same share of the paper changes."""
    shares = []
    for side in (128, 512):
        blank = np.zeros((40, 1, side, side), np.float32)
        shares.append(float((NOISES.call(name, blank, np.random.default_rng(2)) > 0.05).mean()))
    assert 0.5 < shares[0] / shares[1] < 2


def test_the_other_side_of_the_sheet_shows_mirrored(rng):
    """Measured on the spectrum, which does not depend on the shift: slanted lines lean the other way."""
    down, right = np.mgrid[:200, :200]
    slanting = ((down + right) % 20 < 4).astype(np.float32)[None, None]
    blank = np.zeros_like(slanting)
    shown = NOISES.call("bleed-through:1", np.concatenate([slanting, blank]), rng)
    behind = (shown[0] - slanting[0])[0] * (1 - slanting[0, 0])
    assert (shown[1] == 0).all()
    spectrum, mirrored, same = (
        np.abs(np.fft.rfft2(each - each.mean())) for each in (behind, slanting[0, 0, :, ::-1], slanting[0, 0])
    )
    likeness = [np.corrcoef(spectrum.ravel(), other.ravel())[0, 1] for other in (mirrored, same)]
    assert likeness[0] > 2 * abs(likeness[1]) and likeness[0] > 0.3


def test_fading_makes_ink_paler_and_keeps_paper(page, rng):
    faded = NOISES.call("faded:0.8", page, rng)
    assert (faded <= page + 1e-6).all() and (faded[page == 0] == 0).all()
    assert 0.3 < faded.sum() / page.sum() < 0.9


def test_jpeg_agrees_with_another_encoder(page, rng):
    """Pillow at the same quality: both use the standard's tables, so they differ little."""
    stored = io.BytesIO()
    Image.fromarray(np.rint(255 * (1 - page[0, 0])).astype(np.uint8)).save(stored, "JPEG", quality=20)
    expected = 1 - np.asarray(Image.open(stored), np.float32) / 255
    np.testing.assert_allclose(NOISES.call("jpeg:20", page, rng)[0, 0], expected, atol=0.03)


def test_more_specks_cover_more_paper(rng):
    blank = np.zeros((20, 1, 200, 200), np.float32)
    few, many = (NOISES.call(f"specks:{share}", blank, np.random.default_rng(0)) for share in (0.001, 0.01))
    assert 0 < few.mean() < 0.4 * many.mean()


def test_a_cloud_is_smooth_and_fills_its_range(rng):
    field = np.stack([cloud((200, 300), rng, 0.2, low=0.25) for _ in range(10)])
    assert field.shape == (10, 200, 300) and field.min() >= 0.25 and field.max() <= 1
    assert np.ptp(field) > 0.6 and np.abs(np.diff(field, axis=2)).max() < 0.1


def test_office_noise_varies_from_page_to_page_and_scales_with_its_amount(page):
    pages = np.repeat(page, 30, axis=0)
    noisy = add_noise(pages, np.random.default_rng(0), ["office"])
    errors = np.square(noisy - pages).mean(axis=(1, 2, 3))
    assert errors.min() < 0.02 and errors.max() > 0.05 and len(np.unique(errors.round(6))) == 30
    assert (
        np.square(add_noise(pages, np.random.default_rng(0), ["office:0.1"]) - pages).mean()
        < 0.1 * errors.mean()
    )
