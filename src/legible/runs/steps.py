"""What a run does with its model besides training it; a kind of model overrides what is special about it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from legible.data.split import Labelled
from legible.evaluation.evaluation_set import EvaluationReport, EvaluationSet
from legible.evaluation.likelihood import Progress
from legible.images import Predict
from legible.models import as_used
from legible.training.loop import predictor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from legible.runs.execution import Execution

N_AT_ONCE = 1000  # images between two reports of progress


class Steps:
    """The steps of kinds whose models answer images with arrays, and are evaluated by these answers."""

    def predictor(self, execution: Execution) -> Predict:
        """The model as it is used, as trained so far: a function from images to outputs."""
        return predictor(as_used(execution.state.kept, execution.run.kind))

    def evaluate(
        self,
        execution: Execution,
        shown: EvaluationSet,
        progress: Progress | None = None,
        kept: Path | None = None,
    ) -> EvaluationReport:
        """Evaluate the model as trained so far. kept: a file that a long evaluation may go on from."""
        report: EvaluationReport = execution.run.kind.part("evaluator")(self.predictor(execution), shown)
        return report

    def watch(self, execution: Execution, shown: EvaluationSet) -> Mapping[str, Any]:
        """The scores that the curve of the epochs shows."""
        return self.evaluate(execution, shown).scores

    def calibrate(self, execution: Execution) -> None:
        """Calibrate the confidence on the held-out images; does nothing for kinds without confidence."""

    def sample(self, execution: Execution, data: Labelled) -> dict[str, Any]:
        """What a row keeps of the model's outputs on test images."""
        return {}

    def figures(self, execution: Execution, report: EvaluationReport) -> dict[str, Figure]:
        """The figures of a finished run, by the name each is saved under."""
        shown = execution.data.tests[execution.run.tests[0]]
        figures: dict[str, Figure] = execution.run.kind.part("figures")(
            shown, report, self.predictor(execution), execution.history
        )
        return figures

    def card_facts(self, execution: Execution) -> dict[str, Any]:
        """What a card says besides what every card does: of its `input`, and of its classes."""
        return {"classes": list(execution.data.train.classes), "input": {}}


def report_progress(predict: Predict, progress: Progress | None) -> Predict:
    """The same outputs, a thousand images at a time, reporting how far they are."""
    if progress is None:
        return predict

    def answer(images: np.ndarray) -> np.ndarray:
        answers = []
        for at in range(0, len(images), N_AT_ONCE):
            answers.append(predict(images[at : at + N_AT_ONCE]))
            progress(min(at + N_AT_ONCE, len(images)), len(images))
        return np.concatenate(answers)

    return answer


def divide_outputs(model: nn.Module, temperature: float) -> None:
    """Divide what a net gives by a number: in its last layer, if it has no way of its own."""
    if (own := getattr(model, "divide_outputs", None)) is not None:
        own(temperature)
        return
    last = [layer for layer in model.modules() if isinstance(layer, nn.Linear | nn.Conv2d)][-1]
    with torch.no_grad():
        for weights in last.parameters():
            weights.div_(temperature)
