"""Figures of restored images, and of accuracy and error by noise level.

In all functions, clean (the target), noisy (the input) and restored (the output) are float32 images in [0,
1].
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, StrMethodFormatter

from legible.errors import InputError
from legible.evaluation.evaluation_set import EvaluationSet
from legible.evaluation.image_metrics import image_mse
from legible.evaluation.restoration import RestorationReport
from legible.images import Predict
from legible.report.charts import Runs, curves, draw_curve
from legible.report.look import GREY, MARKS, add_legend, new_chart, style_axes
from legible.report.pictures import check_counts
from legible.report.rows import Row, draw_rows, in_blocks

_ACROSS = ("--", "-.", ":")
_TICKS = (0, 50, 80, 90, 95, 98, 99, 99.5, 99.8, 99.9, 100)  # of a stretched axis, in percent
_FINEST = 0.05  # percent: values closer to 100 % are drawn there, since 100 % itself is at infinity


def draw_report(
    shown: EvaluationSet,
    report: RestorationReport,
    predict: Predict,
    history: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Figure]:
    """The figures of a restorer's report by name: restored images, the worst, curves.

    history: the training's records for `curves`; may be empty.
    """
    chosen = {
        "restored": (report.samples, "Clean, noisy and restored images"),
        "worst": (report.worst, "The images with the highest error"),
    }
    figures = {}
    for name, (images, title) in chosen.items():
        if images:
            indices = [image.index for image in images]
            noisy = shown.seen.images[indices]
            figures[name] = restored_rows(shown.clean[indices], noisy, predict(noisy), title=title)
    return figures | ({"curves": curves(history)} if history else {})


def restored_rows(
    clean: np.ndarray,
    noisy: np.ndarray,
    restored: np.ndarray,
    *,
    columns: int = 10,
    title: str = "Original, noisy and restored",
) -> Figure:
    """Show images in three rows, original, noisy and restored, with the MSE below the latter two.

    All (N, C, H, W). columns: the largest number; more images start a new block. Raises InputError if counts
    or sizes differ.
    """
    check_counts(clean, noisy=noisy, restored=restored)
    parts = in_blocks(len(clean), columns)
    return draw_rows([_three_rows(clean[p], noisy[p], restored[p]) for p in parts], title=title)


def levels_grid(
    clean: np.ndarray,
    noisy: np.ndarray,
    restored: np.ndarray,
    levels: Sequence[float],
    *,
    title: str = "Original, noisy and denoised at each noise level",
) -> Figure:
    """Show digits at several noise levels, a column each: original, noisy and denoised with the MSE.

    clean: (N, C, H, W); noisy and restored: (N, L, C, H, W) for L levels. Raises InputError if counts or
    sizes differ.
    """
    check_counts(clean, noisy=noisy, restored=restored)
    n_levels = len(levels)
    blocks = []
    for one, its_noisy, its_restored in zip(clean, noisy, restored, strict=True):
        check_counts(its_noisy, levels=levels, denoised=its_restored)
        blocks.append(_three_rows(np.stack([one] * n_levels), its_noisy, its_restored, "denoised"))
    heads = [f"{level:g}" for level in levels]
    return draw_rows(blocks, heads=heads, heads_name="noise level", title=title)


def _three_rows(
    clean: np.ndarray, noisy: np.ndarray, restored: np.ndarray, name: str = "restored"
) -> list[Row]:
    notes = [[_short(error) for error in image_mse(clean, images)] for images in (noisy, restored)]
    return [
        Row("original", clean),
        Row("noisy", noisy, notes[0], "MSE"),
        Row(name, restored, notes[1], "MSE"),
    ]


def _short(error: float) -> str:
    """Format an MSE for a cell; only an exact 0 is shown as 0."""
    if error < 0.00005:
        return "<0.0001" if error > 0 else "0"
    return f"{error:.3f}" if error >= 0.0095 else f"{error:.4f}"


def accuracy_curves(
    levels: Sequence[float],
    systems: Mapping[str, Sequence[Runs]],
    *,
    references: Mapping[str, float] | None = None,
    x_label: str = "noise level",
    y_label: str = "test accuracy (%)",
    stretched: bool = False,
    title: str = "Accuracy against noise level",
) -> Figure:
    """Draw the accuracy of several systems against the noise level.

    levels: ascending. systems: name -> for each level the accuracies (fractions) of its runs; several runs
    are drawn as their mean with a band of one standard deviation; at a level without runs the line is broken.
    references: name -> accuracy, as horizontal lines. stretched: draw the error on a logarithmic axis, so
    that systems near 100 % can be distinguished. Raises InputError if the counts differ or there is nothing
    to draw.
    """
    figure = _level_curves(levels, systems, references, 100.0, (x_label, y_label), title)
    if stretched:
        _stretch(figure.axes[0])
    return figure


def _stretch(axes: Axes) -> None:
    """Make the axis logarithmic in the distance from 100 %."""

    def squeeze(percent: np.ndarray) -> np.ndarray:
        return np.asarray(-np.log(np.maximum(100 - percent, _FINEST)))

    low, high = axes.dataLim.intervaly
    axes.set_yscale("function", functions=(squeeze, lambda height: 100 - np.exp(-height)))
    axes.yaxis.set_major_locator(FixedLocator(_TICKS))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    bottom = max((line for line in _TICKS if line < low), default=0)
    axes.set_ylim(bottom, min((line for line in _TICKS if line > high), default=100))


def error_curve(
    levels: Sequence[float],
    systems: Mapping[str, Sequence[Runs]],
    *,
    references: Mapping[str, float] | None = None,
    x_label: str = "noise level",
    y_label: str = "MSE",
    log_y: bool = False,
    title: str = "Error against noise level",
) -> Figure:
    """Draw the error of several denoisers and baselines against the noise level.

    systems: name -> for each level the MSEs of its runs, as in `accuracy_curves`. references: name -> MSE, as
    horizontal lines. With log_y, errors of 0 are left out. Raises InputError like accuracy_curves.
    """
    figure = _level_curves(levels, systems, references, 1.0, (x_label, y_label), title)
    [axes] = figure.axes
    if log_y:
        axes.set_yscale("log", nonpositive="mask")
    else:
        axes.set_ylim(bottom=0)
    return figure


def _level_curves(
    levels: Sequence[float],
    systems: Mapping[str, Sequence[Runs]],
    references: Mapping[str, float] | None,
    scale: float,
    labels: tuple[str, str],
    title: str,
) -> Figure:
    if not any(len(values) for runs in systems.values() for values in runs):
        raise InputError("nothing to draw: no system has a run at any level.")
    for name, runs in systems.items():
        if len(runs) != len(levels):
            raise InputError(
                f"{name}: {len(runs)} groups of runs for {len(levels)} levels: give one per level."
            )
    figure = new_chart(6.4, 4.4, title)
    axes = figure.subplots()
    style_axes(axes, x_label=labels[0], y_label=labels[1])
    for (name, runs), (colour, marker) in zip(systems.items(), itertools.cycle(MARKS), strict=False):
        draw_curve(axes, levels, runs, scale, (name, colour, marker))
    for (name, value), style in zip((references or {}).items(), itertools.cycle(_ACROSS), strict=False):
        axes.axhline(scale * value, color=GREY, linestyle=style, linewidth=1.2, label=name, zorder=1)
    add_legend(figure)
    return figure
