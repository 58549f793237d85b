"""Run a network on a page of any size, tile by tile, without visible seams."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from legible.images import Predict

MOST_PIXELS = 1_300_000  # of a window, a tile with its halo
_AT_ONCE = 4  # windows


@dataclass(frozen=True)
class _Span:
    """The tiling of one side of a page: tiles of equal length, each inside a window of equal length.

    Windows stay within the page, so that the network sees the page's edges only at the edges.
    """

    n: int  # of the page
    tile: int
    window: int
    multiple: int
    halo: int

    def places(self) -> Iterator[tuple[int, int]]:
        """The start of each tile and of its window."""
        last = _round_up(self.n, self.multiple) - self.window
        for start in range(0, self.n, self.tile):
            yield start, min(max(start - self.halo, 0), last)


def run_in_tiles(
    run: Predict,
    page: np.ndarray,
    *,
    halo: int,
    multiple: int,
    most_pixels: int = MOST_PIXELS,
) -> np.ndarray:
    """Run `run` on a page, tile by tile; return the whole output.

    run: (N, 1, H, W) float32 in [0, 1] -> the same shape. page: (H, W) bytes, 255 = ink; returns bytes.
    halo: pixels around a tile that affect its output (the receptive field); with so many or more the result
    equals that of the whole page at once. multiple: windows start at multiples of it, like the network's
    coarsest level; the page's edge pixels are repeated up to the next multiple. Memory: a few windows of at
    most `most_pixels` at a time.
    """
    down, across = _choose_spans(
        (page.shape[0], page.shape[1]), _round_up(halo, multiple), multiple, most_pixels
    )
    output = np.empty_like(page)
    places = list(product(down.places(), across.places()))
    for first in range(0, len(places), _AT_ONCE):
        group = places[first : first + _AT_ONCE]
        windows = np.stack([_window(page, (y, x), (down.window, across.window)) for (_, y), (_, x) in group])
        outputs = run(windows[:, None].astype(np.float32) / np.float32(255))
        for ((top, y), (left, x)), one in zip(group, outputs[:, 0], strict=True):
            part = output[top : top + down.tile, left : left + across.tile]
            part[...] = np.rint(one[top - y :, left - x :][: part.shape[0], : part.shape[1]] * 255)
    return output


def _choose_spans(shape: tuple[int, int], halo: int, multiple: int, most_pixels: int) -> list[_Span]:
    """Choose the tiling (strips or near squares) with the fewest pixels processed."""

    def options(n: int) -> Iterator[tuple[int, _Span]]:
        for count in range(1, -(-n // (halo + multiple)) + 1):
            tile = _round_up(-(-n // count), multiple)
            window = min(tile + halo * min(2, count - 1), _round_up(n, multiple))
            yield count, _Span(n, tile, window, multiple, halo)

    possible = product(options(shape[0]), options(shape[1]))
    costs = [
        (rows * columns * down.window * across.window, down, across)
        for (rows, down), (columns, across) in possible
        if down.window * across.window <= most_pixels
    ]
    return list(min(costs, key=lambda cost: cost[0])[1:])


def _window(page: np.ndarray, place: tuple[int, int], sides: tuple[int, int]) -> np.ndarray:
    """A window of the page; the page's edge pixels are repeated beyond it."""
    part = page[place[0] : place[0] + sides[0], place[1] : place[1] + sides[1]]
    beyond = [(0, side - n) for side, n in zip(sides, part.shape, strict=True)]
    return np.pad(part, beyond, mode="edge") if any(map(any, beyond)) else part


def _round_up(n: int, multiple: int) -> int:
    return -(-n // multiple) * multiple
