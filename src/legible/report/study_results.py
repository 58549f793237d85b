"""The results of the studies as data: results.json, in the folder of their pages and with the same figures.

The state of the studies, README's tables, `legible reproduce --check` and the web page read this file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from legible.errors import InputError
from legible.evaluation.measures import duration
from legible.output import new_file
from legible.report.tables import Table

FILE = "results.json"
MISSING = "not run"
COLUMNS = ("#", "system", "published", "ours", "seeds", "training", "reached")
LEGEND = (
    "Published figures and ours, row by row: the mean over seeds ± the standard deviation. *Reached* "
    "compares our mean, before rounding, with the published figure, or with the target given in a note."
)
MARKS = {  # after a figure, for runs without full provenance
    "†": "At least one run behind this figure was made without a recorded commit.",
    "‡": "At least one run behind this figure was made with local changes that are in no commit.",
}


@dataclass(frozen=True)
class Provenance:
    """The origin of a figure: the key of a run in rows.jsonl, and its date, machine and source.

    seed: of the run; fold: of a cross-validation, from 0. commit: of the source, empty if none was recorded.
    local_changes: whether the source had uncommitted changes.
    """

    key: str
    seed: int
    fold: int | None
    commit: str
    local_changes: bool
    date: str
    machine: str


@dataclass(frozen=True)
class RowResult:
    """A row of a report: the published figure and ours.

    ours, also: our figure and a second measure, as text for the table. measure: its name in
    evaluation.measures; values: of each finished run, in the unit of the measure (an accuracy is a fraction);
    mean, spread: of these, to six digits; the spread is the sample standard deviation. target: to be reached.
    n_runs: number of runs of the row, finished or not. train_seconds: the mean over the runs.
    figures: files in the folder of results.json. note: below the table.
    """

    row: str
    system: str
    published: str
    ours: str
    also: str = ""
    measure: str = ""
    values: tuple[float, ...] = ()
    mean: float | None = None
    spread: float | None = None
    target: float | None = None
    reached: str = ""
    n_runs: int = 0
    runs: tuple[Provenance, ...] = ()
    train_seconds: float | None = None
    note: str = ""
    figures: tuple[str, ...] = ()

    @property
    def marks(self) -> str:
        """The marks of MARKS that apply to its figure."""
        without = any(not run.commit for run in self.runs)
        changed = any(run.local_changes for run in self.runs)
        return "†" * without + "‡" * changed

    @property
    def marked(self) -> str:
        """Our figure without text in brackets, with its marks."""
        return f"{self.ours.partition(' (')[0]} {self.marks}".strip()

    def cells(self) -> list[str]:
        """The row as text, a cell for each of COLUMNS."""
        also, n_done = f" ({self.also})" if self.also else "", len(self.values)
        seeds = str(n_done) if n_done == self.n_runs else f"{n_done} of {self.n_runs}"
        return [
            self.row,
            self.system,
            self.published,
            f"{self.ours}{also} {self.marks}".strip(),
            seeds if self.n_runs else "",
            "" if self.train_seconds is None else duration(self.train_seconds),
            self.reached,
        ]

    def to_json(self) -> dict[str, Any]:
        """The values as JSON-serialisable types."""
        return asdict(self)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """The row that to_json wrote. Raises TypeError or KeyError for anything else."""
        lists = {"values": tuple(values["values"]), "figures": tuple(values["figures"])}
        return cls(**{**values, **lists, "runs": tuple(Provenance(**run) for run in values["runs"])})


@dataclass(frozen=True)
class Part:
    """Some rows of a study, with a heading, which may be empty."""

    heading: str
    rows: tuple[RowResult, ...]


@dataclass(frozen=True)
class StudyResult:
    """A report: its rows in parts, and its figures. name: of its page without the ending.

    figures: title -> file in the folder of results.json.
    """

    name: str
    title: str
    parts: tuple[Part, ...]
    figures: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> tuple[RowResult, ...]:
        """The rows of all parts."""
        return tuple(row for part in self.parts for row in part.rows)

    def to_json(self) -> dict[str, Any]:
        """The values as JSON-serialisable types."""
        return asdict(self)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """The study that to_json wrote. Raises TypeError or KeyError for anything else."""
        parts = (Part(p["heading"], tuple(map(RowResult.of, p["rows"]))) for p in values["parts"])
        return cls(values["name"], values["title"], tuple(parts), values["figures"])


Studies = Mapping[str, StudyResult]  # by name


def results_table(rows: Iterable[RowResult], title: str = "") -> Table:
    """A table of rows, with the published figures and ours."""
    return Table(COLUMNS, [row.cells() for row in rows], title)


def footnotes(rows: Iterable[RowResult]) -> list[str]:
    """Explanations of the marks in a table of these rows."""
    used = {mark for row in rows for mark in row.marks}
    return [f"{mark} {meaning}" for mark, meaning in MARKS.items() if mark in used]


def notes(rows: Iterable[RowResult]) -> list[str]:
    """The notes below a table of these rows."""
    return [f"{row.row}: {row.note}" for row in rows if row.note]


def rows_by_name(studies: Studies) -> dict[str, RowResult]:
    """The rows of all studies by name, such as `B2.4` or `E3 ours`."""
    return {row.row: row for study in studies.values() for row in study.rows}


def read_results(folder: Path) -> dict[str, StudyResult]:
    """The studies in a folder's results.json by name; empty if the file doesn't exist.

    Raises InputError if it cannot be read.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        studies = [StudyResult.of(values) for values in json.loads(path.read_text())["studies"]]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"{path} is not a file of results: {error!r}. Write it again: make results"
        ) from error
    return {study.name: study for study in studies}


def write_results(folder: Path, studies: Iterable[StudyResult]) -> Path:
    """Write studies to a folder's results.json, replacing those of the same name; return its path."""
    path = folder / FILE
    known = read_results(folder) | {study.name: study for study in studies}
    plain = {"studies": [known[name].to_json() for name in sorted(known)]}
    with new_file(path, overwrite=True) as temporary:
        temporary.write_text(json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    return path
