"""Figures of trainings: learning curves, sweeps over one setting, variants side by side.

Runs are dots, with the mean and standard deviation of several runs. Accuracies are given as fractions.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

from legible.errors import InputError
from legible.evaluation.metrics import Spread, mean_and_spread
from legible.report.look import (
    BLUE,
    GREEN,
    GREY,
    HOLLOW,
    INK,
    ORANGE,
    SMALL_PT,
    VERMILLION,
    WITH_BAR,
    add_legend,
    break_axis,
    new_chart,
    style_axes,
)

Runs = Sequence[float]
_WIDE = 50.0  # largest / smallest value above which the scale is logarithmic
_MEASURES = {"accuracy": ("accuracy (%)", 100.0), "mse": ("MSE", 1.0), "loss": ("loss", 1.0)}
_MANY_MARKS = 30  # more would overlap
_PANELS_PER_ROW = 5


def curves(
    records: Sequence[Mapping[str, Any]],
    *,
    watched: str = "held out",
    title: str = "Training, epoch by epoch",
) -> Figure:
    """Draw accuracy or MSE and loss per epoch, for the training images and for held-out ones.

    records: one mapping per epoch with "epoch" (from 1) and any of train_accuracy, watch_accuracy
    (fractions), train_mse, watch_mse, train_loss, watch_loss (nats). Several records of one epoch are several
    runs: their mean is drawn, with a band of one standard deviation. Values that are missing, None or not
    finite are left out, and the line is broken there. watched: label of the held-out images.
    The scale is logarithmic if values differ widely. Raises InputError if there is nothing to draw.
    """
    found = [m for m in _MEASURES if any(_values_of(records, f"{s}_{m}") for s in ("train", "watch"))]
    if not found:
        raise InputError("no curve to draw: no record has an accuracy or a loss.")
    epochs = [int(record["epoch"]) for record in records]
    figure = new_chart(4.0 * len(found), 3.4, title)
    for axes, measure in zip(figure.subplots(1, len(found), squeeze=False)[0], found, strict=True):
        y_label, _ = _MEASURES[measure]
        style_axes(axes, x_label="epoch", y_label=y_label)
        drawn = _draw_epochs(axes, records, measure, watched)
        _set_scale(axes, drawn, _WIDE)
        axes.set_xlim(min(epochs) - 0.5, max(epochs) + 0.5)
    add_legend(figure)
    return figure


@dataclass(frozen=True)
class Panel:
    """A panel of a sheet of curves: the name of a training, its records (see `curves`), and a measure.

    measure: "accuracy", "mse" or "loss". published: a value to compare with, in the unit of the records.
    """

    name: str
    records: Sequence[Mapping[str, Any]]
    measure: str
    published: float | None = None


def curve_sheet(
    panels: Sequence[Panel], *, watched: str = "held out", title: str = "Trainings side by side"
) -> Figure:
    """Draw many trainings on one sheet, a small panel each, with published values as horizontal lines.

    watched: label of the held-out images. A panel's scale is logarithmic if its values differ widely.
    Raises InputError if there is nothing to draw.
    """
    if not panels:
        raise InputError("no curve to draw: give at least one training.")
    n_columns = min(_PANELS_PER_ROW, len(panels))
    n_rows = math.ceil(len(panels) / n_columns)
    figure = new_chart(max(4.0, 2.1 * n_columns), 1.0 + 1.6 * n_rows, title)
    grid = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    for number, (axes, panel) in enumerate(zip(grid, panels, strict=False)):
        style_axes(axes, x_label="epoch" if number >= len(panels) - n_columns else "")
        axes.set_title(panel.name, loc="left", fontsize=SMALL_PT, color=INK, parse_math=False)
        drawn = _draw_epochs(axes, panel.records, panel.measure, watched, marks=False)
        if not drawn:
            raise InputError(f"{panel.name}: no curve to draw: no record has {panel.measure!r}.")
        if panel.published is not None:
            scale = _MEASURES[panel.measure][1]
            axes.axhline(
                scale * panel.published, color=VERMILLION, linestyle="--", linewidth=1, label="published"
            )
            drawn.append(panel.published)
        _set_scale(axes, drawn, _WIDE / 5)  # small panels have less room
    add_legend(figure)
    return figure


def _draw_epochs(
    axes: Axes, records: Sequence[Mapping[str, Any]], measure: str, watched: str, *, marks: bool = True
) -> list[float]:
    """Draw a measure over the epochs, for training and held-out images; return all values drawn."""
    drawn: list[float] = []
    for key, name, colour, mark in (("train", "training", GREY, "s"), ("watch", watched, BLUE, "o")):
        if values := _values_of(records, f"{key}_{measure}"):
            shown = range(min(values), max(values) + 1)
            runs, style = [values.get(epoch, []) for epoch in shown], (name, colour, mark if marks else "")
            draw_curve(axes, shown, runs, _MEASURES[measure][1], style)
            drawn += [value for of_epoch in values.values() for value in of_epoch]
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    return drawn


def _set_scale(axes: Axes, drawn: Sequence[float], wide: float) -> None:
    """Make the scale logarithmic if the largest value is more than `wide` times the smallest."""
    if min(drawn) > 0 and max(drawn) > wide * min(drawn):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_locator(NullLocator())


def _values_of(records: Sequence[Mapping[str, Any]], key: str) -> dict[int, list[float]]:
    """The finite values of one key by epoch."""
    values: dict[int, list[float]] = {}
    for record in records:
        value = record.get(key)
        if value is not None and math.isfinite(value):
            values.setdefault(int(record["epoch"]), []).append(float(value))
    return values


def draw_curve(
    axes: Axes, xs: Sequence[float], runs: Sequence[Runs], scale: float, style: tuple[str, str, str]
) -> None:
    """Draw the mean over runs as a line with marks, with a band of one standard deviation.

    runs: for each x the values of its runs; the line is broken at an x without runs. scale: factor of the
    values. style: label, colour and marker.
    """
    name, colour, marker = style
    missing = Spread(math.nan, math.nan, 0)
    spreads = [mean_and_spread(values) if len(values) else missing for values in runs]
    mean = scale * np.array([s.mean for s in spreads])
    std = scale * np.array([s.std or 0.0 for s in spreads])
    marker = marker if len(xs) <= _MANY_MARKS else ""
    axes.plot(xs, mean, color=colour, marker=marker, markersize=3.5, linewidth=1.4, label=name)
    if max(s.n for s in spreads) > 1:
        axes.fill_between(xs, mean - std, mean + std, color=colour, alpha=0.2, linewidth=0)


def sweep(
    xs: Sequence[float],
    runs: Sequence[Runs],
    *,
    x_label: str,
    log_x: bool = False,
    references: Mapping[str, float] | None = None,
    y_label: str = "test accuracy (%)",
    title: str = "Accuracy against one setting",
) -> Figure:
    """Draw the accuracy against one setting: every run as a dot, their mean and standard deviation.

    xs: the setting's values, ascending. runs: for each x the accuracies of its runs. references: name ->
    accuracy of published results, as horizontal lines. With log_x, x = 0 is drawn separately on the left.
    Raises InputError if the counts differ or there is nothing to draw.
    """
    _check_runs(runs, "the sweep")
    if len(xs) != len(runs):
        raise InputError(f"{len(runs)} groups of runs for {len(xs)} values of x: give one per value.")
    figure = new_chart(6.0, 4.0, title)
    axes = figure.subplots()
    style_axes(axes, x_label=x_label, y_label=y_label)
    places = _place_on_log_axis(axes, xs) if log_x else np.asarray(xs, float)
    joined = np.array([x > 0 or not log_x for x in xs])
    means = 100 * np.array([mean_and_spread(values).mean for values in runs])
    axes.plot(places[joined], means[joined], color=BLUE, linewidth=1.1)
    _draw_runs(axes, places, runs, apart=0)
    _draw_references(axes, references)
    add_legend(figure)
    return figure


def _place_on_log_axis(axes: Axes, xs: Sequence[float]) -> np.ndarray:
    """Make the x axis logarithmic, with a tick at each x; return the xs' positions, zero on the left."""
    if min(xs) < 0:
        raise InputError(f"a logarithmic axis needs values of 0 or more, got {list(xs)}.")
    positive = sorted({x for x in xs if x > 0}) or [1.0]
    step = (positive[-1] / positive[0]) ** (1 / (len(positive) - 1)) if len(positive) > 1 else 10.0
    places = np.array([x if x > 0 else positive[0] / step**1.4 for x in xs])
    axes.set_xscale("log")
    axes.set_xlim(places.min() / step**0.5, places.max() * step**0.5)
    axes.set_xticks(places, [_short(x) for x in xs])
    axes.xaxis.set_minor_locator(NullLocator())
    if 0 in xs:
        break_axis(axes, positive[0] / step**0.7)
    return places


