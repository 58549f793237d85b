"""Figures of rows of images: one row for each version of the same images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from legible.errors import InputError
from legible.report.look import BLUE, DPI, GREY, LETTER_IN, PALE, new_sheet, paste, write
from legible.report.pictures import CELL_IN, LEAST_WIDTH_IN, LINE_IN, MOST_WIDTH_IN, check_counts

_GAP_IN, _BLOCK_GAP_IN, _NAME_GAP_IN = 0.05, 0.22, 0.1


@dataclass(frozen=True)
class Row:
    """Images side by side. notes: texts below the images; note_name: their label; marked: framed columns."""

    name: str
    images: np.ndarray
    notes: Sequence[str] = ()
    note_name: str = ""
    marked: Sequence[int] = ()

    def __post_init__(self) -> None:
        """Refuse a row without images, or with another number of notes."""
        check_counts(self.images, **{f"row {self.name!r}": self.notes or self.images})


@dataclass(frozen=True)
class _Cells:
    """The geometry of a figure's cells in inches: left edge, width, height, and distance between columns.

    sheet_in: the total width, including the names on the left.
    """

    sheet_in: float
    left_in: float
    width_in: float
    height_in: float
    step_in: float


def noise_gallery(rows: Mapping[str, np.ndarray], *, title: str = "Digits under noise") -> Figure:
    """Show one row of images for each name: the same digits with several noises, or at several levels.

    rows: name -> (N, C, H, W), the same N and size in every row. Raises InputError if they differ.
    """
    if rows:
        first = next(iter(rows.values()))
        check_counts(first, **{f"row {name!r}": images for name, images in rows.items()})
    return draw_rows([[Row(name, images) for name, images in rows.items()]], title=title)


def in_blocks(n_images: int, columns: int) -> list[slice]:
    """Split n_images into the fewest blocks of at most `columns` images, of similar lengths."""
    n_blocks = -(-n_images // columns)
    length = -(-n_images // n_blocks)
    return [slice(start, start + length) for start in range(0, n_images, length)]


def draw_rows(
    blocks: Sequence[Sequence[Row]], *, heads: Sequence[str] = (), heads_name: str = "", title: str
) -> Figure:
    """Draw blocks of rows below each other, with a name to the left of each row.

    heads: texts above the columns; heads_name: their label. All images have one size (C, H, W); they are
    drawn smaller if there are many columns. Raises InputError without rows, or if the sizes differ.
    """
    rows = [row for block in blocks for row in block]
    if not rows:
        raise InputError("nothing to show: give at least one row of images.")
    sizes = {row.images.shape[1:] for row in rows}
    if len(sizes) > 1:
        raise InputError(f"images of different sizes cannot share rows: {sorted(sizes)}. Give one size.")
    cells = _lay_out(rows, heads, heads_name)
    heads_in = LINE_IN + 0.04 if heads else 0.0
    height_in = heads_in + sum(_height_of(row, cells) for row in rows) + _BLOCK_GAP_IN * (len(blocks) - 1)
    figure, axes = new_sheet(cells.sheet_in, height_in - _GAP_IN, title)
    write(axes, heads_name, cells.left_in - _NAME_GAP_IN, 0, align="right", colour=GREY)
    for i, head in enumerate(heads):
        write(axes, head, cells.left_in + i * cells.step_in + cells.width_in / 2, 0)
    top_in = heads_in
    for block in blocks:
        for row in block:
            _draw_row(axes, row, cells, top_in)
            top_in += _height_of(row, cells)
        top_in += _BLOCK_GAP_IN
    return figure


def _lay_out(rows: Sequence[Row], heads: Sequence[str], heads_name: str) -> _Cells:
    """The largest cells that fit the page, wide enough for notes and heads.

    Small images are enlarged to CELL_IN; larger ones have one dot per pixel if they fit.
    """
    _, height_px, width_px = rows[0].images.shape[1:]
    columns = max(len(row.images) for row in rows)
    names = [heads_name, *(text for row in rows for text in (row.name, row.note_name))]
    left_in = LETTER_IN * max(map(len, names)) + _NAME_GAP_IN if any(names) else 0.0
    room_in = (MOST_WIDTH_IN - left_in) / columns
    texts_in = LETTER_IN * max((len(text) for row in rows for text in (*row.notes, *heads)), default=0)
    width_in = max(min(max(CELL_IN, width_px / DPI), room_in - _GAP_IN), 0.2)
    step_in = max(width_in, texts_in) + _GAP_IN
    needed_in = left_in + columns * step_in - _GAP_IN
    sheet_in = max(needed_in, LEAST_WIDTH_IN)
    left_in += (sheet_in - needed_in) / 2
    return _Cells(sheet_in, left_in, width_in, width_in * height_px / width_px, step_in)


def _height_of(row: Row, cells: _Cells) -> float:
    return cells.height_in + _GAP_IN + (LINE_IN if row.notes else 0)


def _draw_row(axes: Axes, row: Row, cells: _Cells, top_in: float) -> None:
    below_in, names_in = top_in + cells.height_in + 0.02, cells.left_in - _NAME_GAP_IN
    write(axes, row.name, names_in, top_in + cells.height_in / 2 - 0.06, align="right")
    if row.notes:
        write(axes, row.note_name, names_in, below_in, align="right", colour=GREY)
    for i, image in enumerate(row.images):
        left_in = cells.left_in + i * cells.step_in
        frame = BLUE if i in row.marked else PALE
        paste(axes, image, left_in, top_in, width_in=cells.width_in, frame=frame)
        if row.notes:
            write(axes, row.notes[i], left_in + cells.width_in / 2, below_in)
