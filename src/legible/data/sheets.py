"""New dirty pages from known ones: sheets of paper and printed texts, taken apart and joined anew.

NoisyOffice's pages are a few texts laid over a few sheets by a picture editor. In ink (1 = black), with d the
sheet's darkness and t the text's, two thirds of them are d + t - d * t (the editor multiplies) and the others
d + t - s * d * t with s near 1.7 (ink is the lighter the darker its sheet). Measured on partition TR: least
squares leave an RMS of 0.02, most of it the print's own unevenness, which is equal on every sheet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from legible.data.pages import Pair
from legible.images import to_bytes
from legible.seeds import rng_for

_MULTIPLIED = ("coffee", "footprints")  # kinds whose print can be read off: ink / (1 - sheet)
_MOST_SHINE = 1.8  # s above
_DARKENED = (0.6, 1.5)  # a sheet as dark as it was, times so much
MADE = "made"  # the kind of pages that we make
DrawSheet = Callable[[tuple[int, int], np.random.Generator], np.ndarray]  # (height, width) -> darkness there


def recompose(
    pairs: Sequence[Pair], n: int, *, other_sheets: DrawSheet, share_of_others: float = 0.4
) -> list[Pair]:
    """Lay the texts of pages on their sheets, turned and shifted, and on other sheets: n new pages.

    pairs: several texts under several kinds of noise. other_sheets: draws a sheet of (height, width), its
    darkness in [0, 1], for a share of the pages. Each page has a seed of its own.
    """
    texts, sheets = read_texts(pairs), read_sheets(pairs)
    return [_compose(number, texts, sheets, other_sheets, share_of_others) for number in range(n)]


def read_sheets(pairs: Sequence[Pair]) -> list[np.ndarray]:
    """The sheets of paper, each (H, W) darkness in [0, 1]: where any page of a kind and size has no ink.

    The few pixels that have ink in all of them are filled from around them.
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
    """The printed texts without their sheets, and their clean forms: (H, W) each, in [0, 1], 1 = ink."""
    by_sheet = _by_sheet([pair for pair in pairs if pair.kind in _MULTIPLIED])
    texts: dict[bytes, list[tuple[np.ndarray, np.ndarray]]] = defaultdict(list)
    for sheet, pages in zip(
        read_sheets([p for group in by_sheet.values() for p in group]), by_sheet.values(), strict=True
    ):
        for page in pages:
            ink = 1 - (1 - page.noisy) / np.maximum(1 - sheet, 0.1)
            texts[page.clean.tobytes()].append((ink, page.clean))
    return [(np.mean([ink for ink, _ in found], axis=0).clip(0, 1), found[0][1]) for found in texts.values()]


def _compose(
    number: int,
    texts: list[tuple[np.ndarray, np.ndarray]],
    sheets: list[np.ndarray],
    other_sheets: DrawSheet,
    share_of_others: float,
) -> Pair:
    rng = rng_for("recomposed page", number)
    ink, clean = texts[int(rng.integers(len(texts)))]
    shine = 1.0
    if rng.random() < share_of_others:
        sheet = other_sheets((ink.shape[0], ink.shape[1]), rng)
    else:
        sheet = _lay(sheets[int(rng.integers(len(sheets)))], ink.shape, rng) * rng.uniform(*_DARKENED)
        shine = rng.choice([shine, rng.uniform(shine, _MOST_SHINE)])
    noisy = (sheet + ink - shine * sheet * ink).clip(0, 1).astype(np.float32)
    return Pair(f"recomposed {number}", MADE, "", noisy, clean)


def _lay(sheet: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A sheet turned, flipped and shifted, mirrored where it ends: (height, width)."""
    turned = np.rot90(sheet, int(rng.integers(4)))[:: int(rng.choice([-1, 1]))]
    filled = np.pad(turned, [(0, side) for side in size], mode="symmetric")
    top, left = (int(rng.integers(0, have - side + 1)) for have, side in zip(filled.shape, size, strict=True))
    return filled[top : top + size[0], left : left + size[1]]


def _by_sheet(pairs: Sequence[Pair]) -> dict[tuple[str, tuple[int, ...]], list[Pair]]:
    groups: dict[tuple[str, tuple[int, ...]], list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[pair.kind, pair.clean.shape].append(pair)
    return groups
