"""Figures of a classifier's report: confusion matrix, reliability diagram, sample predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from legible.errors import InputError
from legible.evaluation.classification import ClassificationReport
from legible.evaluation.evaluation_set import EvaluationSet
from legible.evaluation.metrics import ReliabilityBin, binned_calibration_error, wilson_interval
from legible.images import Predict
from legible.report.charts import curves
from legible.report.look import (
    BLUE,
    GREY,
    INK,
    NORMAL_PT,
    SMALL_PT,
    VERMILLION,
    WITH_BAR,
    add_legend,
    new_chart,
    style_axes,
)
from legible.report.pictures import sample_images, worst_images


def draw_report(
    shown: EvaluationSet,
    report: ClassificationReport,
    predict: Predict | None = None,
    history: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Figure]:
    """The figures of a classifier's report, by file name without ending.

    shown: the evaluated images. predict: not used. history: the training's records; may be empty.
    """
    data = shown.seen
    figures = {"predictions": sample_images(data.images, report)}
    if report.worst:
        figures["worst"] = worst_images(data.images, report)
    figures["confusion"] = confusion(report.confusion, report.classes)
    figures["reliability"] = reliability(report.reliability)
    if history:
        figures["curves"] = curves(history)
    return figures


def confusion(
    matrix: np.ndarray | Sequence[Sequence[int]],
    classes: Sequence[str],
    *,
    title: str = "Confusion matrix",
) -> Figure:
    """Draw a confusion matrix with its counts: correct predictions in blue, wrong ones in shades of orange.

    matrix: (K, K) counts, row = true, column = predicted. classes: K names.
    Raises InputError if their numbers differ.
    """
    counts = np.asarray(matrix)
    n = len(classes)
    if counts.shape != (n, n):
        raise InputError(f"a confusion matrix for {n} classes must be ({n}, {n}), not {counts.shape}.")
    side_in = min(12.0, 1.6 + 0.42 * n)
    figure = new_chart(side_in, side_in, title)
    axes = figure.subplots()
    style_axes(axes, x_label="predicted class", y_label="true class", grid=False)
    long_names = max(map(len, classes)) > 3
    slant: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if long_names else {}
    axes.set_xticks(range(n), classes, parse_math=False, **slant)
    axes.set_yticks(range(n), classes, parse_math=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    _draw_cells(axes, counts, cell_pt=72 * (side_in - 1.6) / n)
    return figure


def _draw_cells(axes: Axes, counts: np.ndarray, *, cell_pt: float) -> None:
    """Draw the cells of a confusion matrix, `cell_pt` high and wide, with their counts."""
    axes.imshow(_shade(counts), interpolation="nearest")
    for edge in np.arange(len(counts) + 1) - 0.5:  # white lines between the cells
        axes.axhline(edge, color="white", linewidth=1)
        axes.axvline(edge, color="white", linewidth=1)
    n_letters = len(f"{counts.max():,}")
    size_pt = min(SMALL_PT, 0.9 * cell_pt / (0.64 * n_letters))  # 0.64: width of a digit / its height
    for i, k in zip(*np.nonzero(counts), strict=True):
        colour = "white" if i == k else INK
        axes.text(k, i, f"{counts[i, k]:,}", ha="center", va="center", fontsize=size_pt, color=colour)


def _shade(counts: np.ndarray) -> np.ndarray:
    """Colours (K, K, 3): blue on the diagonal, elsewhere from nearly white to orange by the count."""
    wrong = counts * ~np.eye(len(counts), dtype=bool)
    shades = LinearSegmentedColormap.from_list("wrong", ["#F7F7F7", "#F9D9C2", VERMILLION])
    colours = np.asarray(shades(0.75 * wrong / max(1, wrong.max())))[..., :3]
    colours[np.diag_indices(len(counts))] = to_rgb(BLUE)
    return colours


def reliability(
    bins: Sequence[ReliabilityBin], *, title: str = "Reliability: accuracy by confidence"
) -> Figure:
    """Draw accuracy against confidence, with 95 % Wilson intervals, above the number of images.

    The diagonal is perfect calibration. Raises InputError without bins.
    """
    if not bins:
        raise InputError("no reliability diagram without bins: evaluate at least one image.")
    figure = new_chart(4.6, 5.2, title)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3.4, 1])
    style_axes(upper, y_label="accuracy (%)")
    style_axes(lower, x_label="confidence (%)", y_label="images")
    upper.plot([0, 100], [0, 100], color=GREY, linestyle="--", linewidth=1, label="perfectly calibrated")
    x, y = (100 * np.array(part) for part in zip(*((b.confidence, b.accuracy) for b in bins), strict=True))
    ends = [wilson_interval(round(b.accuracy * b.n_images), b.n_images) for b in bins]
    low, high = (100 * np.array(part) for part in zip(*ends, strict=True))
    reach = [np.maximum(0, y - low), np.maximum(0, high - y)]  # rounding may give -1e-15
    upper.errorbar(x, y, reach, label="this model, 95 % interval", **WITH_BAR)
    error = 100 * binned_calibration_error(bins)
    upper.text(3, 97, f"calibration error {error:.2f} %", fontsize=NORMAL_PT, color=INK, va="top")
    upper.set(xlim=(-1, 101), ylim=(-2, 102))
    _draw_counts(lower, bins)
    add_legend(figure)
    return figure


def _draw_counts(axes: Axes, bins: Sequence[ReliabilityBin]) -> None:
    left, counts = [100 * b.low for b in bins], [b.n_images for b in bins]
    width = [100 * (b.high - b.low) for b in bins]
    axes.bar(left, counts, width=width, align="edge", color=BLUE, edgecolor="white", linewidth=0.8)
    axes.set_yscale("log")
    axes.set_ylim(0.7, 2 * max(counts))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
