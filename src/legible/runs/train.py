"""Train a model from a dataset to a saved, evaluated model: all that `legible train` does."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from legible.cards import RUNS, Card
from legible.choices import Layout, Polarity
from legible.data.choose import choose_dataset
from legible.data.split import Splits
from legible.errors import OutputError
from legible.evaluation.evaluation_set import EvaluationReport
from legible.evaluation.measures import MEASURES, duration
from legible.evaluation.metrics import mean_and_spread
from legible.noise import CLEAN
from legible.output import check_free
from legible.progress import Progress
from legible.runs.carry_out import evaluate_tests, finish, start, train_epochs
from legible.runs.keep import keep_execution
from legible.runs.run import Run, over_folds, recipe_of
from legible.training.settings import Settings

FEW_IMAGES, MOST_EPOCHS_FOR_ONE = 20_000, 20


@dataclass(frozen=True)
class Trained:
    """A finished training: its saved model, its reports by test condition, and a record per epoch."""

    card: Card
    reports: Mapping[str, EvaluationReport]
    history: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class CrossValidation:
    """What each fold measured, held out once. measure: a name in evaluation.measures.MEASURES."""

    measure: str
    folds: tuple[float, ...]
    mean: float
    spread: float | None

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {"measure": self.measure, "folds": list(self.folds), "mean": self.mean, "spread": self.spread}


def train(
    model: str,
    dataset: str | Path | Splits | None = None,
    *,
    output: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    task: str = "",
    noise: Sequence[str] = (),
    noise_once: bool = False,
    test_noise: Sequence[str] = (),
    seed: int = 0,
    hold_out: bool = True,
    held_out: int = 0,
    folds: int = 0,
    layout: Layout = "auto",
    polarity: Polarity = "auto",
    size: tuple[int, int] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    command: str = "",
    progress: Progress | None = None,
) -> Trained | CrossValidation:
    """Train a model, evaluate it on the test images, and save it with pictures; or cross-validate it.

    model: a registered model's spec, as "digits-fast" (`legible models list`). dataset: a name, your own data
    by its path, or images that are loaded; MNIST if None, or without a network the embedded digits.
    output: the folder of the saved model; runs/MODEL.DATASET-seedN if None. settings: what differs from the
    model's own recipe, by the fields of training.settings.Settings, as {"n_epochs": 5}. task: what it learns,
    a spec; the usual task of its kind if empty. noise: specs, put on the training images in order, anew at
    every showing, or once; the test images go through it too. test_noise: further conditions to evaluate
    under, specs joined by '+'. hold_out: hold out validation images for the curve; held_out: how many, the
    last ones, not the dataset's own part. folds: cross-validate on that many folds instead; nothing is saved.
    layout, polarity, size: of your own data, see load_dataset. resume: go on with a training that was cut
    off. command: what the card says it was trained by.

    Raises ArgumentError, InputError, OutputError, ModelError when the training diverges.

        >>> import legible
        >>> trained = legible.train("digits-fast", "digits-embedded", settings={"n_epochs": 1}, output="one")
        >>> round(trained.reports["clean"].scores["accuracy"], 1) > 0.1
        True
    """
    progress = progress or Progress()
    tests = tuple(dict.fromkeys(["+".join(noise) or CLEAN, *test_noise]))
    given, recipe = dict(settings or {}), recipe_of(model).to_json()
    run = Run(
        model=model, task=task, settings=Settings.of(recipe | given), seed=seed,
        train_noise=tuple(noise), fresh_noise=not noise_once, tests=tests,
        watch="validation" if hold_out else "nothing", n_held_out=held_out,
    )  # fmt: skip
    splits, name = choose_dataset(dataset, layout=layout, polarity=polarity, size=size, progress=progress)
    run = replace(run, dataset=name)
    if "n_epochs" not in given:
        run = replace(run, settings=enough_epochs(run.settings, len(splits.train), progress))
    if folds:
        return cross_validate(run, splits, folds, progress)
    target = (
        Path(output) if output else RUNS / default_name(run, name if dataset is None else Path(name).name)
    )
    command = command or f"legible.train({model!r}, {name!r}, ...)"
    return train_and_keep(run, splits, target, command, resume=resume, overwrite=overwrite, progress=progress)


def default_name(run: Run, dataset: str) -> str:
    """The folder of a run that was given none: MODEL.DATASET-seedN."""
    return f"{run.model.replace(':', '-').replace('=', '')}.{dataset}-seed{run.seed}"


def enough_epochs(settings: Settings, n_train: int, progress: Progress) -> Settings:
    """The settings, with more epochs where images are few.

    A recipe's epochs are meant for tens of thousands of images; of a thousand, one epoch is five steps.
    """
    if n_train >= FEW_IMAGES:
        return settings
    n_epochs = math.ceil(settings.n_epochs * min(FEW_IMAGES / n_train, MOST_EPOCHS_FOR_ONE))
    progress.say(
        f"few training images: {n_epochs} epochs instead of {settings.n_epochs} (--epochs sets the number)"
    )
    return replace(settings, n_epochs=n_epochs)


def train_and_keep(
    run: Run,
    splits: Splits,
    target: Path,
    command: str,
    *,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Trained:
    """Train with a checkpoint per epoch, evaluate, and put the finished folder in its place.

    The checkpoint lies in TARGET.part until then. Raises OutputError where something is there already.
    """
    progress = progress or Progress()
    check_free(target, overwrite=overwrite)
    part = target.with_name(target.name + ".part")
    if part.exists() and not resume:
        if not overwrite:
            raise OutputError(
                f"an unfinished training is in {part}. Add --resume to go on with it, or --overwrite to "
                "start anew."
            )
        shutil.rmtree(part)
    checkpoint = part / "checkpoint.safetensors"
    execution = start(run, splits, checkpoint)
    n_done = execution.state.n_epochs_done
    if run.train_noise:
        how = "new in every epoch" if run.fresh_noise else "the same in every epoch"
        progress.say(f"noise: {' + '.join(run.train_noise)}, each clipped to [0, 1], {how}")
    progress.say(f"training {run.model} (seed {run.seed})" + (f", after epoch {n_done}" if n_done else ""))
    try:
        for record in train_epochs(execution, checkpoint):
            progress.epoch(record, run.settings.n_epochs)
    except KeyboardInterrupt:
        n_done, n_epochs = execution.state.n_epochs_done, run.settings.n_epochs
        again = f"{command} --resume" + " --overwrite" * target.exists()
        progress.say(f"interrupted after epoch {n_done} of {n_epochs}; go on with:", f"  {again}")
        raise
    progress.say(f"trained in {duration(sum(r['seconds'] for r in execution.history))}")
    reports = finish(execution, lambda done, total: progress.count("evaluating", done, total), checkpoint)
    card = keep_execution(execution, reports, target, command, overwrite=overwrite)
    shutil.rmtree(part, ignore_errors=True)
    return Trained(card, reports, execution.history)


def cross_validate(run: Run, splits: Splits, n_folds: int, progress: Progress) -> CrossValidation:
    """Train once per fold, and measure each fold on the model that has not seen it."""
    measure, values = run.kind.headline, list[float]()
    for one in over_folds(replace(run, watch="nothing", n_held_out=0), n_folds):
        execution = start(one, splits)
        for record in train_epochs(execution):
            progress.epoch(record, run.settings.n_epochs, f"fold {one.fold + 1}/{n_folds}  ")
        values.append(evaluate_tests(execution)[one.tests[0]].scores[measure])
    mean, spread, _ = mean_and_spread(values)
    assert measure in MEASURES
    return CrossValidation(measure, tuple(values), mean, spread)
