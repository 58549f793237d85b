"""Report B: Recognising MNIST Handwritten Digits using CNN Models (S. Shanmuhvel). Rows B1 and B2.

50 epochs, batch 128, Adam. B1 gives back clean digits; its column says mean squared error, but the values
are binary cross-entropies (BCE). B2 takes noise off, the report does not say which: here Gaussian, 0.5,
clipped to [0, 1], drawn once. The models' docstrings say where the pools, dropouts and norms are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from legible.cards import find_card
from legible.report import figures
from legible.report.charts import Panel
from legible.runs.run import Run
from legible.studies.report_b_pages import draw_pages, page_lines
from legible.studies.results import Results
from legible.studies.study import STUDIES, Line, Study
from legible.training.settings import Settings

GAUSSIAN = "gaussian:std="  # what the test conditions with Gaussian noise begin with
NOISE = "gaussian:0.5"
CONV, DENSE = "conv-autoencoder:filters=", "dense-autoencoder:widths="
RECONSTRUCT = Run(
    model="conv-autoencoder",
    settings=Settings(n_epochs=50, batch_size=128, schedule="constant"),
    watch="test",
)
DENOISE = replace(RECONSTRUCT, train_noise=(NOISE,), fresh_noise=False, tests=(NOISE,), task="restore:mse")
B1 = (  # row, model, in words, published BCE on training images, and on validation images
    ("B1.1", CONV + "16-8-8-8-8-16,pools=3", "6 conv 16, 8, 8, 8, 8, 16; 3 pools", 0.0910, 0.0901),
    ("B1.2", CONV + "16-16-16-16-16-16", "6 conv 16", 0.0586, 0.0583),
    ("B1.3", CONV + "16-16-16-16-16-16,norms=2", "6 conv 16; 2 norms", 0.0588, 0.0584),
    (
        "B1.4",
        CONV + "-".join(["16"] * 14) + ",pools=1,dropouts=2,norms=6",
        "14 conv 16; 1 pool, 2 dropouts, 6 norms",
        0.0618,
        0.0617,
    ),
    (
        "B1.5",
        DENSE + "784-784-21952-784-784,dropouts=4,norms=4",
        "dense 784, 784, 21952, 784, 784, 784; 4 dropouts, 4 norms",
        1.8511,
        1.8399,
    ),
    (
        "B1.6",
        DENSE + "784-784-784-784-784,dropouts=4,norms=4",
        "6 dense 784; 4 dropouts, 4 norms",
        1.1832,
        1.1326,
    ),
    (
        "B1.7",
        DENSE + "-".join(["784"] * 9) + ",dropouts=8,norms=8",
        "10 dense 784; 8 dropouts, 8 norms",
        1.8631,
        1.8760,
    ),
)
B2 = (  # row, model, task, in words, published loss on training images, and on validation images
    ("B2.1", CONV + "16-8-8-8-8-16,pools=3", "bce", "6 conv 16, 8, 8, 8, 8, 16; 3 pools", 0.0816, 0.0811),
    (
        "B2.2",
        CONV + "-".join(["16"] * 10) + ",pools=1,dropouts=2,norms=6",
        "bce",
        "10 conv 16; 1 pool, 2 dropouts, 6 norms",
        0.1521,
        0.1498,
    ),
    ("B2.3", CONV + "32-32-64-128", "mse", "4 conv 32, 32, 64, 128 (103,073 parameters)", 0.0023, 0.0026),
    ("B2.4", CONV + "16-16-16-16,pools=2,norms=4", "mse", "4 conv 16; 2 pools, 4 norms", 0.0086, 0.00745),
    (
        "B2.5",
        DENSE + "2000-2000,dropouts=2,norms=2",
        "mse",
        "dense 2000, 2000, 784; 2 dropouts, 2 norms",
        0.0756,
        0.1722,
    ),
)
NOT_QUICK = ("B1.5", "B2.3")  # an epoch of B2.3 takes two core minutes and more
NOTES = {
    "B1.4": "until epoch 28 it gets better, to 0.0601; from then on it gets worse in use, while the loss "
    "with dropout goes on falling, to 0.0603: its norms keep the statistics of a net with dropout, which no "
    "longer fit without it (variance shift, Li et al., arXiv:1801.05134). With a rate that falls from 0.003 "
    "it ends at 0.0829.",
    "B2.3": "with Adam at 0.001 it gives white paper from step 15 on, with each of four seeds; at noise 0.1 "
    "it does not. The report's noise was weaker, see B2 noise.",
}
MEASURES = {"bce": "bce_nats", "mse": "mse"}
_CURVE_OF = {"bce_nats": "loss", "mse": "mse"}  # how the epochs' records call it
CURVES = {  # the sheets of curves, by what their rows have in common
    "B1": "B1: giving digits back, epoch by epoch",
    "B2": "B2: taking noise off digits, epoch by epoch",
    "B3": "B3: cleaning pages, split at random, epoch by epoch",
    "B3 honest": "B3: cleaning pages, TR to VA, epoch by epoch",
}
PARTS = {
    "B1.1": "B1: digits given back",
    "B2.1": "B2: noise taken off digits",
    "B3.1": "B3: pages cleaned, split at random as published",
    "B3.1 honest": "B3: the same nets on a text that they have not seen, TR to VA",
    "B3.26": "B3: beside them, what ships and what learns nothing",
}
# rows with settings of our own, and the system in words
OURS = {
    "B1.1": (
        replace(RECONSTRUCT.settings, learning_rate=0.003, schedule="triangle:warmup=0.02,final=0.02"),
        "the same, but the rate falls, from 0.003; BCE",
    ),
    "B2.3": (
        Settings(
            n_epochs=1, batch_size=128, optimiser="muon", learning_rate=0.03,
            schedule="triangle:warmup=0.1,final=0.02",
        ),
        "the same with Muon, 1 epoch; MSE",
    ),
}  # fmt: skip


@STUDIES.register("b", rows="B1-B3")
def study_report_b() -> Study:
    """Report B: autoencoders that give digits back, clean or freed of noise, and that clean pages."""
    lines = [
        _make_line(row, replace(RECONSTRUCT, model=model), f"{words}; BCE", f"{train:.4f} / {held:.4f}",
                   target=held, measure="bce_nats", note=NOTES.get(row, ""))
        for row, model, words, train, held in B1
    ]  # fmt: skip
    lines += [
        _make_line(row, replace(DENOISE, model=model, task=f"restore:{loss}"), f"{words}; {loss.upper()}",
                   f"{train:.4g} / {held:.4g}", target=held, measure=MEASURES[loss], test=NOISE,
                   note=NOTES.get(row, ""))
        for row, model, loss, words, train, held in B2
    ]  # fmt: skip
    best = min(held for row, _, _, _, _, held in B2)
    lines.append(
        Line("B2 noise", f"the Gaussian noise at which our denoiser's MSE is {best}", "not said",
             prove=lambda: f"{find_noise(best):.2f}",
             note=f"at 0.5 no denoiser comes near {best} (see E5 ours), so the noise of the report's B2 was "
             f"weaker than here. And B2.1 has less than the same net has without noise ({lines[0].target}).")
    )  # fmt: skip
    lines = [each for line in lines for each in (line, *_line_of_ours(line))] + page_lines()
    return Study("Report B: autoencoders on digits and pages", tuple(lines), draw_report_b, PARTS)


def _make_line(row: str, run: Run, system: str, published: str, **more: Any) -> Line:
    return Line(row, system, published, (run,), quick_epochs=int(row not in NOT_QUICK), **more)


def _line_of_ours(line: Line) -> list[Line]:
    """The same system with settings of our own, where there are any."""
    if line.row not in OURS:
        return []
    settings, system = OURS[line.row]
    run = replace(line.runs[0], settings=settings)
    return [replace(line, row=f"{line.row} ours", system=system, runs=(run,), note="")]


def find_noise(mse: float) -> float:
    """The level of Gaussian noise at which the shipped denoiser leaves this MSE on the test images."""
    scores = find_card("digit-denoiser").facts["scores"]
    known = {0.0: 0.0}
    for score in scores:
        if score["noise"].startswith(GAUSSIAN) and score["dataset"] == RECONSTRUCT.dataset:
            known[float(score["noise"].removeprefix(GAUSSIAN))] = score["mse"]
    levels = sorted(known)  # between those it was evaluated at, along a line
    return float(np.interp(mse, [known[level] for level in levels], levels))


def draw_report_b(study: Study, results: Results) -> dict[str, Figure]:
    """B3's pages, and all curves: a sheet for each part of the report."""
    drawn = draw_pages(study, results)
    for part, title in CURVES.items():
        panels = [
            Panel(f"{line.row}, {line.measure[:3].upper()}", records, _CURVE_OF[line.measure], line.target)
            for line in study.lines
            if _part_of(line) == part and len(records := results.histories(line)) > 1
        ]
        if panels:
            drawn[f"{part}-curves"] = figures.curve_sheet(panels, watched="test", title=title)
    return drawn


def _part_of(line: Line) -> str:
    """The sheet of curves that a line belongs to."""
    return line.row[:2] + " honest" * line.row.endswith(" honest")
