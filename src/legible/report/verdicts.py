"""What is shown of a verdict, whichever kind of model it is of: its tables and its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from legible.evaluation.drawing import nearest_neighbours
from legible.evaluation.judges import Predict, Shown, Verdict
from legible.evaluation.measure import Judgement
from legible.evaluation.measure_drawings import Draw
from legible.evaluation.measure_images import Restoration
from legible.evaluation.measure_lines import LineJudgement, compose_all
from legible.report.tables import (
    Table,
    confusion_table,
    drawings_table,
    judgement_table,
    lines_table,
    per_class_table,
    restoration_table,
)
from legible.seeds import rng_for

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def verdict_tables(verdict: Verdict, *, title: str, in_full: bool = False) -> list[Table]:
    """A verdict's tables, the sums first. in_full: a classifier's confusion matrix too."""
    if isinstance(verdict, Judgement):
        tables = [judgement_table(verdict, title=title), per_class_table(verdict)]
        return [*tables, confusion_table(verdict)] if in_full else tables
    if isinstance(verdict, Restoration):
        return [restoration_table(verdict, title=title)]
    if isinstance(verdict, LineJudgement):
        return [lines_table(verdict, title=title)]
    return [drawings_table(verdict, title=title)]


def verdict_figures(
    shown: Shown, verdict: Verdict, predict: Predict, history: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Figure]:
    """A verdict's figures, by the name each is saved under. predict: the model that was judged."""
    from legible.report import figures

    if isinstance(verdict, Judgement):
        return figures.judgement_figures(shown.seen, verdict, history)
    history_figure = {"curves": figures.curves(history)} if history else {}
    if isinstance(verdict, LineJudgement):
        lines, _ = compose_all(shown.seen, "test")
        return {
            name: figures.lines_read(
                [lines[entry.index] for entry in entries],
                [entry.text for entry in entries],
                [entry.read for entry in entries],
                title=title,
            )
            for name, entries, title in (
                ("lines", verdict.samples, "Lines and what was read in them"),
                ("worst", verdict.worst, "Lines that were read wrongly, the surest first"),
            )
            if entries
        } | history_figure
    assert isinstance(verdict, Restoration)
    drawn = {
        name: figures.restored_rows(
            shown.clean[indices], shown.seen.images[indices], predict(shown.seen.images[indices]), title=title
        )
        for name, indices, title in (
            ("restored", [image.index for image in verdict.samples], "Clean, as the model sees it, restored"),
            ("worst", [image.index for image in verdict.worst], "The images with the highest error"),
        )
        if indices
    }
    return drawn | history_figure


def drawing_figures(
    draw: Draw, shown: Shown, training: np.ndarray, history: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Figure]:
    """The figures of a model that draws: ten digits of each class, and the nearest training images."""
    from legible.report import figures

    asked = np.repeat(np.arange(len(shown.seen.classes)), 10)
    images = draw(asked, rng_for("shown drawings"))
    nearest, distances = nearest_neighbours(images[::10], training)
    drawn = {
        "drawn": figures.samples_grid(images, asked, classes=shown.seen.classes),
        "nearest": figures.nearest_digits(images[::10], training[nearest][:, None], distances[:, None]),
    }
    return drawn | ({"curves": figures.curves(history)} if history else {})
