"""The kinds of models: names, measures, and the functions that handle each kind. Needs no PyTorch.

Everything that depends on the kind is a field here, or a function that a field names as
`package.module:name`, which is imported at first use. No other module branches on the name of a kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Kind:
    """A kind of model.

    name: in cards, models and tasks; the task of this name is the default for such a model.
    noun: for messages, such as "classifier". output: a description of the network's output.
    headline: the main measure (evaluation.measures).
    rechecked, tolerance: the measure that any installation can recompute, and the largest allowed difference.
    inputs, returns: the names of the ONNX file's inputs and output.
    needs_classes: its classes must be those of the images. sees_images: its input is a dataset's images, not
    something made from them. learns_from_pairs: it can be trained on pairs of noisy and clean images.
    fixed_height: if it takes any size, only the width varies. can_join: several can form an ensemble.
    loader: a class with `load(card)`. evaluator: (predict, EvaluationSet) -> a report; empty if a saved model
    can't be evaluated on images; `look` is then a command to use instead.
    recheck: model -> the recomputed score. tables: report -> tables. figures: its figures by name.
    as_used: module -> the module to export; empty: the trained one. steps: the steps of a run besides
    training (runs.steps.Steps).
    """

    name: str
    noun: str
    output: str
    headline: str
    rechecked: str
    tolerance: float
    loader: str
    recheck: str
    tables: str
    figures: str
    evaluator: str = ""
    look: str = ""
    as_used: str = ""
    steps: str = "legible.runs.steps:Steps"
    inputs: tuple[str, ...] = ("images",)
    returns: str = "logits"
    needs_classes: bool = False
    sees_images: bool = True
    learns_from_pairs: bool = False
    fixed_height: bool = False
    can_join: bool = False

    def part(self, field: str) -> Any:
        """Import what a field names: `kind.part("evaluator")`."""
        module, _, name = getattr(self, field).partition(":")
        return getattr(import_module(module), name)


CLASSIFY = Kind(
    name="classify",
    noun="classifier",
    output="logits (N, K); softmax gives probabilities",
    headline="accuracy",
    rechecked="accuracy",
    tolerance=1e-3,
    loader="legible.inference.classifier:Classifier",
    evaluator="legible.evaluation.classification:evaluate",
    recheck="legible.evaluation.recheck:recheck_on_digits",
    tables="legible.report.tables:classification_tables",
    figures="legible.report.classification:draw_report",
    steps="legible.runs.classification:ClassificationSteps",
    needs_classes=True,
    can_join=True,
)
RESTORE = Kind(
    name="restore",
    noun="restorer",
    output="restored images (N, C, H, W) in [0, 1], 1 = ink",
    headline="mse",
    rechecked="mse",
    tolerance=1e-5,
    loader="legible.inference.restorer:Restorer",
    evaluator="legible.evaluation.restoration:evaluate",
    recheck="legible.evaluation.recheck:recheck_restorer",
    tables="legible.report.tables:restoration_tables",
    figures="legible.report.restoration:draw_report",
    as_used="legible.models.layers:with_sigmoid",
    steps="legible.runs.restoration:RestorationSteps",
    returns="restored",
    learns_from_pairs=True,
)
GENERATE = Kind(
    name="generate",
    noun="generator",
    output="images (N, C, H, W) in [0, 1] from standard normal latents (N, D) and class weights (N, K)",
    headline="bound_nats",
    rechecked="read_as_asked",
    tolerance=5e-3,
    loader="legible.inference.generator:Generator",
    recheck="legible.evaluation.recheck:recheck_generator",
    tables="legible.report.tables:generation_tables",
    figures="legible.report.generation:draw_report",
    look="legible generate",
    as_used="legible.models.vae:Decoder",
    steps="legible.runs.generation:GenerationSteps",
    inputs=("latents", "labels"),
    returns="images",
    sees_images=False,
)
READ_LINES = Kind(
    name="read-lines",
    noun="line reader",
    output="logits (N, 1 + K, W / 2), class 0 is the blank: connectionist temporal classification",
    headline="strings_right",
    rechecked="strings_right",
    tolerance=1e-2,
    loader="legible.inference.line_reader:LineReader",
    evaluator="legible.evaluation.line_reading:evaluate",
    recheck="legible.evaluation.recheck:recheck_on_digits",
    tables="legible.report.tables:line_reading_tables",
    figures="legible.report.line_reading:draw_report",
    steps="legible.runs.line_reading:LineReadingSteps",
    needs_classes=True,
    sees_images=False,
    fixed_height=True,
)
KINDS = {kind.name: kind for kind in (CLASSIFY, RESTORE, GENERATE, READ_LINES)}
