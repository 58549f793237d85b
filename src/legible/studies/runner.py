"""Do a run: stage its data, train it with a checkpoint per epoch, judge it, and keep a row of the outcome."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from legible.data.split import Labelled, Splits, folds
from legible.errors import InputError, ModelError
from legible.evaluation.measure import Judgement, judge
from legible.evaluation.metrics import softmax
from legible.models import build_model, count_parameters
from legible.noise import add_noise
from legible.output import append_line
from legible.seeds import rng_for
from legible.studies.plan import Run, split_chain
from legible.studies.provenance import describe_machine, find_commit, today
from legible.training.checkpoint import load_checkpoint, read_facts, save_checkpoint
from legible.training.loop import Epoch, State, fit, predictor, prepare
from legible.training.tasks import Classify

N_SAMPLES = 24  # test images whose probabilities a row keeps: the first four, then twenty at random


@dataclass(frozen=True)
class Stage:
    """The images of one run, noise and all: what it learns from, what gives its curve, what judges it."""

    train: Labelled
    watch: Labelled | None
    tests: dict[str, Labelled]


@dataclass
class Work:
    """A run on its way: its images, its model as trained so far, and one record per finished epoch."""

    run: Run
    key: str
    stage: Stage
    state: State
    history: list[dict[str, Any]] = field(default_factory=list)


def stage(run: Run, splits: Splits) -> Stage:
    """Choose the images that a run learns from and is judged by, and put on the noise that is drawn once.

    Test noise depends on dataset and noise alone, so that every model meets the same noisy images.
    """
    everything = splits.train.joined(splits.validation)
    if run.n_folds:
        kept, held = list(folds(len(everything), run.n_folds, seed=0))[run.fold]
        train, test, watched = everything.take(kept), everything.take(held), None
    else:
        train = splits.train if run.watch == "validation" else everything
        test = splits.test
        watched = {"validation": splits.validation, "test": test, "nothing": None}[run.watch]
    tests = {name: _with_noise(test, name, "test noise", run.dataset) for name in run.tests}
    if watched is not None:
        watched = _with_noise(watched, run.tests[0], f"{run.watch} noise", run.dataset)
    if run.train_noise and not run.fresh_noise:
        train = _with_noise(train, "+".join(run.train_noise), "train noise", f"{run.dataset} {run.seed}")
    return Stage(train, watched, tests)


def _with_noise(data: Labelled, chain: str, stream: str, dataset: str) -> Labelled:
    noises = split_chain(chain)
    return (
        replace(data, images=add_noise(data.images, rng_for(stream, dataset, chain), noises))
        if noises
        else data
    )


def begin(run: Run, splits: Splits, checkpoint: Path | None = None) -> Work:
    """Build a run's model and stage its images; go on from the checkpoint where there is one.

    Raises ModelError when the checkpoint is damaged or belongs to a run with other settings or data.
    """
    key = run.key(splits.data_hash)
    model = build_model(run.model, splits.train.image_shape, len(splits.train.classes), seed=run.seed)
    work = Work(run, key, stage(run, splits), prepare(model, run.settings))
    if checkpoint is not None and checkpoint.exists():
        facts = read_facts(checkpoint)
        if facts["key"] != key:
            raise ModelError(
                f"{checkpoint} is of a run with other settings or other data; its settings were "
                f"{facts['run']}. Give the same settings, or start anew with --overwrite."
            )
        load_checkpoint(checkpoint, work.state)
        work.history = facts["history"]
    return work


def advance(work: Work, checkpoint: Path | None = None) -> Iterator[dict[str, Any]]:
    """Train epoch by epoch; after each, save the checkpoint and yield the epoch's record."""
    run, settings = work.run, work.run.settings
    task = Classify(run.train_noise if run.fresh_noise else (), settings.augment, settings.label_smoothing)
    if checkpoint is not None and not checkpoint.exists():
        _save(work, checkpoint)  # so that there is something to resume from the first moment
    for epoch in fit(work.state, task, work.stage.train, settings, seed=run.seed):
        record = _record(epoch, work.stage.watch)
        work.history.append(record)
        if checkpoint is not None:
            _save(work, checkpoint)
        yield record


