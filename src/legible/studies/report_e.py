"""Report E: DIT406 Assignment 7 (C. Smith, E. Zivcic, Chalmers). Rows E1 to E8.

Factors and variants are compared on the held-out validation images; the test accuracy is given beside them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from legible.data import load_dataset
from legible.images import from_array, to_channels, to_labels, to_one_hot
from legible.report import figures
from legible.runs.run import Run, over_seeds
from legible.studies.report_e_denoising import denoising_lines, draw_denoising
from legible.studies.report_e_drawing import draw_drawing, drawing_lines
from legible.studies.results import Results
from legible.studies.study import STUDIES, Line, Study
from legible.training.settings import Settings

CONNECTED = Run(model="mlp", settings=Settings(n_epochs=10, schedule="constant"), watch="validation")
HINTON = Run(model="mlp:500-300", settings=Settings(n_epochs=10, schedule="one-cycle"), watch="validation")
OURS = replace(
    HINTON,
    settings=replace(HINTON.settings, learning_rate=0.002, label_smoothing=0.1, augment=("shift:1",)),
    watch="nothing",
)
L2_FACTORS = (0.0, 1e-5, 3e-5, 1e-4)
HINTON_PERCENT = 100 - 1.53  # the error in LeCun's list of MNIST results
SWEPT = Run(model="cnn-dropout", settings=Settings(n_epochs=2), watch="validation")
BASE = {"filters": 32, "dense": 64, "dropout": 0.5}
BEST = {"filters": 128, "dense": 128, "dropout": 0.5}  # of each sweep, on held-out images
FINAL_EPOCHS = 5  # the report doesn't say
PARTS = {
    "E1": "E1 to E4: nets that read, and sweeps over their settings",
    "E5": "E5 to E7: noise taken off, and reading after it",
    "E8 dynamic": "E8: new digits",
}
AXES = {"filters": (32, 64, 128), "dense": (0, 32, 64, 128), "dropout": (0.5, 0.65, 0.8)}


def regularise(factor: float) -> Run:
    """The net of the sweep with one L2 factor."""
    return replace(HINTON, settings=replace(HINTON.settings, l2=factor))


def vary(axis: str, value: float) -> Run:
    """The net of the sweeps with one thing changed."""
    settings = {**BASE, axis: value}
    return replace(SWEPT, model="cnn-dropout:" + ",".join(f"{k}={v}" for k, v in settings.items()))


def finish() -> Run:
    """The net that the sweeps recommend, trained for longer and on the held-out images too."""
    settings = replace(SWEPT.settings, n_epochs=FINAL_EPOCHS)
    model = "cnn-dropout:" + ",".join(f"{k}={v}" for k, v in BEST.items())
    return replace(SWEPT, model=model, settings=settings, watch="nothing")


@STUDIES.register("e", rows="E1-E8")
def study_report_e() -> Study:
    """Report E: nets that read, sweeps over their settings, denoising, and drawing new digits."""
    lines = [
        Line("E1", "channels first and last; float32; one-hot", "works", prove=prove_layouts),
        *connected_lines(),
        *sweep_lines(),
        *denoising_lines(),
        *drawing_lines(),
    ]
    return Study("Report E: DIT406 Assignment 7", tuple(lines), draw_report_e, PARTS)


def connected_lines() -> list[Line]:
    """E2 and E3: fully connected nets, with L2 and without."""
    return [
        Line(
            "E2",
            "784-64-64-10, ReLU, softmax (55,050 parameters), 10 epochs",
            "figure",
            over_seeds(CONNECTED, 5),
        ),
        *(
            Line(
                f"E3 {factor:g}",
                f"784-500-300-10, L2 factor {factor:g}, 10 epochs",
                "98.3 to 98.6 % at one factor",
                over_seeds(regularise(factor), 5),
            )
            for factor in L2_FACTORS
        ),
        Line(
            "E3 ours",
            "the same net, 10 epochs: label smoothing and shifts of one pixel instead of L2",
            "98.3 to 98.6 % at one factor",
            over_seeds(OURS, 5),
            0.986,
        ),
    ]


def sweep_lines() -> list[Line]:
    """E4: one setting of a convolutional net at a time, and the best of each."""
    return [
        *(
            Line(
                f"E4 {axis} {value:g}",
                f"conv - pool - dropout - conv - dense: {axis} {value:g}, 2 epochs",
                "no clear difference",
                over_seeds(vary(axis, value), 2),
                quick_epochs=1,
            )
            for axis, values in AXES.items()
            for value in values
        ),
        Line(
            "E4 final",
            f"the best of each sweep: 128 filters, dense 128, dropout 0.5; {FINAL_EPOCHS} epochs",
            "98.89 %",
            over_seeds(finish(), 1),
            0.9889,
            note="the report does not say which net its final one was, nor how many epochs it had.",
            quick_epochs=1,
        ),
    ]


def prove_layouts() -> str:
    """E1: the same digits as channels-first and channels-last arrays, labels as integers and one-hot."""
    test = load_dataset("digits-embedded").test
    last = to_channels(test.images, "channels-last")
    back, _ = from_array(last, layout="channels-last", polarity="light-on-dark")
    one_hot = to_one_hot(test.labels, len(test.classes))
    same = np.array_equal(back, test.images) and np.array_equal(to_labels(one_hot), test.labels)
    report = "the same" if same else "DIFFER"
    return f"{test.images.shape} and {last.shape} {back.dtype}, labels {one_hot.shape}: {report}"


def draw_report_e(study: Study, results: Results) -> dict[str, Figure]:
    """E2's curves, E3's sweep with error bars, E4's sweeps."""
    drawn: dict[str, Figure] = {}
    # published figures are drawn only beside results on the same images
    is_published_data = study.line("E2").runs[0].dataset == CONNECTED.dataset
    if records := results.histories(study.line("E2")):
        drawn["E2-curves"] = figures.curves(records, title="E2: training and held-out images")
    swept = {factor: results.values(study.line(f"E3 {factor:g}")) for factor in L2_FACTORS}
    if done := {factor: percents for factor, percents in swept.items() if percents}:
        drawn["E3-regularisation"] = figures.sweep(
            list(done),
            list(done.values()),
            x_label="L2 factor",
            log_x=True,
            references={"Hinton's net, 98.47 %": HINTON_PERCENT / 100} if is_published_data else {},
            title="E3: L2 regularisation of 784-500-300-10",
        )
    groups = {
        axis: {f"{value:g}": results.values(study.line(f"E4 {axis} {value:g}")) for value in values}
        for axis, values in AXES.items()
    }
    if done_groups := {
        axis: {k: v for k, v in group.items() if v} for axis, group in groups.items() if any(group.values())
    }:
        drawn["E4-sweeps"] = figures.grouped_dots(
            done_groups,
            title="E4: one thing changed at a time",
            references={"published, 98.89 %": 0.9889} if is_published_data else {},
        )
    return drawn | draw_denoising(study, results) | draw_drawing(study, results)
