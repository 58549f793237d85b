"""The runs that the studies still need: which, how long they take, and doing them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from statistics import median

from legible.evaluation.measures import duration
from legible.output import check_free
from legible.progress import Progress
from legible.runs.carry_out import Keep, carry_out
from legible.runs.keep import keep_execution
from legible.runs.provenance import describe_commit, find_commit, this_command
from legible.runs.rows import append_row
from legible.runs.run import Run
from legible.studies.choose import Chosen
from legible.studies.results import Results

ROWS = "rows.jsonl"
OpenProgress = Callable[[str], AbstractContextManager[Progress]]  # with what is watched: "test" or "held out"


def find_missing(chosen: Chosen, results: Results) -> dict[Run, str]:
    """The runs that have no row yet, each with the row of a report that it is for, in the studies' order."""
    missing: dict[Run, str] = {}
    for _, _, lines in chosen:
        for line in lines:
            missing |= {run: line.row for run in results.missing(line) if run not in missing}
    return missing


def estimate_seconds(run: Run, results: Results) -> float | None:
    """How long a training takes, by finished ones of its model and data; None where there is none."""
    paces = [
        row["train_seconds"] / row["run"]["settings"]["n_epochs"]
        for row in results.rows.values()
        if (row["run"]["model"], row["run"]["dataset"]) == (run.model, run.dataset)
    ]
    return median(paces) * run.settings.n_epochs if paces else None


def by_cost(missing: dict[Run, str], results: Results) -> tuple[dict[Run, str], str]:
    """The missing runs, shortest first and those of unknown length last, and a sentence on their length."""
    costs = {run: estimate_seconds(run, results) for run in missing}
    ordered = sorted(missing, key=lambda run: (costs[run] is None, costs[run] or 0.0))
    known = [cost for cost in costs.values() if cost is not None]
    n_unknown = len(costs) - len(known)
    length = f"{len(missing)} runs are missing: about {duration(sum(known))} of training"
    unknown = f", and {n_unknown} more runs of unknown length" if n_unknown else ""
    return {run: missing[run] for run in ordered}, f"{length}{unknown}."


def do_missing(
    chosen: Chosen,
    results: Results,
    folder: Path,
    open_progress: OpenProgress,
    *,
    models: Path | None = None,
    shortest_first: bool = False,
) -> None:
    """Do every run that has no row yet, and append its row to rows.jsonl in the folder.

    models: where each trained model is saved too. Raises OutputError where one of them exists already.
    """
    missing = find_missing(chosen, results)
    with open_progress("") as progress:
        if shortest_first and missing:
            missing, length = by_cost(missing, results)
            progress.say(length)
        if models is not None and not missing:
            progress.say("All these runs have their rows: nothing is trained, and no model is saved.")
        if missing and (commit := describe_commit(find_commit())) != find_commit():
            progress.say(f"commit of the source: {commit}. The tables will mark these runs.")
    for number, (run, row_name) in enumerate(missing.items(), start=1):
        with open_progress("test" if run.watch == "test" else "held out") as progress:
            progress.say(f"{row_name}, run {number} of {len(missing)}: {run.model}, {part_of_study(run)}")
            keep = _keep_in(models, row_name, run) if models is not None else None
            do_run(run, results, folder, progress, keep)


def part_of_study(run: Run) -> str:
    """Which of a line's runs it is: its seed or its fold."""
    return f"fold {run.fold + 1}/{run.n_folds}" if run.n_folds else f"seed {run.seed}"


def do_run(run: Run, results: Results, folder: Path, progress: Progress, keep: Keep | None = None) -> None:
    """Do one run, and add its row to the results and to the file of rows."""
    count = partial(progress.count, "  evaluating")
    for record in carry_out(run, results.splits(run.dataset), folder / "unfinished", count, keep=keep):
        if "key" in record:
            append_row(folder / ROWS, record)
            results.rows[record["key"]] = record
        else:
            progress.epoch(record, run.settings.n_epochs, "  ")


def _keep_in(models: Path, row_name: str, run: Run) -> Keep:
    """Save what a run trains in a folder below `models`, named after its row. Raises OutputError."""
    target = models / f"{row_name}-{part_of_study(run)}".replace(" ", "").replace("/", "of")
    check_free(target, overwrite=False)
    return partial(keep_execution, folder=target, command=this_command())
