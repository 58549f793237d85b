"""The images of a run: what it learns from and what evaluates it, with the noise that is drawn once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from legible.data.split import Labelled, Splits, folds, hold_out_last
from legible.evaluation.evaluation_set import EvaluationSet, make_evaluation_set
from legible.images import Predict
from legible.inference.restorer import load_restorer
from legible.noise import add_fixed_noise
from legible.prepare import are_prepared
from legible.runs.run import Run


@dataclass(frozen=True)
class RunData:
    """The images of one run, noise and all: what it learns from, what gives its curve, what evaluates it.

    in_pairs: training images have a noisy copy of their own in front of them, as further channels. after: the
    restorer that training images go through last.
    """

    train: Labelled
    watch: EvaluationSet | None
    tests: dict[str, EvaluationSet]
    in_pairs: bool
    after: Predict | None = None

    @property
    def is_prepared(self) -> bool:
        """Whether its images are digits in MNIST's form, which pictures are brought to."""
        return are_prepared(next(iter(self.tests.values())).clean)


def load_run_data(run: Run, splits: Splits) -> RunData:
    """Choose the images that a run learns from and is evaluated by, and put on the noise that is drawn once.

    Test noise depends on dataset and noise alone, so that every model meets the same noisy images. Raises
    ModelError when a restorer is not here.
    """
    everything = splits.train.joined(splits.validation)
    if run.n_folds:
        rest, fold = list(folds(len(everything), run.n_folds, seed=0))[run.fold]
        train, test, watched = everything.take(rest), everything.take(fold), None
    else:
        kept, held = splits.train, splits.validation
        if run.n_held_out:
            kept, held = hold_out_last(everything, run.n_held_out)
        train = kept if run.watch == "validation" else everything
        test = splits.test
        watched = {"validation": held, "test": test, "nothing": None}[run.watch]
    named = {run.after, *(name.partition(">")[2] for name in run.tests)} - {""}
    restorers = {name: load_restorer(name) for name in named}  # each once, for all of its uses

    def make_set(data: Labelled, name: str, stream: str) -> EvaluationSet:
        noise, _, restorer = name.partition(">")
        return make_evaluation_set(data, run.dataset, noise, stream=stream, restore=restorers.get(restorer))

    tests = {name: make_set(test, name, "test noise") for name in run.tests}
    watch = None if watched is None else make_set(watched, run.tests[0], f"{run.watch} noise")
    seen = train.as_input()
    if run.train_noise and not run.fresh_noise:
        dataset, chain = f"{run.dataset} {run.seed}", "+".join(run.train_noise)
        images = add_fixed_noise(seen.images, chain, stream="train noise", dataset=dataset)
        seen = replace(seen, images=images)
    in_pairs = run.kind.learns_from_pairs and seen is not train
    if in_pairs:
        seen = replace(seen, images=np.concatenate([seen.images, train.images], axis=1))
    return RunData(seen, watch, tests, in_pairs, restorers.get(run.after))
