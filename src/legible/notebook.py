"""Display of values in notebooks, as tables and pictures. Light, since help texts import it too."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def html_table(columns: Sequence[str], rows: Sequence[Sequence[str]], figures: Collection[int] = ()) -> str:
    """A table as HTML; figures: the indices of right-aligned columns."""

    def row(cells: Sequence[str], tag: str) -> str:
        kinds = [
            ' class="figure" style="text-align:right"' if i in figures else "" for i in range(len(cells))
        ]
        return "".join(f"<{tag}{k}>{escape(c)}</{tag}>" for c, k in zip(cells, kinds, strict=True))

    body = "".join(f"<tr>{row(cells, 'td')}</tr>" for cells in rows)
    return f"<table><tr>{row(columns, 'th')}</tr>{body}</table>"


def png(picture: np.ndarray) -> bytes:
    """A picture (H, W) or (H, W, 3) RGB, of bytes or 16-bit integers, as a PNG file."""
    import cv2

    return bytes(cv2.imencode(".png", picture[..., ::-1] if picture.ndim == 3 else picture)[1])


def lay_out(images: np.ndarray, columns: int = 20) -> np.ndarray:
    """Images (N, C, H, W), N >= 1, arranged in rows as one picture (H, W, C)."""
    import numpy as np

    n, channels, height, width = images.shape
    columns = min(columns, n)
    filled = np.zeros((-n % columns, channels, height, width), images.dtype)
    grid = np.concatenate([images, filled]).reshape(-1, columns, channels, height, width)
    return np.ascontiguousarray(
        grid.transpose(0, 3, 1, 4, 2).reshape(len(grid) * height, columns * width, channels)
    )
