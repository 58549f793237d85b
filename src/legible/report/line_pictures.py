"""Figures of lines of digits and what was read in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from legible.errors import InputError
from legible.report.look import NORMAL_PT, RIGHT, WRONG, new_chart

_LINE_IN, _HEAD_IN = 0.62, 0.5
_MOST_SIGNS = 16  # of a reading that are shown: one that has learnt little may say anything


def lines_read(
    lines: Sequence[np.ndarray], texts: Sequence[str], read: Sequence[str], *, columns: int = 3,
    title: str = "Lines and what was read in them",
) -> Figure:  # fmt: skip
    """Show lines (H, W) in [0, 1], 1 = ink, each under what was read; in orange what is wrong.

    Raises InputError where counts differ or there is no line.
    """
    if not len(lines) or not len(lines) == len(texts) == len(read):
        raise InputError(
            f"{len(lines)} lines, {len(texts)} texts and {len(read)} readings do not go together."
        )
    rows = -(-len(lines) // columns)
    figure = new_chart(9.0, _HEAD_IN + rows * _LINE_IN, title)
    axes = figure.subplots(rows, columns, squeeze=False)
    for place in axes.flat:
        place.set_axis_off()
    widest = max(line.shape[1] for line in lines)
    for place, line, text, said in zip(axes.flat, lines, texts, read, strict=False):
        padded = np.pad(line, ((0, 0), (0, widest - line.shape[1])))
        place.imshow(1 - padded, cmap="gray", vmin=0, vmax=1, aspect="equal")
        is_right = text == said
        note = _short(said) + ("" if is_right else f", not {_short(text)}")
        place.set_title(note, loc="left", fontsize=NORMAL_PT, color=RIGHT if is_right else WRONG, pad=2)
    return figure


def _short(text: str) -> str:
    """A reading as it is shown: cut where it would not fit."""
    return (text if len(text) <= _MOST_SIGNS else text[: _MOST_SIGNS - 1] + "…") or "nothing"
