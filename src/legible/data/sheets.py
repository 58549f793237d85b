"""New dirty pages from known ones: replace the sheet of paper under a text by another sheet.

NoisyOffice's pages are a few texts combined with a few sheets in a picture editor. In ink (1 = black), with d
the darkness of the sheet and t of the text, half of the kinds are d + t - d * t: light is multiplied. In the
others, black text is lighter on a darker sheet, 1 - d, and grey text hides the sheet: a pixel's darkness
changes by a share of the sheet's change, which falls from 1 at t = 0 through 0.1 at t = 0.5 to -0.9 at t = 1
(least squares on partition TR). So a page on another sheet is the old page plus this share of the difference
of the sheets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from legible.data.pages import Pair
from legible.images import to_bytes
from legible.seeds import rng_for

_MULTIPLIED = (
    "coffee",
    "footprints",
)  # kinds that multiply light, whose text can be separated from the sheet
_DARKENED = (0.6, 1.5)  # range of the random factor of a sheet's darkness
MADE = "made"  # the kind of generated pages
_INK_STEPS = np.linspace(0, 1, 11)  # centres of the bins of ink in which shares are measured
_LEAST_PIXELS = 100  # in such a bin
MakeSheet = Callable[[tuple[int, int], np.random.Generator], np.ndarray]  # (height, width) -> darkness (H, W)


@dataclass(frozen=True, eq=False)
class _Print:
    """A page with its sheet, (H, W) each. share: of a change of the sheet that shows in the page."""

    noisy: np.ndarray
    clean: np.ndarray
    sheet: np.ndarray
    share: np.ndarray
    multiplied: bool


def recompose(
    pairs: Sequence[Pair], n: int, *, other_sheets: MakeSheet, share_of_others: float = 0.4
) -> list[Pair]:
    """Generate n new pages from texts and other sheets, which are rotated and shifted.

    pairs: several texts, each with several kinds of noise. other_sheets: makes a sheet of (height, width),
    darkness in [0, 1], for a share of the pages; the others get a sheet of `pairs` of the same kind
    (multiplied or not). Each page has its own seed.
    """
    prints, sheets = _take_apart(pairs)
    return [_compose(number, prints, sheets, other_sheets, share_of_others) for number in range(n)]


def read_sheets(pairs: Sequence[Pair]) -> list[np.ndarray]:
    """The sheets of paper, (H, W) darkness in [0, 1] each, averaged over the pixels without ink.

    There is one sheet for each kind and size. The few pixels with ink in all its pages are inpainted.
    """
    sheets = []
    for pages in _by_sheet(pairs).values():
        noisy, clean = (np.stack(images) for images in ([p.noisy for p in pages], [p.clean for p in pages]))
        is_bare = clean == 0
        n_bare = is_bare.sum(0)
        mean = (noisy * is_bare).sum(0) / np.maximum(n_bare, 1)
        filled = cv2.inpaint(to_bytes(mean), (n_bare == 0).astype(np.uint8), 3, cv2.INPAINT_TELEA)
        sheets.append(np.where(n_bare > 0, mean, filled / 255).astype(np.float32))
    return sheets


def read_texts(pairs: Sequence[Pair]) -> list[tuple[np.ndarray, np.ndarray]]:
    """The texts separated from their sheets, and their clean versions: (H, W) each, in [0, 1], 1 = ink."""
    by_sheet = _by_sheet([pair for pair in pairs if pair.kind in _MULTIPLIED])
    texts: dict[bytes, list[tuple[np.ndarray, np.ndarray]]] = defaultdict(list)
    for sheet, pages in zip(
        read_sheets([p for group in by_sheet.values() for p in group]), by_sheet.values(), strict=True
    ):
        for page in pages:
            ink = 1 - (1 - page.noisy) / np.maximum(1 - sheet, 0.1)
            texts[page.clean.tobytes()].append((ink, page.clean))
    return [(np.mean([ink for ink, _ in found], axis=0).clip(0, 1), found[0][1]) for found in texts.values()]


def _take_apart(pairs: Sequence[Pair]) -> tuple[list[_Print], dict[bool, list[np.ndarray]]]:
    """All pages whose text can be separated; and all sheets, by whether their kind multiplies light."""
    inks = {clean.tobytes(): ink for ink, clean in read_texts(pairs)}
    prints, sheets = list[_Print](), dict[bool, list[np.ndarray]]({True: [], False: []})
    for (kind, _), group in _by_sheet(pairs).items():
        (sheet,) = read_sheets(group)
        sheets[kind in _MULTIPLIED].append(sheet)
        pages = [(page, inks[page.clean.tobytes()]) for page in group if page.clean.tobytes() in inks]
        steps = None if kind in _MULTIPLIED else _measure_shares(pages, sheet)
        for page, ink in pages:
            share = (1 - ink) if steps is None else np.interp(ink, _INK_STEPS, steps).astype(np.float32)
            prints.append(_Print(page.noisy, page.clean, sheet, share, steps is None))
    return prints, sheets


def _measure_shares(pages: Sequence[tuple[Pair, np.ndarray]], sheet: np.ndarray) -> np.ndarray:
    """The share of a sheet's change that shows in a page, for each step of ink: a least-squares fit."""
    inks, noisy = np.stack([ink for _, ink in pages]), np.stack([page.noisy for page, _ in pages])
    darkness = np.broadcast_to(sheet, inks.shape)
    half = (_INK_STEPS[1] - _INK_STEPS[0]) / 2
    shares = 1 - _INK_STEPS
    for i, middle in enumerate(_INK_STEPS):
        here = np.abs(inks - middle) <= half
        if here.sum() >= _LEAST_PIXELS:
            terms = np.stack([darkness[here], inks[here], np.ones(int(here.sum()), np.float32)], axis=1)
            shares[i] = np.linalg.lstsq(terms, noisy[here], rcond=None)[0][0]
    return shares


def _compose(
    number: int,
    prints: list[_Print],
    sheets: dict[bool, list[np.ndarray]],
    other_sheets: MakeSheet,
    share_of_others: float,
) -> Pair:
    rng = rng_for("recomposed page", number)
    on_other = rng.random() < share_of_others
    possible = [page for page in prints if page.multiplied] if on_other else prints  # like real ink
    page = possible[int(rng.integers(len(possible)))]
    height, width = page.noisy.shape
    if on_other:
        sheet = other_sheets((height, width), rng)
    else:
        known = sheets[page.multiplied]
        sheet = _lay(known[int(rng.integers(len(known)))], (height, width), rng) * rng.uniform(*_DARKENED)
    noisy = (page.noisy + page.share * (sheet - page.sheet)).clip(0, 1).astype(np.float32)
    return Pair(f"recomposed {number}", MADE, "", noisy, page.clean)


def _lay(sheet: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A sheet rotated, flipped and shifted at random, and mirrored beyond its edges: (height, width)."""
    turned = np.rot90(sheet, int(rng.integers(4)))[:: int(rng.choice([-1, 1]))]
    filled = np.pad(turned, [(0, side) for side in size], mode="symmetric")
    top, left = (int(rng.integers(0, have - side + 1)) for have, side in zip(filled.shape, size, strict=True))
    return filled[top : top + size[0], left : left + size[1]]


def _by_sheet(pairs: Sequence[Pair]) -> dict[tuple[str, tuple[int, ...]], list[Pair]]:
    groups: dict[tuple[str, tuple[int, ...]], list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[pair.kind, pair.clean.shape].append(pair)
    return groups
