"""A page as a value: its pixels, and what its file says of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from legible.errors import InputError

MOST_PIXELS = 250_000_000  # of a page: larger ones may be meant to fill the memory
PROFILE = "icc_profile"  # of a file's colours, of no use for others


@dataclass(frozen=True, eq=False)
class Page:
    """One page as it was found.

    pixels: (H, W) or (H, W, 3), bytes or 16 bits, the highest number white. alpha: (H, W) bytes, 255 = solid.
    dpi: across and down. bilevel: stored with one bit a pixel. kept: what else its file says, by the names
    that metadata.py gives it. encoding: of a JPEG's pixels. n_colours: of a palette; 0 without one.
    warnings: of what was damaged beside the pixels. size_points: of a PDF's page.

    damage: why the pixels cannot be read, which are then empty. raw: the page as it is in its file, a TIFF,
    where a damaged page can be copied.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    dpi: tuple[float, float] | None = None
    bilevel: bool = False
    kept: dict[str, Any] = field(default_factory=dict)
    size_points: tuple[float, float] | None = None
    encoding: dict[str, Any] = field(default_factory=dict)
    n_colours: int = 0
    warnings: tuple[str, ...] = ()
    damage: str = ""
    raw: bytes | None = None

    def with_pixels(self, pixels: np.ndarray, *, bilevel: bool) -> Page:
        """The page with other pixels of the same size."""
        same_colours = pixels.ndim == self.pixels.ndim
        kept = self.kept if same_colours else {k: v for k, v in self.kept.items() if k != PROFILE}
        return replace(self, pixels=pixels, bilevel=bilevel, kept=kept)


class PageTooLarge(InputError):
    """A page of more pixels than was allowed."""


def check_size(path: Path, size: tuple[int, ...], most_pixels: int) -> None:
    """Raise PageTooLarge for a page, (width, height) in pixels, of more than `most_pixels`."""
    if size[0] * size[1] > most_pixels:
        raise PageTooLarge(
            f"{path} has a page of {size[0]:,} x {size[1]:,} pixels, more than the limit of "
            f"{most_pixels / 1e6:,.0f} million. If you trust it, raise --max-megapixels."
        )
