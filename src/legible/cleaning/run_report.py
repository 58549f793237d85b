"""The report of a run: a row for each page, as a web page with small pictures, as CSV and as JSON lines."""

from __future__ import annotations

import csv
import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from legible.cleaning.job import FileReport, Job, warnings_of
from legible.cleaning.views import view_path
from legible.documents.folders import Skipped
from legible.errors import OutputError
from legible.output import append_line, new_file

PAGE, TABLE, LINES, THUMBS = "index.html", "pages.csv", "pages.jsonl", "thumbs"
COLUMNS = (
    "file", "page", "pages", "output", "action", "reason", "width", "height", "mode",
    "ink_before", "ink_after", "ink_lost", "bytes_before", "bytes_after", "seconds", "warnings", "error",
    "before", "after", "source_link", "output_link",
)  # fmt: skip
_MARK = '<meta name="generator" content="legible clean">'
_TEMPLATE = Path(__file__).with_name("run_report.html")
_EVERY_S = 20.0  # between writings of the page
Row = dict[str, Any]


def check_report_folder(folder: Path, *, overwrite: bool = False) -> None:
    """Raise OutputError if a folder holds anything but a report of ours, unless overwrite."""
    if overwrite and not folder.is_file():
        return
    page = folder / PAGE
    is_ours = page.is_file() and _MARK in page.read_text(encoding="utf-8", errors="replace")[:1000]
    if folder.is_file() or (folder.is_dir() and not is_ours and any(folder.iterdir())):
        raise OutputError(
            f"{folder} exists already and is no report of legible clean. Name another folder for --report, "
            "or add --overwrite to write into it."
        )


class RunReport:
    """A report that grows file by file: lines are appended at once, the rest is written now and then.

    Rows of an earlier run stay, unless their file is done again. Raises OutputError.
    """

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.folder, self.settings = folder, settings
        self._rows: dict[str, list[Row]] = {}
        for row in _read_rows(folder / LINES):
            rows = self._rows.setdefault(_key(row), [])
            rows[:] = [each for each in rows if each["page"] != row["page"]]
            rows.append(row)
        self._write_page()

    @property
    def rows(self) -> list[Row]:
        """All rows, by file and page."""
        return [row for key in sorted(self._rows) for row in self._rows[key]]

    def keep_old(self, planned: Sequence[Job], existing: Sequence[Job], skipped: Iterable[Skipped]) -> None:
        """Add a row for what is not cleaned in this run and has none yet, and drop what was skipped before.

        planned: all files of the run. existing: of them, those that are there already.
        """
        self._rows = {key: rows for key, rows in self._rows.items() if rows[0]["action"] != "skipped"}
        for key in {_link(self.folder, job.target) for job in planned} & set(self._rows):
            if self._rows[key][0]["error"]:
                del self._rows[key]  # it is done again
        for job in existing:
            row = self._row(job, {"action": "existed", "reason": "made before, without this report"})
            self._rows.setdefault(_key(row), [row])
        for each in skipped:
            row = _blank({"file": str(each.path), "action": "skipped", "reason": each.reason})
            row["source_link"] = _link(self.folder, each.path)
            self._rows[_key(row)] = [row]
        self._write_all()

    def add(self, report: FileReport) -> None:
        """Add the pages of a file, or its error."""
        lines = report.pages or ({"action": "failed", "error": report.error},)
        rows = [self._row(report.job, line) for line in lines]
        self._rows[_key(rows[0])] = rows
        append_line(self.folder / LINES, "\n".join(map(_to_line, rows)))
        if time.monotonic() - self._written > _EVERY_S:
            self._write_page()

    def finish(self) -> None:
        """Write everything."""
        self._write_all()

    def _row(self, job: Job, line: dict[str, Any]) -> Row:
        row = _blank({"file": str(job.source), "output": str(job.target), **line})
        row["warnings"] = warnings_of(line)
        row["bytes_before"], row["bytes_after"] = _size(job.source), _size(job.target)
        before, after = line.get("ink_before"), line.get("ink_after")
        if before and after is not None:
            row["ink_lost"] = round(1 - after / before, 4)
        row["source_link"], row["output_link"] = (
            _link(self.folder, path) for path in (job.source, job.target)
        )
        for name in ("before", "after") if job.thumbs is not None and row["page"] else ():
            path = view_path(job.thumbs or self.folder, row["page"], row["pages"], f"-{name}.jpg")
            if path.exists() and (name == "before" or row["action"] == "cleaned"):
                row[name] = path.relative_to(self.folder).as_posix()
        return row

    def _write_all(self) -> None:
        with new_file(self.folder / LINES, overwrite=True) as temporary:
            temporary.write_text("".join(_to_line(row) + "\n" for row in self.rows), encoding="utf-8")
        with (
            new_file(self.folder / TABLE, overwrite=True) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            table = csv.DictWriter(file, COLUMNS)
            table.writeheader()
            table.writerows({**row, "warnings": "; ".join(row["warnings"])} for row in self.rows)
        self._write_page()

    def _write_page(self) -> None:
        with new_file(self.folder / PAGE, overwrite=True) as temporary:
            temporary.write_text(write_page(self.rows, self.settings), encoding="utf-8")
        self._written = time.monotonic()


def write_page(rows: Sequence[Row], settings: dict[str, str]) -> str:
    """The web page of a report: one file that needs nothing but the small pictures beside it."""
    shown = [[_quoted(row, name) for name in COLUMNS] for row in rows]
    data = json.dumps({"columns": COLUMNS, "rows": shown}, ensure_ascii=False, separators=(",", ":"))
    said = ", ".join(f"{name} {value}" for name, value in settings.items())
    text = _TEMPLATE.read_text(encoding="utf-8")
    for mark, value in (("{{mark}}", _MARK), ("{{settings}}", escape(said))):
        text = text.replace(mark, value)
    return text.replace("{{data}}", data.replace("<", "\\u003c"))


def _quoted(row: Row, name: str) -> Any:
    is_link = name in ("before", "after", "source_link", "output_link")
    return quote(row[name]) if is_link and row[name] else row[name]


def _read_rows(path: Path) -> Iterator[Row]:
    """The rows of an earlier run; a line that was cut off by a kill is none."""
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and row.get("file"):
            yield _blank(row) | {"warnings": list(row.get("warnings") or [])}


def _blank(row: Row) -> Row:
    """A row with all columns; those that it lacks are empty."""
    plain = {name: row.get(name) for name in COLUMNS}
    texts = ("file", "output", "action", "reason", "error", "before", "after", "source_link", "output_link")
    empty: Row = {**dict.fromkeys(texts, ""), "warnings": []}
    return {name: empty.get(name) if value is None else value for name, value in plain.items()}


def _key(row: Row) -> str:
    return str(row["output_link"] or row["source_link"])


def _to_line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False)


def _link(folder: Path, path: Path) -> str:
    """The way from the report to a file."""
    return Path(os.path.relpath(path, folder)).as_posix()


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None
