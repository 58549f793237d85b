"""What the rows say of a study's lines: the runs of each, and its figures beside the published one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from legible.data.split import Splits
from legible.errors import InputError
from legible.evaluation.measures import MEASURES
from legible.evaluation.metrics import mean_and_spread
from legible.report.study_results import MISSING, Provenance, RowResult
from legible.runs.provenance import LOCAL_CHANGES
from legible.runs.rows import round_figure
from legible.runs.run import Run
from legible.studies.study import Line


@dataclass
class Results:
    """Rows by key, and the datasets that they are of, loaded when first asked for."""

    rows: dict[str, dict[str, Any]]
    load: Callable[[str], Splits]
    _splits: dict[str, Splits] = field(default_factory=dict)
    _proofs: dict[str, str] = field(default_factory=dict)

    def splits(self, dataset: str) -> Splits:
        """The images of a dataset, kept after the first call."""
        if dataset not in self._splits:
            self._splits[dataset] = self.load(dataset)
        return self._splits[dataset]

    def has(self, dataset: str) -> bool:
        """Whether a dataset is available."""
        try:
            self.splits(dataset)
        except InputError:
            return False
        return True

    def row(self, run: Run) -> dict[str, Any] | None:
        """The row of a run, or None while it has not been done.

        Where its data is not available, a row of the same settings is taken for it.
        """
        if self.has(run.dataset):
            return self.rows.get(run.key(self.splits(run.dataset).data_hash))
        settings = json.loads(json.dumps(run.to_json()))  # as a file has them: lists, no tuples
        return next((row for row in self.rows.values() if row["run"] == settings), None)

    def rows_of(self, line: Line) -> list[dict[str, Any]]:
        """The rows of a line's finished runs."""
        return [row for run in line.runs if (row := self.row(run)) is not None]

    def missing(self, line: Line) -> list[Run]:
        """The runs of a line that have not been done."""
        return [run for run in line.runs if self.row(run) is None]

    def histories(self, line: Line) -> list[dict[str, Any]]:
        """The epochs' records of all of a line's finished runs, one after the other."""
        return [record for row in self.rows_of(line) for record in row["history"]]

    def values(self, line: Line, measure: str = "") -> list[float]:
        """What the line measures, of each of its finished runs: an accuracy as a fraction."""
        return [row["scores"][line.test][measure or line.measure] for row in self.rows_of(line)]

    def proof(self, line: Line) -> str:
        """What a line that is not an accuracy found; done once, since it may train a small net."""
        if line.prove is not None and line.row not in self._proofs:
            try:
                self._proofs[line.row] = line.prove()
            except InputError as error:  # its data is not available
                self._proofs[line.row] = f"{MISSING}\n{error}"
        return self._proofs.get(line.row, "")


def row_result(line: Line, results: Results) -> RowResult:
    """A line's figures: of its finished runs, or what its proof finds, which is done if it has not been."""
    if line.prove is not None:
        ours, _, rest = results.proof(line).partition("\n")
        runs = tuple(find_provenance(row) for run in line.members if (row := results.row(run)) is not None)
        return RowResult(line.row, line.system, line.published, ours, runs=runs, note=line.note or rest)
    if not line.runs:
        shown = "figure" if line.quick_epochs else "left out"
        return RowResult(line.row, line.system, line.published, shown, note=line.note)
    values, rows = results.values(line), results.rows_of(line)
    facts: dict[str, Any] = {
        "measure": line.measure, "target": line.target, "n_runs": len(line.runs), "note": line.note
    }  # fmt: skip
    if not values:
        return RowResult(line.row, line.system, line.published, MISSING, **facts)
    mean, spread, _ = mean_and_spread(values)
    return RowResult(
        line.row,
        line.system,
        line.published,
        MEASURES[line.measure].write(mean, spread),
        also=_write_also(line, results),
        values=tuple(values),
        mean=round_figure(mean),
        spread=round_figure(spread),
        reached=say_reached(line, mean),
        runs=tuple(map(find_provenance, rows)),
        train_seconds=round_figure(mean_and_spread([row["train_seconds"] for row in rows]).mean),
        **facts,
    )


def find_provenance(row: dict[str, Any]) -> Provenance:
    """Where a row comes from."""
    run, commit = row["run"], row["commit"]
    return Provenance(
        key=row["key"], seed=run["seed"], fold=run["fold"] if run["n_folds"] else None,
        commit=commit.removesuffix(LOCAL_CHANGES), local_changes=commit.endswith(LOCAL_CHANGES),
        date=row["date"], machine=row["machine"],
    )  # fmt: skip


def _write_also(line: Line, results: Results) -> str:
    """The line's further measure, with its name."""
    if not line.also:
        return ""
    measure, (mean, spread, _) = MEASURES[line.also], mean_and_spread(results.values(line, line.also))
    return f"{measure.label} {measure.write(mean, spread)}"


def say_reached(line: Line, mean: float) -> str:
    """Whether a mean reaches the line's target, before any rounding."""
    if line.target is None:
        return ""
    short = MEASURES[line.measure].shortfall(mean, line.target)
    return f"no, {short:.2g} short" if short else "yes"
