"""All studies in two small tables: the reports' main figures, and the best known anywhere, each beside ours.

The figures are those on the studies' pages, which are written from the rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from legible.errors import InputError
from legible.output import new_file
from legible.report.tables import Table, markdown
from legible.studies.pages import rows_in
from legible.studies.results import COLUMNS

Cells = Mapping[str, Mapping[str, str]]  # of each row on the pages: what each column says


@dataclass(frozen=True)
class Headline:
    """A report's main figure: its row, and the row of ours where that is another one."""

    report: str
    what: str
    row: str
    ours: str = ""


@dataclass(frozen=True)
class Anchor:
    """The best figure known anywhere, with its source, and the row that stands beside it.

    label: what stands before that figure in the row's cell, where it holds several.
    """

    what: str
    best: float
    source: str
    row: str
    less_is_better: bool = False
    label: str = ""


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
    Anchor("pages split at random, RMSE", 0.0151, "(a U-Net)", "B3 ours, at random", True, "RMSE "),
    Anchor("digits drawn that are what was asked for", 92.7, "%", "E8 as asked"),
    Anchor("MNIST, binarised anew", 77.9, "nats (Bayesian flow network)", "E8 dynamic", True),
    Anchor("MNIST, binarised once", 78.30, "nats (ladder VAE of 12 layers)", "E8 static", True),
)
_MARKED = re.compile(r"(?<=<!-- results -->\n).*?(?=<!-- end of results -->)", re.DOTALL)


def summary_tables(rows: Cells) -> tuple[Table, Table]:
    """The reports' main figures beside ours, and the best known anywhere beside ours."""
    reports, anchors, told = [], [], set[str]()
    for line in HEADLINES:
        same, ours = rows[line.row], rows[line.ours]["ours"] if line.ours else ""
        n_reached = "" if line.report in told else _count_reached(line.report, rows)
        reports.append(
            [line.report, line.what, same["published"], _bare(same["ours"]), _bare(ours), n_reached]
        )
        told.add(line.report)
    for anchor in ANCHORS:
        cell = rows[anchor.row]["ours"]
        ours = _bare(cell.partition(anchor.label)[2].rstrip(")") if anchor.label else cell)
        better = _is_better(ours, anchor)
        known = f"{anchor.best:g} {anchor.source}"
        anchors.append([anchor.what, known, ours, better, anchor.row])
    return (
        Table(["report", "what", "published", "the same here", "ours", "figures reached"], reports),
        Table(["what", "the best known", "ours", "better", "row"], anchors),
    )


def _is_better(ours: str, anchor: Anchor) -> str:
    """Whether our figure beats the best known: yes or no, and nothing where there is no figure."""
    try:
        figure = float(ours.split(maxsplit=1)[0].rstrip("%"))
    except ValueError:
        return ""
    return "yes" if (figure < anchor.best if anchor.less_is_better else figure > anchor.best) else "no"


def _bare(cell: str) -> str:
    """A cell without what it says in brackets."""
    return cell.partition(" (")[0]


def _count_reached(report: str, rows: Cells) -> str:
    """How many of a report's figures are reached, as published or by ours: `21 of 25`."""
    reached: dict[str, bool] = {}
    for name, cells in rows.items():
        if name.startswith(report) and cells["reached"]:
            figure = name.split()[0]
            reached[figure] = reached.get(figure, False) or cells["reached"] == "yes"
    return f"{sum(reached.values())} of {len(reached)}"


def read_pages(pages: Path) -> dict[str, dict[str, str]]:
    """What the tables on the studies' pages say, row by row."""
    return {
        row: dict(zip(COLUMNS, cells, strict=True))
        for path in sorted(pages.glob("*.md"))
        for row, cells in rows_in(path).items()
        if len(cells) == len(COLUMNS)
    }


def put_summary(text: str, pages: Path) -> str:
    """A document with the two tables between its marks, `<!-- results -->` and `<!-- end of results -->`.

    Raises InputError where a row lacks on the pages.
    """
    if not _MARKED.search(text):
        return text
    try:
        tables = summary_tables(read_pages(pages))
    except KeyError as lacking:
        raise InputError(f"{pages} has no row {lacking}. Write the pages first: make results") from lacking
    written = "\n".join(map(markdown, tables))
    return _MARKED.sub(lambda _: f"\n{written}\n", text)


def write_summary(document: Path, pages: Path) -> None:
    """Bring the two tables of a document up to date."""
    text = put_summary(document.read_text(), pages)
    with new_file(document, overwrite=True) as temporary:
        temporary.write_text(text)
