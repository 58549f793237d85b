"""Figures of lines of digits with their readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from legible.errors import InputError
from legible.evaluation.evaluation_set import EvaluationSet
from legible.evaluation.line_reading import LineReadingReport, compose_all
from legible.images import Predict
from legible.report.charts import curves
from legible.report.look import NORMAL_PT, RIGHT, WRONG, new_chart

_LINE_IN, _HEAD_IN = 0.62, 0.5
_MOST_CHARACTERS = 16  # of a reading that are shown: an untrained reader may read long strings


def draw_report(
    shown: EvaluationSet,
    report: LineReadingReport,
    predict: Predict,
    history: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Figure]:
    """The figures of a line reader's report, by file name without ending: lines, the worst, curves.

    history: the training's records for `curves`; may be empty.
    """
    lines, _ = compose_all(shown.seen, "test")
    chosen = {
        "lines": (report.samples, "Lines and their readings"),
        "worst": (report.worst, "Lines with wrong readings, the most confident first"),
    }
    figures = {
        name: lines_read(
            [lines[entry.index] for entry in entries],
            [entry.text for entry in entries],
            [entry.read for entry in entries],
            title=title,
        )
        for name, (entries, title) in chosen.items()
        if entries
    }
    return figures | ({"curves": curves(history)} if history else {})


def lines_read(
    lines: Sequence[np.ndarray], texts: Sequence[str], read: Sequence[str], *, columns: int = 3,
    title: str = "Lines and their readings",
) -> Figure:  # fmt: skip
    """Show lines (H, W) in [0, 1], 1 = ink, each below its reading; wrong readings are orange.

    Raises InputError if the counts differ or are 0.
    """
    if not len(lines) or not len(lines) == len(texts) == len(read):
        raise InputError(
            f"{len(lines)} lines, {len(texts)} texts and {len(read)} readings: give equally many, "
            "at least one."
        )
    rows = -(-len(lines) // columns)
    figure = new_chart(9.0, _HEAD_IN + rows * _LINE_IN, title)
    axes = figure.subplots(rows, columns, squeeze=False)
    for place in axes.flat:
        place.set_axis_off()
    widest = max(line.shape[1] for line in lines)
    for place, line, text, reading in zip(axes.flat, lines, texts, read, strict=False):
        padded = np.pad(line, ((0, 0), (0, widest - line.shape[1])))
        place.imshow(1 - padded, cmap="gray", vmin=0, vmax=1, aspect="equal")
        is_right = text == reading
        note = _short(reading) + ("" if is_right else f", not {_short(text)}")
        place.set_title(note, loc="left", fontsize=NORMAL_PT, color=RIGHT if is_right else WRONG, pad=2)
    return figure


def _short(text: str) -> str:
    """A reading, truncated to fit."""
    return (text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + "…") or "nothing"
