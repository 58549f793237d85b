"""What the rows say: for each line of a study its scores, its table, its page."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from legible.data.split import Splits
from legible.errors import InputError
from legible.evaluation.measures import MEASURES, duration
from legible.evaluation.metrics import mean_and_spread
from legible.report.tables import Table
from legible.studies.plan import Line, Run

MISSING = "not run"
COLUMNS = ("#", "system", "published", "ours", "seeds", "training", "reached")


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
        """Whether a dataset is at hand."""
        try:
            self.splits(dataset)
        except InputError:
            return False
        return True

    def row(self, run: Run) -> dict[str, Any] | None:
        """The row of a run, or None while it has not been done.

        Where its data is not at hand, a row of the same settings is taken for it.
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
            except InputError as error:  # its data is not at hand
                self._proofs[line.row] = f"{MISSING}\n{error}"
        return self._proofs.get(line.row, "")


def line_facts(line: Line, results: Results) -> dict[str, Any]:
    """One line of a study's table as plain values."""
    facts: dict[str, Any] = {"system": line.system, "published": line.published}
    if line.runs:
        facts |= {"measure": line.measure, "ours": results.values(line)}
    if line.prove is not None:
        facts["found"] = results.proof(line)
    return facts


def line_cells(line: Line, results: Results) -> list[str]:
    """One line of a study's table as text."""
    if line.prove is not None:
        return [line.row, line.system, line.published, results.proof(line).partition("\n")[0], "", "", ""]
    if not line.runs:
        shown = "figure" if line.quick_epochs else "left out"
        return [line.row, line.system, line.published, shown, "", "", ""]
    values, measure = results.values(line), MEASURES[line.measure]
    if not values:
        return [line.row, line.system, line.published, MISSING, f"0 of {len(line.runs)}", "", ""]
    mean, spread, n = mean_and_spread(values)
    seconds = mean_and_spread([row["train_seconds"] for row in results.rows_of(line)]).mean
    seeds = str(n) if n == len(line.runs) else f"{n} of {len(line.runs)}"
    return [
        line.row,
        line.system,
        line.published,
        measure.write(mean, spread) + _write_also(line, results),
        seeds,
        duration(seconds),
        say_reached(line, mean),
    ]


def _write_also(line: Line, results: Results) -> str:
    """The line's further measure, in brackets."""
    if not line.also:
        return ""
    measure, (mean, spread, _) = MEASURES[line.also], mean_and_spread(results.values(line, line.also))
    return f" ({measure.words} {measure.write(mean, spread)})"


def say_reached(line: Line, mean: float) -> str:
    """Whether a mean reaches the line's target, before any rounding."""
    if line.target is None:
        return ""
    short = MEASURES[line.measure].shortfall(mean, line.target)
    return f"no, {short:.2g} short" if short else "yes"


def study_table(lines: list[Line], results: Results, title: str) -> Table:
    """The published and our figures, side by side."""
    return Table(COLUMNS, [line_cells(line, results) for line in lines], title)


def notes(lines: list[Line], results: Results) -> list[str]:
    """What stands under a table: remarks, and whatever a line that is not an accuracy says at more length."""
    said = ((line.row, line.note or results.proof(line).partition("\n")[2]) for line in lines)
    return [f"{row}: {text}" for row, text in said if text]