def _short(x: float) -> str:
    """Format a value for an axis: 0.0001 as 10 to the power of -4."""
    mantissa, _, exponent = f"{x:e}".partition("e")
    if x == 0 or -3 <= int(exponent) <= 3:
        return f"{x:g}"
    factor = "" if float(mantissa) == 1 else rf"{float(mantissa):g}\cdot "
    return f"${factor}10^{{{int(exponent)}}}$"


def grouped_dots(
    groups: Mapping[str, Mapping[str, Runs]],
    *,
    references: Mapping[str, float] | None = None,
    y_label: str = "test accuracy (%)",
    title: str = "Accuracy of variants, one setting changed at a time",
) -> Figure:
    """Draw the accuracies of variants side by side, one panel for each changed setting.

    groups: setting -> its value as text -> accuracies of the runs, for instance
    {"filters": {"32": [0.988, 0.987], "64": [0.989]}}. references: as in `sweep`.
    Raises InputError if there is nothing to draw.
    """
    for name, variants in groups.items():
        _check_runs(list(variants.values()), name)
    widths = [len(variants) for variants in groups.values()]
    if not widths:
        raise InputError("nothing to draw: give at least one setting with its variants.")
    figure = new_chart(max(5.0, 1.0 + 0.65 * sum(widths)), 3.8, title)
    panels = figure.subplots(1, len(groups), squeeze=False, sharey=True, width_ratios=widths)[0]
    for i, (axes, (name, variants)) in enumerate(zip(panels, groups.items(), strict=True)):
        style_axes(axes, x_label=name, y_label="" if i else y_label)
        axes.tick_params(axis="y", left=i == 0)
        _draw_runs(axes, np.arange(len(variants)), list(variants.values()), apart=0.16)
        _draw_references(axes, references)
        axes.set_xticks(range(len(variants)), list(variants), parse_math=False)
        axes.set_xlim(-0.6, len(variants) - 0.4)
    add_legend(figure)
    return figure


