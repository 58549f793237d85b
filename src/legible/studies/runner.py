"""Do a run: stage its data, train it with a checkpoint per epoch, judge it, and keep a row of the outcome."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import NormalDist
from time import perf_counter
from typing import Any

import numpy as np
import torch

from legible.apply.runtime import load_runtime
from legible.cards import find_card
from legible.data.split import Labelled, Splits
from legible.errors import InputError, ModelError
from legible.evaluation.judges import JUDGES, Predict, Shown, Verdict
from legible.evaluation.likelihood import Progress, Weigh, importance_weighted_bound
from legible.evaluation.measure_drawings import judge_drawings
from legible.evaluation.measure_lines import judge_lines
from legible.evaluation.metrics import softmax
from legible.models import as_used, build_model, count_parameters
from legible.models.vae import Ladder
from legible.output import append_line
from legible.seeds import rng_for
from legible.studies.packed import pack_images
from legible.studies.plan import Run
from legible.studies.progress import part_of, telling
from legible.studies.provenance import describe_machine, find_commit, today
from legible.studies.remembered import remember
from legible.studies.stage import Stage, stage
from legible.training.checkpoint import load_checkpoint, read_facts, save_checkpoint
from legible.training.loop import Epoch, State, choose_precision, find_device, fit, predictor, prepare
from legible.training.tasks import Restore, Task
from legible.training.variational import Draw, drawer, weigher

N_SAMPLES = 24  # test images whose probabilities a row keeps: the first four, then twenty at random
N_RESTORED = 6  # test images whose restored pixels a row keeps
N_RESTORED_PIXELS = 300_000  # at most: of pages, one
N_DRAWN = 10  # drawings of each class that a row keeps
N_MAPPED = 20  # drawings on each side of a map of two latents
N_READ = 512  # test digits that the lines which a row keeps are composed from
N_POINTS = 2000  # test images whose two latents a row keeps
READER = "digits-wide"  # reads what was drawn
_QUICK_SECONDS = 1.0  # a checkpoint that is written sooner is written after every epoch
_LEAST_WAIT = 10  # the next one waits so many times as long as the last one took


@dataclass
class Work:
    """A run on its way: what it learns, its images, its model as trained so far, a record per epoch done.

    confidence: what its card will tell of how far its probabilities can be trusted. members: what it was
    put together from, for its card.
    """

    run: Run
    key: str
    task: Task
    stage: Stage
    state: State
    history: list[dict[str, Any]] = field(default_factory=list)
    confidence: dict[str, Any] = field(default_factory=dict)
    members: list[dict[str, Any]] = field(default_factory=list)


def begin(run: Run, splits: Splits, checkpoint: Path | None = None) -> Work:
    """Build a run's model and stage its images; go on from the checkpoint where there is one.

    Raises ModelError when the checkpoint is damaged or belongs to a run with other settings or data.
    """
    key = run.key(splits.data_hash)
    model = build_model(run.model, splits.train.image_shape, len(splits.train.classes), seed=run.seed)
    staged, task = stage(run, splits), run.build_task()
    if isinstance(task, Restore):
        task = replace(task, in_pairs=staged.in_pairs)
    work = Work(run, key, task, staged, prepare(model, run.settings))
    if checkpoint is not None and checkpoint.exists():
        facts = read_facts(checkpoint)
        if facts["key"] != key:
            raise ModelError(
                f"{checkpoint} is of a run with other settings or other data; its settings were "
                f"{facts['run']}. Give the same settings; or, to start anew, remove it or add --overwrite."
            )
        load_checkpoint(checkpoint, work.state)
        work.history = facts["history"]
    return work


def advance(work: Work, checkpoint: Path | None = None) -> Iterator[dict[str, Any]]:
    """Train epoch by epoch; after each, save the checkpoint and yield the epoch's record.

    A checkpoint of gigabytes is saved after fewer epochs, so that saving takes a tenth of the time at most.
    """
    run = work.run
    took = _save(work, checkpoint) if checkpoint is not None and not checkpoint.exists() else 0.0
    saved_at = perf_counter()  # there is something to resume from the first moment
    for epoch in fit(work.state, work.task, work.stage.train, run.settings, seed=run.seed):
        record = _record(epoch, work)
        work.history.append(record)
        is_due = took < _QUICK_SECONDS or perf_counter() - saved_at >= _LEAST_WAIT * took
        if checkpoint is not None and is_due:
            took = _save(work, checkpoint)
            saved_at = perf_counter()
        yield record


def _save(work: Work, checkpoint: Path) -> float:
    """Save the checkpoint, and tell the seconds that it took."""
    started = perf_counter()
    facts = {"key": work.key, "run": work.run.to_json(), "history": work.history}
    save_checkpoint(checkpoint, work.state, facts)
    return perf_counter() - started


def _record(epoch: Epoch, work: Work) -> dict[str, Any]:
    task = work.task
    record: dict[str, Any] = {
        "epoch": epoch.number, "train_loss": epoch.loss, f"train_{task.score_name}": epoch.score,
        "seconds": epoch.seconds, "images_per_second": epoch.n_shown / epoch.seconds,
    }  # fmt: skip
    if work.stage.watch is not None:
        scores = _watch(work, work.stage.watch)
        record |= {
            "watch_loss": scores[task.loss_name], f"watch_{task.score_name}": scores[task.score_name]
        }  # fmt: skip
    return record


def answers_of(work: Work) -> Predict:
    """The model as it is used, as trained so far: a function from images to answers."""
    return predictor(as_used(work.state.kept, work.run.kind))


def conclude(
    work: Work, progress: Progress | None = None, checkpoint: Path | None = None
) -> dict[str, Verdict]:
    """Judge a finished run on each of its test conditions; progress is told of what takes long.

    checkpoint: what takes long leaves files beside it, to go on from.
    """
    kept = judging_files(work.run, checkpoint) if checkpoint else [None] * len(work.run.tests)
    verdicts: dict[str, Verdict] = {}
    for (name, shown), path in zip(work.stage.tests.items(), kept, strict=True):
        part = part_of(progress, len(verdicts), len(kept)) if progress else None
        verdicts[name] = judge_work(work, shown, part, path)
    return verdicts


def judging_files(run: Run, checkpoint: Path) -> list[Path]:
    """Where the judging on each test condition may leave what it has found so far."""
    return [checkpoint.with_suffix(f".judging-{i}") for i in range(len(run.tests))]


def judge_work(
    work: Work, shown: Shown, progress: Progress | None = None, kept: Path | None = None
) -> Verdict:
    """Judge a run, as trained so far, on some images. kept: a file that long judging goes on from."""
    model, task = work.state.kept, work.task
    if not (isinstance(model, Ladder) and isinstance(task, Draw)):
        answers = answers_of(work)
        tell = progress if work.run.does == "classify" else None  # others answer in batches of their own
        return JUDGES[work.run.does](telling(answers, tell) if tell else answers, shown)

    def make(n_before: int) -> Weigh:
        return weigher(model, seed=0, first=n_before)

    return judge_drawings(
        remember(make, kept) if kept else make(0), drawer(model), shown.seen, shown.clean,
        n_samples=task.n_samples, told=model.n_classes > 1, read=find_reader(shown), progress=progress,
    )  # fmt: skip


def find_reader(shown: Shown) -> Predict | None:
    """A shipped classifier that reads such images, to read drawings; None where there is none."""
    card = find_card(READER)
    goes = card.image_shape == shown.seen.image_shape and card.classes == shown.seen.classes
    return load_runtime(card) if goes else None


def _watch(work: Work, shown: Shown) -> dict[str, Any]:
    """What is watched from epoch to epoch: of a model that draws, one sample of the bound and no drawings."""
    model = work.state.kept
    if not isinstance(model, Ladder):
        return judge_work(work, shown).scores
    seen = shown.seen
    bound = importance_weighted_bound(weigher(model, seed=0), seen.images, seen.labels, n_samples=1)
    return {"elbo_nats": bound.elbo_nats, "loss_nats": bound.elbo_nats}


def make_row(work: Work, judgements: Mapping[str, Verdict]) -> dict[str, Any]:
    """What is kept of a finished run: settings, scores, curve, samples, and where and when it was made."""
    return {
        "key": work.key,
        "run": work.run.to_json(),
        "scores": {
            name: {k: _round(v) if k != "accuracy" else v for k, v in verdict.scores.items()}
            for name, verdict in judgements.items()
        },
        "history": [{k: _round(v) for k, v in record.items()} for record in work.history],
        "samples": {
            name: SAMPLERS[work.run.does](work, shown.seen) for name, shown in work.stage.tests.items()
        },
        "n_parameters": count_parameters(work.state.model),
        "train_seconds": _round(sum(record["seconds"] for record in work.history)),
        "machine": describe_machine(),
        "precision": choose_precision(work.run.settings.precision, find_device()),
        "n_threads": torch.get_num_threads(),
        "commit": find_commit(),
        "date": today(),
    }


def _sample_probabilities(work: Work, data: Labelled) -> dict[str, Any]:
    """The probabilities of the first four test images and of twenty at random."""
    n_random = min(N_SAMPLES, len(data)) - 4
    rng = rng_for("samples", work.run.dataset)
    indices = [0, 1, 2, 3, *(4 + rng.permutation(len(data) - 4)[:n_random]).tolist()]
    logits = predictor(work.state.kept)(data.images[indices])
    probabilities = [[_round(p) for p in row] for row in softmax(logits).tolist()]
    return {"indices": indices, "probabilities": probabilities}


def _sample_restored(work: Work, data: Labelled) -> dict[str, Any]:
    """The first test images of different labels, restored: bytes (N, C, H, W), packed as text."""
    _, first = np.unique(data.labels, return_index=True)
    most = min(N_RESTORED, max(1, N_RESTORED_PIXELS // data.images[0].size))
    indices = sorted(first.tolist())[:most]
    return {"indices": indices, "restored": pack_images(answers_of(work)(data.images[indices]))}


def _sample_drawings(work: Work, data: Labelled) -> dict[str, Any]:
    """Ten drawings of each class, one class after the other, as _sample_restored packs images."""
    asked, model = np.repeat(np.arange(len(data.classes)), N_DRAWN), work.state.kept
    assert isinstance(model, Ladder)
    drawn = {"drawn": pack_images(drawer(model)(asked, rng_for("shown drawings")))}
    return drawn | (_map_plane(model, data) if (model.n_latents, model.n_classes) == (2, 1) else {})


def _map_plane(model: Ladder, data: Labelled) -> dict[str, Any]:
    """What a model of two latents draws from each point of a grid, and where it sees the first images."""
    steps = [_round(NormalDist().inv_cdf((i + 0.5) / N_MAPPED)) for i in range(N_MAPPED)]
    grid = torch.tensor([[x, y] for y in steps for x in steps])
    with torch.inference_mode():
        drawn = model.decode(grid).sigmoid().numpy()
        points = model.encode(torch.from_numpy(data.images[:N_POINTS]))
    return {
        "steps": steps, "map": pack_images(drawn),
        "points": [[round(x, 3), round(y, 3)] for x, y in points.tolist()],
    }  # fmt: skip


def _sample_lines(work: Work, data: Labelled) -> dict[str, Any]:
    """Some lines, what they say and what was read."""
    judged = judge_lines(answers_of(work), data.take(slice(N_READ)))
    return {"lines": [[line.text, line.read, _round(line.confidence)] for line in judged.samples]}


SAMPLERS = {
    "classify": _sample_probabilities, "restore": _sample_restored, "draw": _sample_drawings,
    "read-lines": _sample_lines,
}  # fmt: skip


def _round(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


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
