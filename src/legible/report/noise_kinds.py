"""A figure of errors by kind of noise: a line for each system, a mark for each kind."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from matplotlib.figure import Figure

from legible.errors import InputError
from legible.report.look import MARKS, PALE, add_legend, new_chart, style_axes

_LINE_IN = 0.19
ByKind = Mapping[str, float]  # kind -> error


def errors_by_kind(
    panels: Mapping[str, Mapping[str, ByKind]],
    *,
    x_label: str = "RMSE",
    title: str = "Errors by kind of noise",
) -> Figure:
    """Draw the errors of several systems on each kind of noise, on a logarithmic axis.

    panels: name (such as of a split) -> system -> kind -> error above 0. Systems are in the order of their
    first appearance; the line of a system that a panel lacks is empty. Raises InputError if there is nothing
    to draw.
    """
    systems = list(dict.fromkeys(name for panel in panels.values() for name in panel))
    kinds = list(
        dict.fromkeys(kind for panel in panels.values() for errors in panel.values() for kind in errors)
    )
    if not kinds:
        raise InputError("nothing to draw: no system has an error on any kind of noise.")
    figure = new_chart(8.0, 1.5 + _LINE_IN * len(systems), title)
    all_axes = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (name, panel) in zip(all_axes, panels.items(), strict=True):
        style_axes(axes, x_label=f"{x_label}, {name}")
        axes.set_xscale("log")
        axes.grid(axis="x", color=PALE, linewidth=0.6)
        for kind, (colour, marker) in zip(kinds, itertools.cycle(MARKS), strict=False):
            points = [
                (errors[kind], systems.index(system)) for system, errors in panel.items() if kind in errors
            ]
            axes.plot(
                [x for x, _ in points], [y for _, y in points],
                color=colour, marker=marker, markersize=4.5, linestyle="", alpha=0.85, label=kind,
            )  # fmt: skip
    all_axes[0].set_yticks(range(len(systems)), systems)
    all_axes[0].set_ylim(len(systems) - 0.4, -0.6)
    add_legend(figure)
    return figure
