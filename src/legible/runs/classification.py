"""The steps of runs that train classifiers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from legible.data.split import Labelled
from legible.evaluation import classification
from legible.evaluation.calibrate import class_loss, find_limits, fit_temperature
from legible.evaluation.evaluation_set import EvaluationReport, EvaluationSet
from legible.evaluation.likelihood import Progress
from legible.runs.rows import round_figure
from legible.runs.steps import Steps, divide_outputs, report_progress
from legible.seeds import rng_for, seed_for
from legible.softmax import softmax
from legible.training.augment import augment
from legible.training.loop import predictor

if TYPE_CHECKING:
    from legible.runs.execution import Execution

N_FIRST, N_SAMPLES = 4, 24  # test images whose probabilities a row keeps: the first, then some at random


class ClassificationSteps(Steps):
    """A classifier's confidence is calibrated, and rows keep some of its probabilities."""

    def evaluate(
        self,
        execution: Execution,
        shown: EvaluationSet,
        progress: Progress | None = None,
        kept: Path | None = None,
    ) -> EvaluationReport:
        """Evaluate by the labels, reporting how far that is."""
        return classification.evaluate(report_progress(self.predictor(execution), progress), shown)

    def calibrate(self, execution: Execution) -> None:
        """Set the temperature, and find the limits that the card states, on held-out images without noise.

        Half of them set the temperature; the net's last layer is divided by it, so that every program that
        runs the net gets honest probabilities. The other half, augmented as in training, gives the limits:
        handwriting that is not in the data at all differs more than what was held out.
        """
        watch = execution.data.watch
        assert watch is not None
        seen, predict = replace(watch.seen, images=watch.clean), self.predictor(execution)
        temperature = fit_temperature(class_loss(predict(seen.images[::2]), seen.labels[::2]))
        rest, generator = torch.from_numpy(seen.images[1::2]), torch.Generator()
        generator.manual_seed(seed_for("limits", execution.run.seed))
        changed = augment(rest, generator, execution.run.settings.augment).contiguous().numpy()
        limits = find_limits(predict(changed) / temperature, seen.labels[1::2])
        execution.confidence = {"temperature": temperature, **limits}
        divide_outputs(execution.state.kept, temperature)

    def sample(self, execution: Execution, data: Labelled) -> dict[str, Any]:
        """The probabilities of the first four test images and of twenty at random."""
        n_random = min(N_SAMPLES, len(data)) - N_FIRST
        rng = rng_for("samples", execution.run.dataset)
        chosen = N_FIRST + rng.permutation(len(data) - N_FIRST)[:n_random]
        indices = [*range(N_FIRST), *chosen.tolist()]
        logits = predictor(execution.state.kept)(data.images[indices]).astype(np.float64)
        probabilities = [[round_figure(p) for p in row] for row in softmax(logits).tolist()]
        return {"indices": indices, "probabilities": probabilities}
