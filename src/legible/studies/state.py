"""How far the studies are: what is done, what is missing and how long that takes, whether the docs agree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from legible.evaluation.measures import duration
from legible.report.tables import Table
from legible.studies.pages import rows_in
from legible.studies.plan import Line, Run, Study
from legible.studies.results import COLUMNS, Results, line_cells
from legible.studies.summary import put_summary

Chosen = Sequence[tuple[str, Study, Sequence[Line]]]
_OURS = COLUMNS.index("ours")


def state_table(chosen: Chosen, results: Results, pages: Path) -> Table:
    """Every row with its published figure and ours, or that it is missing.

    What is no training, and would have to be done anew, is shown as its page has it.
    """
    columns = [column for column in COLUMNS if column != "system"]
    rows = []
    for _, study, lines in chosen:
        written = rows_in(pages / f"{study.page}.md")
        for line in lines:
            cells = line_cells(line, results) if line.runs or line.prove is None else written.get(line.row)
            cells = cells or [line.row, "", line.published, "no page yet", "", "", ""]
            rows.append([cell for column, cell in zip(COLUMNS, cells, strict=True) if column != "system"])
    return Table(columns, rows)


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


def find_differences(
    chosen: Chosen, results: Results, pages: Path, documents: Sequence[Path]
) -> Iterator[str]:
    """Where the pages say something else than the rows, or other documents than the pages: a sentence each.

    Of lines that are found anew for each page, nothing is compared.
    """
    said: dict[str, str] = {}
    for _, study, lines in chosen:
        page = pages / f"{study.page}.md"
        written = rows_in(page)
        wanted = {line.row: line_cells(line, results) for line in lines if line.runs}
        for row, cells in wanted.items():
            if written.get(row) != cells:
                found = f"the page {written[row][_OURS]}" if row in written else "the page nothing"
                yield f"{page}, row {row}: the rows give {cells[_OURS]}, {found}, or differ elsewhere."
        gone = set(written) - {line.row for line in study.lines}
        yield from (f"{page}, row {row}: there is no such row any more." for row in sorted(gone))
        said |= {row: cells[_OURS] for row, cells in written.items() if row not in gone}
    for document in filter(Path.is_file, documents):
        yield from _differ(document, said, pages)


def _differ(document: Path, said: Mapping[str, str], pages: Path) -> Iterator[str]:
    """Where a document says something else than the pages.

    In it each figure that is followed by its row, as 99.74 ± 0.01 % (`R1`), must be that row's, and its
    tables must be those of summary.py.
    """
    text = document.read_text()
    for told, row in re.findall(r"([^`|]{1,60}) \(`([A-ER]\d[^`]*)`\)", text):
        if row in said and not " ".join(told.split()).endswith(said[row].partition(" (")[0]):
            yield f"{document}: row {row} is {said[row]} on its page; here it is ...{told[-20:]}."
    if put_summary(text, pages) != text:
        yield f"{document}: its tables of results are not those of the pages."
