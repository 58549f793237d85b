"""Report A: Image Classifier for the MNIST (N. A. Muthunayake).

Rows A1 to A5. The report trained for 10 epochs in batches of 32 and followed the test set; its optimiser
is not said, so ours is Adam at its usual rate.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from legible.noise import add_noise
from legible.report import figures
from legible.seeds import rng_for
from legible.studies.plan import STUDIES, Line, Run, Study, over_folds, over_seeds
from legible.studies.results import Results
from legible.training.settings import Settings

NOISE = "gaussian:0.5"
AS_PUBLISHED = Run(
    model="cnn-one-conv", settings=Settings(n_epochs=10, batch_size=32, schedule="constant"), watch="test"
)
NOISY = replace(AS_PUBLISHED, train_noise=(NOISE,), fresh_noise=False, tests=(NOISE,))
AUGMENTED = replace(
    AS_PUBLISHED,
    settings=Settings(n_epochs=20, batch_size=64, average=0.998),
    train_noise=(NOISE,), tests=("clean", NOISE), watch="nothing",
)  # fmt: skip


@STUDIES.register("a", rows="A1-A5")
def study_report_a() -> Study:
    """Report A: a small convolutional net on clean and on noisy digits."""
    lines = (
        Line("A1", "conv 32 - pool - dense 100, 10 epochs, batch 32", "98.68 %", over_seeds(AS_PUBLISHED, 3), 98.68,
             note="the curve is of the test images, as the report drew it; nothing is chosen by it."),
        Line("A2", "the same on 5 shuffled folds of the training images", "about 98.68 %",
             over_folds(replace(AS_PUBLISHED, watch="nothing"), 5), 98.68),
        Line("A3", "A1 with Gaussian noise 0.5, drawn once, on training and test images", "94.08 and 94.66 %",
             over_seeds(NOISY, 3), 94.66, test=NOISE, note="clipped to [0, 1], like all noise here."),
    )  # fmt: skip
    return Study("Report A: Image Classifier for the MNIST", lines, draw_report_a)


def draw_report_a(results: Results) -> dict[str, Any]:
    """A1 and A3's curves, and A4: nine digits before and after noise."""
    return {}
