"""Put a page of any size through a network that sees a tile at a time, without seams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

MOST_PIXELS = 1_300_000  # of a window, which is what the network sees for a tile
_AT_ONCE = 4  # windows


@dataclass(frozen=True)
class _Cut:
    """How a side of a page is cut: tiles of one length, each within a window of one length.

    Windows stay on the page, so that the network meets a page's edges where the page has them.
    """

    n: int  # of the page
    tile: int
    window: int
    multiple: int
    halo: int

    def places(self) -> Iterator[tuple[int, int]]:
        """Where each tile begins, and where its window does."""
        last = _round_up(self.n, self.multiple) - self.window
        for start in range(0, self.n, self.tile):
            yield start, min(max(start - self.halo, 0), last)


def run_in_tiles(
    run: Callable[[np.ndarray], np.ndarray],
    page: np.ndarray,
    *,
    halo: int,
    multiple: int,
    most_pixels: int = MOST_PIXELS,
) -> np.ndarray:
    """Put a page through `run`, tile by tile, and give the whole answer.

    run: (N, 1, H, W) float32 in [0, 1] -> the same shape. page: (H, W) bytes, 255 = ink; bytes come back.
    halo: pixels around a tile that can change its answer: with as many or more of them, the answer is that
    of the page in one piece. multiple: windows begin at multiples of it, as the network's coarsest places do;
    up to one the page's last pixels go on. Memory: some windows of at most `most_pixels` at a time.
    """
    down, across = _choose_cuts(
        (page.shape[0], page.shape[1]), _round_up(halo, multiple), multiple, most_pixels
    )
    answer = np.empty_like(page)
    places = list(product(down.places(), across.places()))
    for first in range(0, len(places), _AT_ONCE):
        group = places[first : first + _AT_ONCE]
        seen = np.stack([_look(page, (y, x), (down.window, across.window)) for (_, y), (_, x) in group])
        made = run(seen[:, None].astype(np.float32) / np.float32(255))
        for ((top, y), (left, x)), one in zip(group, made[:, 0], strict=True):
            part = answer[top : top + down.tile, left : left + across.tile]
            part[...] = np.rint(one[top - y :, left - x :][: part.shape[0], : part.shape[1]] * 255)
    return answer


def _choose_cuts(shape: tuple[int, int], halo: int, multiple: int, most_pixels: int) -> list[_Cut]:
    """Cut a page so that the network sees as little as may be twice: into strips, or near squares."""

    def options(n: int) -> Iterator[tuple[int, _Cut]]:
        for count in range(1, -(-n // (halo + multiple)) + 1):
            tile = _round_up(-(-n // count), multiple)
            window = min(tile + halo * min(2, count - 1), _round_up(n, multiple))
            yield count, _Cut(n, tile, window, multiple, halo)

    possible = product(options(shape[0]), options(shape[1]))
    costs = [
        (rows * columns * down.window * across.window, down, across)
        for (rows, down), (columns, across) in possible
        if down.window * across.window <= most_pixels
    ]
    return list(min(costs, key=lambda cost: cost[0])[1:])


def _look(page: np.ndarray, place: tuple[int, int], sides: tuple[int, int]) -> np.ndarray:
    """A window of the page, with the page's last pixels where it looks beyond them."""
    part = page[place[0] : place[0] + sides[0], place[1] : place[1] + sides[1]]
    beyond = [(0, side - n) for side, n in zip(sides, part.shape, strict=True)]
    return np.pad(part, beyond, mode="edge") if any(map(any, beyond)) else part


def _round_up(n: int, multiple: int) -> int:
    return -(-n // multiple) * multiple
