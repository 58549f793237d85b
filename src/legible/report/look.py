"""The common style of all figures: white background, few colours, one set of font sizes.

Figures are made without pyplot, so that there is no global state and threads don't interfere.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle

from legible.output import check_free, new_file

# Okabe and Ito, "Color Universal Design", 2008: distinguishable for colour-blind readers
BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
PURPLE, SKY = "#CC79A7", "#56B4E9"
INK, GREY, PALE = "#222222", "#767676", "#D9D9D9"
RIGHT, WRONG = BLUE, VERMILLION
MARKS = ((BLUE, "o"), (VERMILLION, "s"), (GREEN, "^"), (ORANGE, "D"), (PURPLE, "v"), (SKY, "P"))

SMALL_PT, NORMAL_PT, TITLE_PT = 8, 9.5, 11.5
WITH_BAR: dict[str, Any] = {
    "color": BLUE, "linestyle": "", "marker": "o", "markersize": 4.5, "elinewidth": 1.2, "capsize": 3
}  # fmt: skip
HOLLOW: dict[str, Any] = {
    "color": GREY, "linestyle": "", "marker": "o", "markersize": 4, "markerfacecolor": "none",
    "markeredgewidth": 0.8,
}  # fmt: skip

DPI = 120
MARGIN_IN = 0.15
LETTER_IN = 0.068  # average width of a letter in SMALL_PT
_MARK_IN = 0.6  # width of a mark in a legend, with the space around it
_TITLE_LINE_IN = 0.22
_CHARACTERS_PER_IN = 11.5  # in TITLE_PT


def new_chart(width_in: float, height_in: float, title: str) -> Figure:
    """Create a figure with automatic layout and a title."""
    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08, wspace=0.04)  # in inches; wspace: share of width
    figure = Figure((width_in, height_in), dpi=DPI, layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    figure.suptitle(_fold(title, width_in), fontsize=TITLE_PT, color=INK)
    return figure


def style_axes(axes: Axes, *, x_label: str = "", y_label: str = "", grid: bool = True) -> None:
    """Label axes and apply the common style: two spines, pale horizontal grid lines."""
    axes.set_facecolor("white")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(labelsize=SMALL_PT, color=GREY, labelcolor=INK)
    axes.set_xlabel(x_label, fontsize=NORMAL_PT, color=INK)
    axes.set_ylabel(y_label, fontsize=NORMAL_PT, color=INK)
    if grid:
        axes.grid(axis="y", color=PALE, linewidth=0.6)
        axes.set_axisbelow(True)


def add_legend(figure: Figure) -> None:
    """Add one legend for the lines and marks of all axes, below them."""
    marks = {
        label: mark
        for axes in figure.axes
        for mark, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    in_one_row_in = sum(_MARK_IN + LETTER_IN * len(label) for label in marks)
    figure.legend(
        list(marks.values()),
        list(marks),
        loc="outside lower center",
        ncols=len(marks) if in_one_row_in < figure.get_figwidth() else 2,
        fontsize=SMALL_PT,
        labelcolor=INK,
        frameon=False,
        borderaxespad=0.6,
        borderpad=0,
    )


def break_axis(axes: Axes, x: float) -> None:
    """Mark the x axis as broken at x."""
    where = axes.get_xaxis_transform()
    paper = {"color": "white", "pad": 0.3}
    axes.text(
        x, 0, "//", transform=where, ha="center", va="center", color=GREY, fontsize=NORMAL_PT, bbox=paper
    )


def new_sheet(width_in: float, height_in: float, title: str) -> tuple[Figure, Axes]:
    """Create a sheet to paste pictures on: (0, 0) is below the title at the left margin, units are inches.

    width_in, height_in: of the area for pictures; margins and title are added.
    """
    lines = _fold(title, width_in)
    head_in = MARGIN_IN + (_TITLE_LINE_IN * (lines.count("\n") + 1) + 0.08 if title else 0)
    full_in = (width_in + 2 * MARGIN_IN, height_in + head_in + MARGIN_IN)
    figure = Figure(full_in, dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_autoscale_on(False)
    axes.set_xlim(-MARGIN_IN, full_in[0] - MARGIN_IN)
    axes.set_ylim(full_in[1] - head_in, -head_in)
    write(axes, lines, width_in / 2, MARGIN_IN - head_in, size_pt=TITLE_PT)
    return figure, axes


def paste(
    axes: Axes, image: np.ndarray, left_in: float, top_in: float, *, width_in: float, frame: str = PALE
) -> None:
    """Paste one image (C, H, W), 1 = ink, on a sheet: dark ink on white paper."""
    height_in = width_in * image.shape[1] / image.shape[2]
    axes.imshow(
        to_paper(image),
        cmap="gray",
        vmin=0,
        vmax=1,
        interpolation="nearest",
        aspect="auto",
        extent=(left_in, left_in + width_in, top_in + height_in, top_in),
    )
    thickness = 0.6 if frame == PALE else 1.8
    axes.add_patch(
        Rectangle((left_in, top_in), width_in, height_in, fill=False, edgecolor=frame, linewidth=thickness)
    )


def write(
    axes: Axes,
    text: str,
    x_in: float,
    top_in: float,
    *,
    colour: str = INK,
    size_pt: float = SMALL_PT,
    align: Literal["left", "center", "right"] = "center",
) -> None:
    """Write text on a sheet below `top_in`, literally (without mathtext)."""
    axes.text(
        x_in,
        top_in,
        text,
        ha=align,
        va="top",
        color=colour,
        fontsize=size_pt,
        linespacing=1.25,
        parse_math=False,
    )


def to_paper(image: np.ndarray) -> np.ndarray:
    """Convert one image (C, H, W), 1 = ink, for matplotlib: (H, W) or (H, W, 3), 1 = white."""
    paper = 1 - np.moveaxis(image, 0, -1)
    return paper[..., 0] if paper.shape[-1] == 1 else paper


def save_figures(figures: Mapping[str, Figure], folder: Path | str, *, overwrite: bool = False) -> list[Path]:
    """Save several figures as `folder`/NAME.png; return the paths.

    Raises OutputError before writing any if one of the files exists (unless overwrite).
    """
    paths = {name: Path(folder) / f"{name}.png" for name in figures}
    for path in paths.values():
        check_free(path, overwrite=overwrite)
    return [save_figure(figure, paths[name], overwrite=overwrite) for name, figure in figures.items()]


def save_figure(figure: Figure, path: Path | str, *, overwrite: bool = False) -> Path:
    """Save a figure as PNG, completely or not at all; equal figures give equal files.

    Raises OutputError if the file exists (unless overwrite) or cannot be written.
    """
    path = Path(path)
    with new_file(path, overwrite=overwrite) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})
    return path


def _fold(title: str, width_in: float) -> str:
    """Break a title into the fewest lines that fit, of similar lengths."""
    widest = max(20, int(width_in * _CHARACTERS_PER_IN))
    n_lines = len(textwrap.wrap(title, widest))
    widths = (w for w in range(1, widest + 1) if len(textwrap.wrap(title, w)) <= n_lines)
    return textwrap.fill(title, next(widths, widest))
