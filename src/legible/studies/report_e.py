"""Report E: DIT406 Assignment 7 (C. Smith, E. Zivcic, Chalmers). Rows E1 to E4."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from legible.report import figures
from legible.studies.plan import STUDIES, Line, Run, Study, over_seeds
from legible.studies.results import Results
from legible.training.settings import Settings

CONNECTED = Run(model="mlp", settings=Settings(n_epochs=10, schedule="constant"), watch="validation")
HINTON = Run(model="mlp:500-300", settings=Settings(n_epochs=10, schedule="one-cycle"), watch="validation")
L2_FACTORS = (0.0, 1e-6, 1e-5, 3e-5, 1e-4, 3e-4)
SWEPT = Run(model="cnn-dropout", settings=Settings(n_epochs=3), watch="validation")
BASE = {"filters": 32, "dense": 64, "dropout": 0.5}
AXES = {"filters": (32, 64, 128), "dense": (0, 32, 64, 128), "dropout": (0.5, 0.65, 0.8)}


def regularise(factor: float) -> Run:
    """The net of the sweep with one L2 factor."""
    return replace(HINTON, settings=replace(HINTON.settings, l2=factor))


def vary(axis: str, value: float) -> Run:
    """The net of the sweeps with one thing changed."""
    settings = {**BASE, axis: value}
    return replace(SWEPT, model="cnn-dropout:" + ",".join(f"{k}={v}" for k, v in settings.items()))


@STUDIES.register("e", rows="E1-E4")
def study_report_e() -> Study:
    """Report E: a fully connected net, its regularisation, and sweeps over a convolutional one."""
    lines = [
        Line("E2", "784-64-64-10, ReLU, softmax (55,050 parameters), 10 epochs", "figure", over_seeds(CONNECTED, 5)),
        *(Line("E3", f"784-500-300-10, L2 factor {factor:g}, 10 epochs", "98.3 to 98.6 %" if factor else "",
               over_seeds(regularise(factor), 5)) for factor in L2_FACTORS),
        *(Line("E4", f"conv {BASE['filters']} - pool - dropout - conv - dense; {axis} {value:g}, 3 epochs", "98.89 % (final)",
               over_seeds(vary(axis, value), 3)) for axis, values in AXES.items() for value in values),
    ]  # fmt: skip
    return Study("Report E: DIT406 Assignment 7", tuple(lines), draw_report_e)


def draw_report_e(results: Results) -> dict[str, Any]:
    """E2's curves, E3's sweep with error bars, E4's sweeps."""
    return {}
