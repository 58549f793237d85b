"""Figures of one judgement: which class was taken for which, how honest the confidence is, or all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from legible.data.split import Labelled
from legible.errors import InputError
from legible.evaluation.measure import Judgement
from legible.evaluation.metrics import ReliabilityBin, binned_calibration_error, wilson_interval
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


def judgement_figures(
    data: Labelled, judgement: Judgement, history: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Figure]:
    """Draw all figures of one judgement, by the name each is saved under.

    data: what was judged. history: the training's records, as `curves` takes them; may be empty.
    """
    figures = {"predictions": sample_images(data.images, judgement)}
    if judgement.worst:
        figures["worst"] = worst_images(data.images, judgement)
    figures["confusion"] = confusion(judgement.confusion, judgement.classes)
    figures["reliability"] = reliability(judgement.reliability)
    if history:
        figures["curves"] = curves(history)
    return figures


def confusion(
    matrix: np.ndarray | Sequence[Sequence[int]],
    classes: Sequence[str],
    *,
    title: str = "Which class was taken for which",
) -> Figure:
    """Draw a confusion matrix with its counts: right answers in blue, wrong ones the deeper orange the more.

    matrix: (K, K) counts, row = true, column = read as. classes: K names.
    Raises InputError where they differ.
    """
    counts = np.asarray(matrix)
    n = len(classes)
    if counts.shape != (n, n):
        raise InputError(f"a confusion matrix of shape {counts.shape} does not go with {n} classes.")
    side_in = min(12.0, 1.6 + 0.42 * n)
    figure = new_chart(side_in, side_in, title)
    axes = figure.subplots()
    style_axes(axes, x_label="read as", y_label="true class", grid=False)
    long_names = max(map(len, classes)) > 3
    slant: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if long_names else {}
    axes.set_xticks(range(n), classes, parse_math=False, **slant)
    axes.set_yticks(range(n), classes, parse_math=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    _draw_cells(axes, counts, cell_pt=72 * (side_in - 1.6) / n)
    return figure


def _draw_cells(axes: Axes, counts: np.ndarray, *, cell_pt: float) -> None:
    """Draw the cells of a confusion matrix, each as high and wide as `cell_pt`, with their counts."""
    axes.imshow(_shade(counts), interpolation="nearest")
    for edge in np.arange(len(counts) + 1) - 0.5:  # white lines between the cells
        axes.axhline(edge, color="white", linewidth=1)
        axes.axvline(edge, color="white", linewidth=1)
    n_letters = len(f"{counts.max():,}")
    size_pt = min(SMALL_PT, 0.9 * cell_pt / (0.64 * n_letters))  # 0.64: a digit's width by its height
    for i, k in zip(*np.nonzero(counts), strict=True):
        colour = "white" if i == k else INK
        axes.text(k, i, f"{counts[i, k]:,}", ha="center", va="center", fontsize=size_pt, color=colour)


def _shade(counts: np.ndarray) -> np.ndarray:
    """Colours (K, K, 3): blue on the diagonal, elsewhere from nearly white to orange with the count."""
    wrong = counts * ~np.eye(len(counts), dtype=bool)
    shades = LinearSegmentedColormap.from_list("wrong", ["#F7F7F7", "#F9D9C2", VERMILLION])
    colours = np.asarray(shades(0.75 * wrong / max(1, wrong.max())))[..., :3]
    colours[np.diag_indices(len(counts))] = to_rgb(BLUE)
    return colours


def reliability(
    bins: Sequence[ReliabilityBin], *, title: str = "How often the answer is right, by how sure the model is"
) -> Figure:
    """Draw accuracy against confidence, with 95 % Wilson intervals, above the number of images.

    On the diagonal the model is right as often as it says. Raises InputError where there are no bins.
    """
    if not bins:
        raise InputError("there is no reliability to draw: no bin holds an image.")
    figure = new_chart(4.6, 5.2, title)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3.4, 1])
    style_axes(upper, y_label="right answers (%)")
    style_axes(lower, x_label="stated probability of the answer (%)", y_label="images")
    upper.plot([0, 100], [0, 100], color=GREY, linestyle="--", linewidth=1, label="perfectly calibrated")
    x, y = (100 * np.array(part) for part in zip(*((b.confidence, b.accuracy) for b in bins), strict=True))
    ends = [wilson_interval(round(b.accuracy * b.n_images), b.n_images) for b in bins]
    low, high = (100 * np.array(part) for part in zip(*ends, strict=True))
    reach = [np.maximum(0, y - low), np.maximum(0, high - y)]  # rounding may leave -1e-15
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
