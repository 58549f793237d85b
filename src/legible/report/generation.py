"""Figures of generated digits, and of a generator's latent space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from legible.errors import InputError
from legible.evaluation.evaluation_set import EvaluationSet
from legible.evaluation.generation import Generate
from legible.evaluation.generation_metrics import nearest_neighbours
from legible.report.charts import curves
from legible.report.look import (
    DPI,
    INK,
    LETTER_IN,
    NORMAL_PT,
    PALE,
    TITLE_PT,
    new_chart,
    new_sheet,
    paste,
    style_axes,
    write,
)
from legible.report.pictures import LINE_IN, MOST_WIDTH_IN, check_counts, class_names
from legible.report.rows import Row, draw_rows, in_blocks
from legible.seeds import rng_for

_RANKS = ("nearest", "2nd", "3rd")
_TILE_IN = 56 / DPI  # of a latent map: two dots for each of 28 pixels


def draw_report(
    generate: Generate,
    shown: EvaluationSet,
    training: np.ndarray,
    history: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Figure]:
    """The figures of a generator: ten images of each class, the nearest training images, the curves.

    training: (N, C, H, W), its training images. history: the training's records; may be empty.
    """
    requested = np.repeat(np.arange(len(shown.seen.classes)), 10)
    images = generate(requested, rng_for("shown drawings"))
    nearest, distances = nearest_neighbours(images[::10], training)
    figures = {
        "generated": samples_grid(images, requested, classes=shown.seen.classes),
        "nearest": nearest_digits(images[::10], training[nearest][:, None], distances[:, None]),
    }
    return figures | ({"curves": curves(history)} if history else {})


def samples_grid(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    classes: Sequence[str] | None = None,
    columns: int = 10,
    title: str = "Generated digits by class",
) -> Figure:
    """Show generated digits in rows by their requested class, with its name on the left.

    images: (N, C, H, W); labels: (N,) integers; classes: names, by default the numbers. A class with more
    than `columns` images continues in the next row. Raises InputError if the counts differ.
    """
    check_counts(images, labels=labels)
    names = class_names(classes, int(labels.max()) + 1)
    rows = []
    for label in np.unique(labels):
        of_class = images[labels == label]
        for start in range(0, len(of_class), columns):
            rows.append(Row("" if start else names[label], of_class[start : start + columns]))
    return draw_rows([rows], title=title)


def latent_walk(walks: Mapping[str, np.ndarray], *, title: str = "From one digit to another") -> Figure:
    """Show walks through a generator's latent space, a row each, with frames around the ends.

    walks: name, such as "3 to 8" -> (N, C, H, W), the digits along the way.
    Raises InputError without walks, or if their sizes differ.
    """
    rows = [Row(name, images, marked=(0, len(images) - 1)) for name, images in walks.items()]
    return draw_rows([rows], title=title)


def nearest_digits(
    generated: np.ndarray,
    neighbours: np.ndarray,
    distances: np.ndarray,
    *,
    columns: int = 10,
    title: str = "Generated digits above the nearest training digits",
) -> Figure:
    """Show each generated digit, framed, above its nearest training digits, with their distances.

    generated: (N, C, H, W); neighbours: (N, K, C, H, W), nearest first; distances: (N, K), whose metric the
    title should name. columns: the largest number; more digits start a new block. Raises InputError if the
    counts differ.
    """
    check_counts(generated, neighbours=neighbours, distances=distances)
    n_near = neighbours.shape[1]
    ranks = [*_RANKS, *(f"{k}th" for k in range(4, n_near + 1))][:n_near]
    blocks = []
    for part in in_blocks(len(generated), columns):
        top = Row("generated", generated[part], marked=range(columns))
        near = [
            Row(rank, neighbours[part, k], [f"{d:#.3g}".rstrip(".") for d in distances[part, k]], "distance")
            for k, rank in enumerate(ranks)
        ]
        blocks.append([top, *near])
    return draw_rows(blocks, title=title)


def latent_map(
    images: np.ndarray,
    xs: Sequence[float],
    ys: Sequence[float],
    *,
    x_label: str = "z₁",
    y_label: str = "z₂",
    title: str = "Digits decoded from points of the latent plane",
) -> Figure:
    """Show the digits decoded from a grid of points in a plane, as a map: x to the right, y upwards.

    images: (len(ys) * len(xs), C, H, W); the one at xs[j] and ys[i] has the index i * len(xs) + j.
    xs, ys: ascending. Raises InputError if the counts differ.
    """
    if len(images) != len(xs) * len(ys) or len(images) == 0:
        raise InputError(
            f"a map of {len(ys)} rows and {len(xs)} columns needs {len(ys) * len(xs)} images, "
            f"not {len(images)}."
        )
    n_channels, height, width = images.shape[1:]
    tiles = images.reshape(len(ys), len(xs), n_channels, height, width)[::-1]  # the highest y comes first
    mosaic = tiles.transpose(2, 0, 3, 1, 4).reshape(n_channels, len(ys) * height, len(xs) * width)
    cell_in = min(_TILE_IN, MOST_WIDTH_IN / len(xs))
    left_in, foot_in = 0.5 + 1.2 * LETTER_IN * len(y_label), 0.4
    map_in = (cell_in * len(xs), cell_in * len(ys) * height / width)
    figure, axes = new_sheet(left_in + map_in[0], map_in[1] + foot_in, title)
    paste(axes, mosaic, left_in, 0, width_in=map_in[0])
    _name_columns(axes, xs, left_in, map_in, x_label)
    _name_rows(axes, ys, left_in, map_in, y_label)
    return figure


def _name_columns(
    axes: Axes, xs: Sequence[float], left_in: float, map_in: tuple[float, float], label: str
) -> None:
    """Label the xs below a map, as many as fit."""
    cell_in = map_in[0] / len(xs)
    every = int(np.ceil(6 * LETTER_IN / cell_in))
    for j in range(0, len(xs), every):
        write(axes, _coordinate(xs[j]), left_in + (j + 0.5) * cell_in, map_in[1] + 0.04)
    write(axes, label, left_in + map_in[0] / 2, map_in[1] + 0.04 + LINE_IN, size_pt=NORMAL_PT)


def _name_rows(
    axes: Axes, ys: Sequence[float], left_in: float, map_in: tuple[float, float], label: str
) -> None:
    """Label the ys to the left of a map, the lowest at the bottom, as many as fit."""
    cell_in = map_in[1] / len(ys)
    every = int(np.ceil(1.3 * LINE_IN / cell_in))
    for i in range(0, len(ys), every):
        middle_in = map_in[1] - (i + 0.5) * cell_in
        write(axes, _coordinate(ys[i]), left_in - 0.06, middle_in - 0.06, align="right")
    write(axes, label, 0, map_in[1] / 2 - 0.08, size_pt=NORMAL_PT, align="left")


def _coordinate(value: float) -> str:
    return f"{value:.1f}".replace("-0.0", "0.0").replace("-", "−")


def latent_scatter(
    points: np.ndarray,
    labels: np.ndarray,
    *,
    classes: Sequence[str] | None = None,
    x_label: str = "z₁",
    y_label: str = "z₂",
    title: str = "Digits in the latent plane",
) -> Figure:
    """Draw images as points in a plane, coloured by class, with the class's name at its median.

    points: (N, 2); labels: (N,) integers. Raises InputError for other shapes.
    """
    if points.ndim != 2 or points.shape[1] != 2:
        raise InputError(f"points in a plane must be (N, 2), got shape {points.shape}.")
    check_counts(points, labels=labels)
    names = class_names(classes, int(labels.max()) + 1)
    figure = new_chart(6.2, 6.2, title)
    axes = figure.subplots()
    style_axes(axes, x_label=x_label, y_label=y_label, grid=False)
    axes.set_aspect("equal", adjustable="datalim")
    size = float(np.clip(20_000 / len(points), 2, 16))
    colours = colormaps["tab10"](labels % 10)
    # in one call, in the given order: drawn class by class, the last class would hide the others
    axes.scatter(points[:, 0], points[:, 1], s=size, c=colours, linewidths=0, alpha=0.6)
    for label in np.unique(labels):
        x, y = np.median(points[labels == label], axis=0)
        axes.text(
            x, y, names[label], ha="center", va="center", color=INK, weight="bold", parse_math=False,
            fontsize=TITLE_PT if len(names[label]) < 3 else NORMAL_PT,
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )  # fmt: skip
    axes.axhline(0, color=PALE, linewidth=0.8, zorder=0)
    axes.axvline(0, color=PALE, linewidth=0.8, zorder=0)
    return figure
