"""Carry out a run: load its images, train with a checkpoint per epoch, calibrate, evaluate, make its row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

from legible.data.split import Splits
from legible.errors import ModelError
from legible.evaluation.evaluation_set import EvaluationReport
from legible.evaluation.likelihood import Progress
from legible.models import build_model
from legible.runs.execution import Execution
from legible.runs.memory_estimate import check_memory
from legible.runs.rows import make_row
from legible.runs.run import Run
from legible.runs.run_data import load_run_data
from legible.training.checkpoint import load_checkpoint, read_facts, save_checkpoint
from legible.training.exchange import round_weights
from legible.training.loop import Epoch, fit, prepare
from legible.training.tasks import TASKS

_QUICK_SECONDS = 1.0  # a checkpoint that is written sooner is written after every epoch
_LEAST_WAIT = 10  # the next one waits so many times as long as the last one took
Keep = Callable[[Execution, Mapping[str, EvaluationReport]], object]


def start(run: Run, splits: Splits, checkpoint: Path | None = None) -> Execution:
    """Build a run's model and load its images; go on from the checkpoint where there is one.

    Raises ArgumentError where the training would not fit into memory, ModelError when the checkpoint is
    damaged or belongs to a run with other settings or data.
    """
    key, shape, n_classes = run.key(splits.data_hash), splits.train.image_shape, len(splits.classes)
    check_memory(run, shape, n_classes)
    task, data = run.build_task(), load_run_data(run, splits)
    changes = {"prepare": data.after} if data.after else {"in_pairs": True} if data.in_pairs else {}
    if changes:  # such a task is a dataclass
        task = replace(task, **changes)  # type: ignore[type-var]
    model = build_model(run.model, shape, n_classes, seed=run.seed)
    execution = Execution(run, key, task, data, prepare(model, run.settings))
    if checkpoint is not None and checkpoint.exists():
        facts = read_facts(checkpoint)
        if facts["key"] != key:
            raise ModelError(
                f"{checkpoint} is of a run with other settings or other data; its settings were "
                f"{facts['run']}. Give the same settings; or, to start anew, remove it or add --overwrite."
            )
        load_checkpoint(checkpoint, execution.state)
        execution.history = facts["history"]
    return execution


def train_epochs(execution: Execution, checkpoint: Path | None = None) -> Iterator[dict[str, Any]]:
    """Train epoch by epoch; after each, save the checkpoint and yield the epoch's record.

    After the last, the weights are rounded as files keep them. A checkpoint of gigabytes is saved after fewer
    epochs, so that saving takes a tenth of the time at most.
    """
    run = execution.run
    took, saved_at = 0.0, perf_counter()
    if checkpoint is not None and not checkpoint.exists():  # so that it can be resumed from the start
        took = save_checkpoint(checkpoint, execution.state, execution.facts())
    for epoch in fit(execution.state, execution.task, execution.data.train, run.settings, seed=run.seed):
        record = _record(epoch, execution)
        execution.history.append(record)
        is_due = took < _QUICK_SECONDS or perf_counter() - saved_at >= _LEAST_WAIT * took
        if checkpoint is not None and is_due:
            took = save_checkpoint(checkpoint, execution.state, execution.facts())
            saved_at = perf_counter()
        yield record
    round_weights(execution.state.kept)


def _record(epoch: Epoch, execution: Execution) -> dict[str, Any]:
    task, watch = execution.task, execution.data.watch
    record: dict[str, Any] = {
        "epoch": epoch.number, "train_loss": epoch.loss, f"train_{task.score_name}": epoch.score,
        "seconds": epoch.seconds, "images_per_second": epoch.n_shown / epoch.seconds,
    }  # fmt: skip
    if watch is not None:
        scores = execution.steps.watch(execution, watch)
        record |= {
            "watch_loss": scores[task.loss_name], f"watch_{task.score_name}": scores[task.score_name]
        }  # fmt: skip
    return record


def finish(
    execution: Execution, progress: Progress | None = None, checkpoint: Path | None = None
) -> dict[str, EvaluationReport]:
    """Calibrate the confidence, and evaluate on each test condition.

    progress: called with how far the evaluation is. checkpoint: what takes long leaves files beside it, to
    go on from.
    """
    is_calibrated = TASKS.get(execution.run.task_name).facts.get("calibrated")
    if is_calibrated and execution.run.watch == "validation":
        execution.steps.calibrate(execution)
    return evaluate_tests(execution, progress, checkpoint)


def evaluate_tests(
    execution: Execution, progress: Progress | None = None, checkpoint: Path | None = None
) -> dict[str, EvaluationReport]:
    """Evaluate a run as trained so far on each of its test conditions; see finish."""
    n_tests, reports = len(execution.data.tests), dict[str, EvaluationReport]()
    paths = evaluation_files(execution.run, checkpoint) if checkpoint else [None] * n_tests
    for (name, shown), path in zip(execution.data.tests.items(), paths, strict=True):
        part = part_of(progress, len(reports), n_tests) if progress else None
        reports[name] = execution.steps.evaluate(execution, shown, part, path)
    return reports


def part_of(progress: Progress, number: int, n_parts: int) -> Progress:
    """Progress of part `number`, from 0, of n_parts equally long ones, reported as that of all."""
    return lambda done, total: progress(number * total + done, n_parts * total)


def evaluation_files(run: Run, checkpoint: Path) -> list[Path]:
    """Where the evaluation on each test condition may leave what it has found so far."""
    return [checkpoint.with_suffix(f".evaluation-{i}") for i in range(len(run.tests))]


def carry_out(
    run: Run, splits: Splits, folder: Path, progress: Progress | None = None, *, keep: Keep | None = None
) -> Iterator[dict[str, Any]]:
    """Carry out a run from start to row, surviving a kill: yields a record per epoch, then the row itself.

    The row, which has a `key`, is the last thing yielded; the checkpoint in `folder` is removed then.
    keep: called with what was trained and its reports, before that.
    """
    checkpoint = folder / f"{run.key(splits.data_hash)}.safetensors"
    execution = start(run, splits, checkpoint)
    yield from train_epochs(execution, checkpoint)
    reports = finish(execution, progress, checkpoint)
    if keep is not None:
        keep(execution, reports)
    yield make_row(execution, reports)
    for path in (checkpoint, *evaluation_files(run, checkpoint)):
        path.unlink(missing_ok=True)
