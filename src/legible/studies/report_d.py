"""Report D: Assignment No. 3, image classification in four stages. Rows D1 to D5."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from legible.report import figures
from legible.studies.plan import STUDIES, Line, Run, Study, over_seeds
from legible.studies.results import Results
from legible.training.settings import Settings

AS_PUBLISHED = Run(
    model="cnn-one-conv",
    settings=Settings(n_epochs=10, batch_size=32, optimiser="sgd:momentum=0.9", learning_rate=0.01, schedule="constant"),
    watch="test",
)  # fmt: skip


@STUDIES.register("d", rows="D1-D5")
def study_report_d() -> Study:
    """Report D: one convolution, step by step."""
    lines = (
        Line("D1", "conv 32@3x3 - pool - dense 100, SGD 0.01 momentum 0.9, 10 epochs, batch 32",
             "98.55 %", over_seeds(AS_PUBLISHED, 3), 98.55),
    )  # fmt: skip
    return Study("Report D: image classification in four stages", lines, draw_report_d)


def draw_report_d(results: Results) -> dict[str, Any]:
    """D3: the first training digits, test digits with predictions, curves of training and test."""
    return {}
