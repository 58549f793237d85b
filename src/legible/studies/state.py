"""How far the studies are: every row with its figures, or that it is missing."""

from __future__ import annotations

from pathlib import Path

from legible.report.study_results import COLUMNS, RowResult, read_results, rows_by_name
from legible.report.tables import Table
from legible.studies.choose import Chosen
from legible.studies.results import Results, row_result


def find_state(chosen: Chosen, results: Results, folder: Path) -> list[RowResult]:
    """Every chosen row with its published figure and ours, or that it is missing.

    Whatever isn't a training would have to be done again: it is taken from results.json in the folder.
    """
    written = rows_by_name(read_results(folder))
    rows = []
    for _, _, lines in chosen:
        for line in lines:
            unknown = RowResult(line.row, line.system, line.published, "no page yet")
            rows.append(row_result(line, results) if line.prove is None else written.get(line.row, unknown))
    return rows


def state_table(rows: list[RowResult]) -> Table:
    """The state of all rows as a table, without what the systems are."""
    kept = [i for i, column in enumerate(COLUMNS) if column != "system"]
    return Table([COLUMNS[i] for i in kept], [[row.cells()[i] for i in kept] for row in rows])