def _save(work: Work, checkpoint: Path) -> None:
    facts = {"key": work.key, "run": work.run.to_json(), "history": work.history}
    save_checkpoint(checkpoint, work.state, facts)


def _record(epoch: Epoch, watched: Labelled | None) -> dict[str, Any]:
    record: dict[str, Any] = {
        "epoch": epoch.number, "train_loss": epoch.loss, "train_accuracy": epoch.score,
        "seconds": epoch.seconds, "images_per_second": epoch.n_shown / epoch.seconds,
    }  # fmt: skip
    if watched is not None:
        judgement = judge(predictor(epoch.state.kept), watched.images, watched.labels, watched.classes)
        record |= {"watch_loss": judgement.loss_nats, "watch_accuracy": judgement.accuracy}
    return record


def conclude(work: Work) -> dict[str, Judgement]:
    """Judge a finished run on each of its test conditions."""
    predict = predictor(work.state.kept)
    return {name: judge(predict, d.images, d.labels, d.classes) for name, d in work.stage.tests.items()}


def make_row(work: Work, judgements: dict[str, Judgement]) -> dict[str, Any]:
    """What is kept of a finished run: settings, scores, curve, samples, and where and when it was made."""
    return {
        "key": work.key,
        "run": work.run.to_json(),
        "scores": {name: _short(judgement) for name, judgement in judgements.items()},
        "history": [{k: _round(v) for k, v in record.items()} for record in work.history],
        "samples": {name: _sample(work, data) for name, data in work.stage.tests.items()},
        "n_parameters": count_parameters(work.state.model),
        "train_seconds": _round(sum(record["seconds"] for record in work.history)),
        "machine": describe_machine(),
        "n_threads": torch.get_num_threads(),
        "commit": find_commit(),
        "date": today(),
    }


def _short(judgement: Judgement) -> dict[str, Any]:
    return {
        "n_images": judgement.n_images,
        "accuracy": judgement.accuracy,
        "loss_nats": _round(judgement.loss_nats),
        "calibration_error": _round(judgement.calibration_error),
    }


def _sample(work: Work, data: Labelled) -> dict[str, Any]:
    """The probabilities of the first four test images and of twenty at random."""
    n_random = min(N_SAMPLES, len(data)) - 4
    rng = rng_for("samples", work.run.dataset)
    indices = [0, 1, 2, 3, *(4 + rng.permutation(len(data) - 4)[:n_random]).tolist()]
    logits = predictor(work.state.kept)(data.images[indices])
    probabilities = [[_round(p) for p in row] for row in softmax(logits).tolist()]
    return {"indices": indices, "probabilities": probabilities}


def _round(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def perform(run: Run, splits: Splits, folder: Path) -> Iterator[dict[str, Any]]:
    """Do a run from start to row, surviving a kill: yields a record per epoch, then the row itself.

    The row, which has a `key`, is the last thing yielded; the checkpoint in `folder` is removed then.
    """
    checkpoint = folder / f"{run.key(splits.data_hash)}.safetensors"
    work = begin(run, splits, checkpoint)
    yield from advance(work, checkpoint)
    yield make_row(work, conclude(work))
    checkpoint.unlink(missing_ok=True)


def read_rows(path: Path) -> dict[str, dict[str, Any]]:
    """All rows of a file by key; a later row of the same run replaces an earlier one.

    Raises InputError, with the line's number, for a line that is not a row.
    """
    rows: dict[str, dict[str, Any]] = {}
    if not path.exists():
        return rows
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        try:
            row = json.loads(line)
            rows[row["key"]] = row
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}, line {number}, is not a row of results: {error}. Remove that line."
            ) from error
    return rows


def append_row(path: Path, row: dict[str, Any]) -> None:
    """Add a finished run to the file of rows, in one write."""
    append_line(path, json.dumps(row, separators=(",", ":")))
