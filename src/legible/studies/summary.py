"""All studies in two small tables: the reports' main figures, and the best known anywhere, each beside ours.

The figures are those in results.json.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from legible.errors import InputError
from legible.output import new_file
from legible.report.study_results import FILE, RowResult, footnotes, read_results, rows_by_name
from legible.report.tables import Table, markdown

Rows = Mapping[str, RowResult]  # by their names


@dataclass(frozen=True)
class Headline:
    """A report's main figure: its row, and the row of our own version where there is one."""

    report: str
    what: str
    row: str
    ours: str = ""


@dataclass(frozen=True)
class Anchor:
    """The best figure known anywhere, with its source, and the row that is compared with it.

    also: whether the row's further measure is compared, not its first one.
    """

    what: str
    best: float
    source: str
    row: str
    less_is_better: bool = False
    also: bool = False


HEADLINES = (
    Headline("A", "digits read", "A1", "A5"),
    Headline("A", "digits read under Gaussian noise 0.5", "A3", "A3 ours"),
    Headline("B", "digits given back through a bottleneck, BCE", "B1.1", "B1.1 ours"),
    Headline("B", "noise taken off digits, MSE", "B2.3", "B2.3 ours"),
    Headline("B", "dirt taken off pages, MSE", "B3.25", "B3.25 ours"),
    Headline("C", "digits read", "C1", "C1 ours"),
    Headline("D", "digits read", "D1", "D1 ours"),
    Headline("E", "digits read by a dense net", "E3 0", "E3 ours"),
    Headline("E", "digits read, the best of three sweeps", "E4 final"),
)
ANCHORS = (
    Anchor("MNIST, one net", 99.641, "± 0.047 %, mean of 15 (Deotte)", "R1"),
    Anchor("MNIST, several nets together", 99.745, "± 0.020 %, at most 99.79 (Deotte)", "R2"),
    Anchor("MNIST under Gaussian noise 0.5", 94.66, "% (report A)", "A3 ours"),
    Anchor("Gaussian noise 0.5 off MNIST, MSE", 0.0160, "(HopfieldPooling)", "E5 ours, grain", True),
    Anchor("pages split at random, RMSE", 0.0151, "(a U-Net)", "B3 ours, at random", True, also=True),
    Anchor("digits drawn that are what was asked for", 92.7, "%", "E8 as asked"),
    Anchor("MNIST, binarised anew", 77.9, "nats (Bayesian flow network)", "E8 dynamic", True),
    Anchor("MNIST, binarised once", 78.30, "nats (ladder VAE of 12 layers)", "E8 static", True),
)
_MARKED = re.compile(r"(?<=<!-- results -->\n).*?(?=<!-- end of results -->)", re.DOTALL)


def summary_tables(rows: Rows) -> tuple[Table, Table]:
    """The reports' main figures beside ours, and the best known anywhere beside ours. Raises KeyError."""
    reports, anchors, counted = [], [], set[str]()
    for line in HEADLINES:
        same, ours = rows[line.row], rows[line.ours].marked if line.ours else ""
        n_reached = "" if line.report in counted else _count_reached(line.report, rows)
        reports.append([line.report, line.what, same.published, same.marked, ours, n_reached])
        counted.add(line.report)
    for anchor in ANCHORS:
        row = rows[anchor.row]
        ours = f"{row.also.rpartition(' ')[2]} {row.marks}".strip() if anchor.also else row.marked
        known = f"{anchor.best:g} {anchor.source}"
        anchors.append([anchor.what, known, ours, _is_better(ours, anchor), anchor.row])
    return (
        Table(["report", "what", "published", "the same here", "ours", "figures reached"], reports),
        Table(["what", "the best known", "ours", "better", "row"], anchors),
    )


def summary_text(rows: Rows) -> str:
    """The two tables as Markdown, and what the marks in them mean. Raises KeyError for a missing row."""
    shown = {name for line in HEADLINES for name in (line.row, line.ours)} | {x.row for x in ANCHORS}
    notes = footnotes(row for name, row in rows.items() if name in shown)
    return "\n".join([*map(markdown, summary_tables(rows)), *(f"{note}\n" for note in notes)])


def _is_better(ours: str, anchor: Anchor) -> str:
    """Whether our figure beats the best known: yes or no, and nothing where there is no figure."""
    try:
        figure = float(ours.split(maxsplit=1)[0].rstrip("%"))
    except ValueError:
        return ""
    return "yes" if (figure < anchor.best if anchor.less_is_better else figure > anchor.best) else "no"


def _count_reached(report: str, rows: Rows) -> str:
    """How many of a report's figures are reached, as published or by ours: `21 of 25`."""
    reached: dict[str, bool] = {}
    for name, row in rows.items():
        if name.startswith(report) and row.reached:
            figure = name.split()[0]
            reached[figure] = reached.get(figure, False) or row.reached == "yes"
    return f"{sum(reached.values())} of {len(reached)}"


def put_summary(text: str, folder: Path) -> str:
    """A document with the two tables between its marks, `<!-- results -->` and `<!-- end of results -->`.

    folder: that of results.json. Raises InputError where it lacks a row.
    """
    if not _MARKED.search(text):
        return text
    try:
        written = summary_text(rows_by_name(read_results(folder)))
    except KeyError as missing:
        raise InputError(f"{folder / FILE} has no row {missing}. Write it first: make results") from missing
    return _MARKED.sub(lambda _: f"\n{written}\n", text)


def write_summary(document: Path, folder: Path) -> None:
    """Bring the two tables of a document up to date. Raises InputError where there is no such file."""
    if not document.is_file():
        raise InputError(f"there is no file {document} to bring up to date.")
    text = put_summary(document.read_text(), folder)
    with new_file(document, overwrite=True) as temporary:
        temporary.write_text(text)
