"""The steps of runs that train generators: variational autoencoders."""

from __future__ import annotations

from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from legible.cards import find_card
from legible.data.split import Labelled
from legible.evaluation.evaluation_set import EvaluationReport, EvaluationSet
from legible.evaluation.generation import evaluate_generator
from legible.evaluation.likelihood import Progress, SampleLogWeights, importance_weighted_bound
from legible.evaluation.recheck import READER
from legible.images import Predict
from legible.inference.runtime import load_runtime
from legible.models.vae import Ladder
from legible.runs.image_codec import encode_images
from legible.runs.resumable import resumable
from legible.runs.rows import round_figure
from legible.runs.steps import Steps
from legible.seeds import rng_for
from legible.training.tasks.generate import Generate, image_generator, importance_sampler

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from legible.runs.execution import Execution

N_OF_EACH = 10  # generated images of each class that a row keeps
N_MAPPED = 20  # images on each side of a map of two latents
N_POINTS = 2000  # test images whose two latents a row keeps


class GenerationSteps(Steps):
    """A generator is evaluated by its bound, which samples latents, and by images that it generates."""

    def evaluate(
        self,
        execution: Execution,
        shown: EvaluationSet,
        progress: Progress | None = None,
        kept: Path | None = None,
    ) -> EvaluationReport:
        """Evaluate on real images and on generated ones. kept: a file to go on from."""
        model, task = _model(execution), cast(Generate, execution.task)

        def sampler(n_before: int) -> SampleLogWeights:
            return importance_sampler(model, seed=0, first=n_before)

        return evaluate_generator(
            resumable(sampler, kept) if kept else sampler(0), image_generator(model), shown.seen, shown.clean,
            n_samples=task.n_samples, conditional=model.n_classes > 1, read=find_reader(shown),
            progress=progress,
        )  # fmt: skip

    def watch(self, execution: Execution, shown: EvaluationSet) -> dict[str, Any]:
        """One sample of the bound, and no generated images."""
        seen, sampler = shown.seen, importance_sampler(_model(execution), seed=0)
        bound = importance_weighted_bound(sampler, seen.images, seen.labels, n_samples=1)
        return {"elbo_nats": bound.elbo_nats, "loss_nats": bound.elbo_nats}

    def sample(self, execution: Execution, data: Labelled) -> dict[str, Any]:
        """Ten images of each class, one class after the other; of a model of two latents, a map of them."""
        model, asked = _model(execution), np.repeat(np.arange(len(data.classes)), N_OF_EACH)
        generated = encode_images(image_generator(model)(asked, rng_for("shown drawings")))
        has_map = (model.n_latents, model.n_classes) == (2, 1)
        return {"drawn": generated} | (_map_latents(model, data) if has_map else {})

    def figures(self, execution: Execution, report: EvaluationReport) -> dict[str, Figure]:
        """Generated images of each class, with the nearest training images; the curves."""
        shown, training = execution.data.tests[execution.run.tests[0]], execution.data.train.images
        figures: dict[str, Figure] = execution.run.kind.part("figures")(
            image_generator(_model(execution)), shown, training, execution.history
        )
        return figures

    def card_facts(self, execution: Execution) -> dict[str, Any]:
        """How many latents it takes; and no classes, where it generates whatever comes."""
        model = _model(execution)
        classes = list(execution.data.train.classes) if model.n_classes > 1 else ["any"]
        return {"classes": classes, "input": {"latents": model.n_latents}}


def find_reader(shown: EvaluationSet) -> Predict | None:
    """A shipped classifier that reads such images, to read generated ones; None where there is none."""
    card = find_card(READER)
    goes = card.image_shape == shown.seen.image_shape and card.classes == shown.seen.classes
    return load_runtime(card) if goes else None


def _model(execution: Execution) -> Ladder:
    """The model as trained so far, which only a variational autoencoder can be."""
    return cast(Ladder, execution.state.kept)


def _map_latents(model: Ladder, data: Labelled) -> dict[str, Any]:
    """What a model of two latents makes of each point of a grid, and where it sees the first images."""
    steps = [round_figure(NormalDist().inv_cdf((i + 0.5) / N_MAPPED)) for i in range(N_MAPPED)]
    grid = torch.tensor([[x, y] for y in steps for x in steps])
    with torch.inference_mode():
        generated = model.decode(grid).sigmoid().numpy()
        points = model.encode(torch.from_numpy(data.images[:N_POINTS]))
    return {
        "steps": steps, "map": encode_images(generated),
        "points": [[round(x, 3), round(y, 3)] for x, y in points.tolist()],
    }  # fmt: skip
