"""Tiles to train a page cleaner on: NoisyOffice's, and those of pages that we make, wear and dirty."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from legible.data import DATASETS
from legible.data.page_maker import make_page
from legible.data.pages import KINDS, N_HELD_OUT, Pair, cut_tiles, label_pairs, read_noisy_office
from legible.data.sheets import MADE, recompose
from legible.data.split import Splits
from legible.noise import add_noise
from legible.seeds import rng_for

TILE = (128, 128)
_SMALL_PX = (96, 128)
_MADE_PX = (384, 512)  # of a made page: twelve tiles
_N_MADE, _N_MADE_HELD_OUT = 140, 20  # made pages in all; of them for validation, and as many for the test
_N_RECOMPOSED = 480
_DPI = (70.0, 210.0)  # strokes of 1.2 to 3.2 pixels, which the cleaner reduces larger ones to
_POINTS, _MARGINS = (7.0, 13.0), (-0.1, -0.03, 0.04)


@DATASETS.register(
    "page-tiles",
    n_classes=5,
    image_shape=(1, *TILE),
    n_images=13_100,
    licence="CC BY 4.0",
    source="NoisyOffice (M. J. Castro-Bleda et al., 2019), and pages that Legible makes",
    size_bytes=0,
    folder="noisy-office",
)
def load_page_tiles() -> Splits:
    """Tiles of scanned pages in their own size: NoisyOffice's TR, its texts on other sheets, and made pages.

    Validation is twelve pages of TR and some made ones; the test is VA and other made ones.
    """
    scanned = read_noisy_office()
    own, foreign = ([pair for pair in scanned if pair.partition == part] for part in ("TR", "VA"))
    made = make_pairs(_N_MADE)
    parts = (
        own[:-N_HELD_OUT]
        + made[: -2 * _N_MADE_HELD_OUT]
        + recompose(own[:-N_HELD_OUT], _N_RECOMPOSED, other_sheets=_draw_sheet),
        own[-N_HELD_OUT:] + made[-2 * _N_MADE_HELD_OUT : -_N_MADE_HELD_OUT],
        foreign + made[-_N_MADE_HELD_OUT:],
    )
    train, validation, test = (label_pairs(_cut(part), (*KINDS.values(), MADE)) for part in parts)
    words = f"Tiles of NoisyOffice's TR and of {_N_MADE} made pages; the test is of VA and made pages."
    return Splits("page-tiles", train, validation, test, (words,))


@DATASETS.register(
    "pages-small",
    n_classes=1,
    image_shape=(1, *_SMALL_PX),
    n_images=40,
    licence="Apache-2.0",
    source="pages that Legible makes",
    size_bytes=0,
)
def load_small_pages() -> Splits:
    """Forty small pages, made with text, worn and dirtied: to try page cleaners on without any data."""
    made = make_pairs(40)
    pairs = [Pair(pair.name, MADE, "", shrink(pair.noisy), shrink(pair.clean)) for pair in made]
    train, validation, test = (label_pairs(part, (MADE,)) for part in (pairs[:24], pairs[24:32], pairs[32:]))
    return Splits("pages-small", train, validation, test, ("Forty small pages, made and dirtied.",))


def shrink(page: np.ndarray) -> np.ndarray:
    """A made page at a quarter of its size, as report B's pages are at theirs: (96, 128)."""
    return cv2.resize(page, _SMALL_PX[::-1], interpolation=cv2.INTER_AREA)


def make_pairs(n: int, *, dirt: float = 1.0) -> list[Pair]:
    """Make n small pages, dirty and clean, each from a seed of its own."""
    pairs = []
    for number in range(n):
        rng = rng_for("made page", str(number))
        page = make_page(
            rng, size=_MADE_PX, dpi=rng.uniform(*_DPI), points=_POINTS, margin=float(rng.choice(_MARGINS))
        )
        noisy = add_noise(page.ink[None, None], rng, [f"office:{dirt:g}"])[0, 0]
        pairs.append(Pair(f"made {number}", MADE, "", noisy, page.ink))
    return pairs


def _draw_sheet(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A dirty page (height, width) with nothing on it."""
    answer: np.ndarray = add_noise(np.zeros((1, 1, *size), np.float32), rng, ["office"])[0, 0]
    return answer


def _cut(pairs: Iterable[Pair]) -> list[Pair]:
    return [tile for pair in pairs for tile in cut_tiles(pair, TILE)]
