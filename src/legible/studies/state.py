"""How far the studies are: what is done, what is missing and how long that takes, whether the docs agree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median

from legible.evaluation.measures import duration
from legible.report.tables import Table, from_markdown
from legible.studies.pages import stem_of
from legible.studies.plan import Line, Run, Study
from legible.studies.results import COLUMNS, Results, line_cells

Chosen = Sequence[tuple[str, Study, Sequence[Line]]]
_OURS = COLUMNS.index("ours")
_README_OURS = 3  # the column of the README's table


def state_table(chosen: Chosen, results: Results) -> Table:
    """Every row with its published figure and ours, or that it is missing."""
    columns = [column for column in COLUMNS if column != "system"]
    rows = []
    for _, _, lines in chosen:
        for line in lines:
            cells = (
                line_cells(line, results)
                if line.runs
                else [line.row, "", line.published, _say(line), "", "", ""]
            )
            rows.append([cell for column, cell in zip(COLUMNS, cells, strict=True) if column != "system"])
    return Table(columns, rows)


def _say(line: Line) -> str:
    return "found anew for its page" if line.prove is not None else "figure"


def find_missing(chosen: Chosen, results: Results) -> dict[Run, str]:
    """The runs that have no row yet, with the row that each is for, in the order of their studies."""
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
    """The missing runs, shortest first, those of unknown length last; and in a sentence how long all take."""
    costs = {run: estimate_seconds(run, results) for run in missing}
    ordered = sorted(missing, key=lambda run: (costs[run] is None, costs[run] or 0.0))
    known = [cost for cost in costs.values() if cost is not None]
    n_unknown = len(costs) - len(known)
    told = f"{len(missing)} runs are missing: about {duration(sum(known))} of training"
    unknown = f", and {n_unknown} of which nothing tells how long they take" if n_unknown else ""
    return {run: missing[run] for run in ordered}, f"{told}{unknown}."


def find_differences(chosen: Chosen, results: Results, pages: Path, readme: Path) -> Iterator[str]:
    """Where the pages or the README say something else than the rows do, a sentence each.

    Of lines that are found anew for each page, nothing is compared.
    """
    told = _rows_in(readme)
    for name, study, lines in chosen:
        page = pages / f"{stem_of(name)}.md"
        written = _rows_in(page)
        wanted = {line.row: line_cells(line, results) for line in lines if line.runs}
        for row, cells in wanted.items():
            ours, short = cells[_OURS], cells[_OURS].partition(" (")[0]
            if written.get(row) != cells:
                found = written[row][_OURS] if row in written else "nothing"
                yield f"{page}, row {row}: the rows give {ours}, the page {found}, or differ elsewhere."
            if row in told and told[row][_README_OURS] != short:
                yield f"{readme}, row {row}: the rows give {short}, it says {told[row][_README_OURS]}."
        gone = set(written) - {line.row for line in study.lines}
        yield from (f"{page}, row {row}: there is no such row any more." for row in sorted(gone))


def _rows_in(path: Path) -> dict[str, list[str]]:
    """The lines of the tables in a file by their first cell; none where there is no file."""
    if not path.is_file():
        return {}
    blocks = re.split(r"\n\s*\n", path.read_text())
    tables: Iterable[Table] = filter(None, map(from_markdown, blocks))
    return {row[0]: list(row) for table in tables for row in table.rows}
