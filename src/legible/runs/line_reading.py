"""The steps of runs that train line readers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from legible.ctc import in_batches
from legible.data.split import Labelled
from legible.evaluation.calibrate import fit_temperature, text_loss
from legible.evaluation.line_reading import compose_all, evaluate_line_reader
from legible.runs.rows import round_figure
from legible.runs.steps import Steps, divide_outputs

if TYPE_CHECKING:
    from legible.runs.execution import Execution

N_CALIBRATION = 4096  # at most: held-out digits that the calibration's lines are composed from
N_READ = 512  # test digits that the lines which a row keeps are composed from


class LineReadingSteps(Steps):
    """A line reader's confidence is calibrated on composed lines, and rows keep some of what it read."""

    def calibrate(self, execution: Execution) -> None:
        """Set the temperature on lines composed from held-out digits; the last layer is divided by it."""
        watch = execution.data.watch
        assert watch is not None
        seen = replace(watch.seen, images=watch.clean)
        lines, texts = compose_all(seen.take(slice(N_CALIBRATION)), "calibration")
        batches = [
            (logits, [texts[i] for i in chosen])
            for chosen, logits in in_batches(self.predictor(execution), lines)
        ]
        temperature = fit_temperature(text_loss(batches))
        execution.confidence = {"temperature": temperature, "n": len(lines)}
        divide_outputs(execution.state.kept, temperature)

    def sample(self, execution: Execution, data: Labelled) -> dict[str, Any]:
        """Some lines: what they say, what was read, and how surely."""
        report = evaluate_line_reader(self.predictor(execution), data.take(slice(N_READ)))
        return {"lines": [[line.text, line.read, round_figure(line.confidence)] for line in report.samples]}
