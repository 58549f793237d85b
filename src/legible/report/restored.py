"""Figures of restored images, and of what restoring is worth at each level of noise.

Everywhere: clean (the target), noisy (the input) and restored (the answer) are images float32 in [0, 1].
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, StrMethodFormatter

from legible.errors import InputError
from legible.evaluation.image_metrics import image_mse
from legible.report.charts import Runs, draw_curve
from legible.report.look import GREY, MARKS, add_legend, new_chart, style_axes
from legible.report.pictures import check_counts
from legible.report.rows import Row, draw_rows, in_blocks

_ACROSS = ("--", "-.", ":")
_LINES = (0, 50, 80, 90, 95, 98, 99, 99.5, 99.8, 99.9, 100)  # of a stretched axis, in percent
_FINEST = 0.05  # percent: what is nearer to 100 % stands there too, or it would be infinitely far up


def restored_rows(
    clean: np.ndarray,
    noisy: np.ndarray,
    restored: np.ndarray,
    *,
    columns: int = 10,
    title: str = "Original, noisy and restored",
) -> Figure:
    """Show images in three rows, original, noisy and restored, with the MSE below the two latter.

    All (N, C, H, W). columns: at most; the images beyond begin a new block. Raises InputError where counts
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
    """Show digits at several levels of noise, a column each: original, noisy and denoised with the MSE.

    clean: (N, C, H, W); noisy and restored: (N, L, C, H, W) for L levels. Raises InputError where counts or
    sizes differ.
    """
    check_counts(clean, noisy=noisy, restored=restored)
    n_levels = len(levels)
    blocks = []
    for one, worse, better in zip(clean, noisy, restored, strict=True):
        check_counts(worse, levels=levels, denoised=better)
        blocks.append(_three_rows(np.stack([one] * n_levels), worse, better, "denoised"))
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
    """Write an MSE as short as a cell needs it, and only a true 0 as 0."""
    if error < 0.00005:
        return "<0.0001" if error > 0 else "0"
    return f"{error:.3f}" if error >= 0.0095 else f"{error:.4f}"


def accuracy_curves(
    levels: Sequence[float],
    arms: Mapping[str, Sequence[Runs]],
    *,
    references: Mapping[str, float] | None = None,
    x_label: str = "noise level",
    y_label: str = "test accuracy (%)",
    stretched: bool = False,
    title: str = "Accuracy against noise level",
) -> Figure:
    """Draw the accuracy of several ways of reading against the level of noise.

    levels: ascending. arms: name -> for each level the accuracies (fractions) of its runs; several runs are
    their mean with a band of one standard deviation, and where there is none the line is broken.
    references: name -> accuracy, as lines across. stretched: draw the axis so that 99 and 99.5 % stand as far
    apart as 98 and 99 %; arms that are all good would hide each other otherwise. Raises InputError where the
    counts differ or there is nothing to draw.
    """
    figure = _level_curves(levels, arms, references, 100.0, (x_label, y_label), title)
    if stretched:
        _stretch(figure.axes[0])
    return figure


def _stretch(axes: Axes) -> None:
    """Make the distance from 100 % logarithmic."""

    def squeeze(percent: np.ndarray) -> np.ndarray:
        return np.asarray(-np.log(np.maximum(100 - percent, _FINEST)))

    low, high = axes.dataLim.intervaly
    axes.set_yscale("function", functions=(squeeze, lambda height: 100 - np.exp(-height)))
    axes.yaxis.set_major_locator(FixedLocator(_LINES))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    bottom = max((line for line in _LINES if line < low), default=0)
    axes.set_ylim(bottom, min((line for line in _LINES if line > high), default=100))


def error_curve(
    levels: Sequence[float],
    arms: Mapping[str, Sequence[Runs]],
    *,
    references: Mapping[str, float] | None = None,
    x_label: str = "noise level",
    y_label: str = "MSE",
    log_y: bool = False,
    title: str = "Error against noise level",
) -> Figure:
    """Draw the error of several denoisers, and of baselines that learn nothing, against the level of noise.

    arms: name -> for each level the MSEs of its runs, as in `accuracy_curves`. references: name -> MSE, as
    lines across. With log_y an error of 0 has no place and is left out. Raises InputError as accuracy_curves.
    """
    figure = _level_curves(levels, arms, references, 1.0, (x_label, y_label), title)
    [axes] = figure.axes
    if log_y:
        axes.set_yscale("log", nonpositive="mask")
    else:
        axes.set_ylim(bottom=0)
    return figure


def _level_curves(
    levels: Sequence[float],
    arms: Mapping[str, Sequence[Runs]],
    references: Mapping[str, float] | None,
    scale: float,
    labels: tuple[str, str],
    title: str,
) -> Figure:
    if not any(len(values) for runs in arms.values() for values in runs):
        raise InputError("there is nothing to draw: no arm has a run at any level.")
    for name, runs in arms.items():
        if len(runs) != len(levels):
            raise InputError(f"{name}: {len(runs)} groups of runs do not go with {len(levels)} levels.")
    figure = new_chart(6.4, 4.4, title)
    axes = figure.subplots()
    style_axes(axes, x_label=labels[0], y_label=labels[1])
    for (name, runs), (colour, marker) in zip(arms.items(), itertools.cycle(MARKS), strict=False):
        draw_curve(axes, levels, runs, scale, (name, colour, marker))
    for (name, value), style in zip((references or {}).items(), itertools.cycle(_ACROSS), strict=False):
        axes.axhline(scale * value, color=GREY, linestyle=style, linewidth=1.2, label=name, zorder=1)
    add_legend(figure)
    return figure
