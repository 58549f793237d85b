"""Report C: A CNN for MNIST Handwritten Digit Classification. Rows C1 and C2."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from legible.report import figures
from legible.runs.run import Run, over_seeds
from legible.studies.results import Results
from legible.studies.study import STUDIES, WITH_MUON, Line, Study
from legible.training.settings import Settings

AS_PUBLISHED = Run(
    model="cnn-two-conv", settings=Settings(n_epochs=3, batch_size=32, schedule="constant"), watch="test"
)
OURS = replace(AS_PUBLISHED, watch="nothing", settings=replace(WITH_MUON, n_epochs=3))


@STUDIES.register("c", rows="C1-C2")
def study_report_c() -> Study:
    """Report C: two convolutions, a wide dense layer and dropout."""
    lines = (
        Line(
            "C1",
            "conv 32@5x5 - pool - conv 64@5x5 - pool - dense 1024 - dropout 0.5; Adam, 3 epochs, batch 32",
            "98.98 %",
            over_seeds(AS_PUBLISHED, 3),
            0.9898,
        ),
        Line(
            "C1 ours",
            "the same net, 3 epochs: Muon, label smoothing, shifts of one pixel, batch 128",
            "99.3 % (in the text)",
            over_seeds(OURS, 1),
            0.993,
        ),
        Line(
            "C2", "class and all ten probabilities of the first four test digits", "7, 2, 1, 0; top > 0.9999"
        ),
    )
    return Study("Report C: A CNN for MNIST Handwritten Digit Classification", lines, draw_report_c)


def draw_report_c(study: Study, results: Results) -> dict[str, Figure]:
    """C1's curves, and C2: all ten probabilities of the first four test digits."""
    line = study.line("C1")
    rows = results.rows_of(line)
    if not rows:
        return {}
    samples, test = rows[0]["samples"][line.test], results.splits(line.runs[0].dataset).test
    first = np.array(samples["indices"][:4])
    bars = figures.probability_bars(
        test.images[first],
        np.array(samples["probabilities"][:4]),
        test.labels[first],
        classes=test.classes,
        title="C2: the first four test digits",
    )
    return {
        "C1-curves": figures.curves(results.histories(line), watched="test", title="C1"),
        "C2-probabilities": bars,
    }