def _draw_runs(axes: Axes, places: np.ndarray, runs: Sequence[Runs], *, apart: float) -> None:
    """Draw each run as a dot, and mean and standard deviation of several runs `apart` to the right."""
    dots = [
        (place - apart * (len(values) > 1), 100 * value)
        for place, values in zip(places, runs, strict=True)
        for value in values
    ]
    axes.plot(*zip(*dots, strict=True), label="one run", **HOLLOW)
    spreads = [(place + apart, mean_and_spread(values)) for place, values in zip(places, runs, strict=True)]
    bars = [(place, 100 * s.mean, 100 * s.std) for place, s in spreads if s.std is not None]
    if bars:
        x, mean, std = zip(*bars, strict=True)
        axes.errorbar(x, mean, std, label="mean ± standard deviation", **WITH_BAR)


def _draw_references(axes: Axes, references: Mapping[str, float] | None) -> None:
    styles = itertools.cycle(((VERMILLION, "--"), (GREEN, "-."), (ORANGE, ":")))
    for (name, value), (colour, line) in zip((references or {}).items(), styles, strict=False):
        axes.axhline(100 * value, color=colour, linestyle=line, linewidth=1.2, label=name, zorder=1)


def _check_runs(runs: Sequence[Runs], what: str) -> None:
    if not runs or not all(len(values) for values in runs):
        raise InputError(f"{what}: nothing to draw. Every point needs at least one run.")
