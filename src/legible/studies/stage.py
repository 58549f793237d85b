"""The images of a run: what it learns from and what judges it, with the noise that is drawn once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from legible.data.split import Labelled, Splits, folds, hold_out_last
from legible.evaluation.judges import Shown
from legible.models import AUTOENCODER
from legible.noise import add_noise, split_chain
from legible.seeds import rng_for
from legible.studies.plan import Run, load_restorer


@dataclass(frozen=True)
class Stage:
    """The images of one run, noise and all: what it learns from, what gives its curve, what judges it.

    in_pairs: training images have a noisy copy of their own in front of them, as further channels.
    """

    train: Labelled
    watch: Shown | None
    tests: dict[str, Shown]
    in_pairs: bool


def stage(run: Run, splits: Splits) -> Stage:
    """Choose the images that a run learns from and is judged by, and put on the noise that is drawn once.

    Test noise depends on dataset and noise alone, so that every model meets the same noisy images.
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
    named = {name.partition(">")[2] for name in run.tests} - {""}
    restorers = {name: load_restorer(name) for name in named}  # each once, for all of its tests

    def show(data: Labelled, name: str, stream: str) -> Shown:
        chain, _, restorer = name.partition(">")
        seen = _with_noise(data.as_found(), chain, stream, run.dataset)
        if restorer:
            seen = replace(seen, images=restorers[restorer](seen.images))
        return Shown(seen, data.images, by_kind=data.noisy is not None)

    tests = {name: show(test, name, "test noise") for name in run.tests}
    watch = None if watched is None else show(watched, run.tests[0], f"{run.watch} noise")
    seen = train.as_found()
    if not run.fresh_noise:
        seen = _with_noise(seen, "+".join(run.train_noise), "train noise", f"{run.dataset} {run.seed}")
    in_pairs = run.kind == AUTOENCODER and seen is not train
    if in_pairs:
        seen = replace(seen, images=np.concatenate([seen.images, train.images], axis=1))
    return Stage(seen, watch, tests, in_pairs)


def _with_noise(data: Labelled, chain: str, stream: str, dataset: str) -> Labelled:
    noises = split_chain(chain)
    return (
        replace(data, images=add_noise(data.images, rng_for(stream, dataset, chain), noises))
        if noises
        else data
    )
