"""Whether results.json, the pages and the documents say what the rows say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from itertools import zip_longest
from pathlib import Path

from legible.report.study_results import FILE, RowResult, StudyResult, read_results, rows_by_name
from legible.studies.choose import Chosen
from legible.studies.pages import page_text
from legible.studies.results import Results, row_result
from legible.studies.study import Line, Study
from legible.studies.summary import put_summary

_COMPARED = [f.name for f in fields(RowResult) if f.name != "figures"]


def find_differences(
    chosen: Chosen, results: Results, folder: Path, documents: Sequence[Path]
) -> Iterator[str]:
    """Where results.json differs from the rows, or the pages and documents from it: a sentence each.

    folder: that of results.json and the pages. documents: those that cite figures; ones that do not exist
    are left out. What lines with a proof found is not compared with anything: it would be done again.
    """
    written = read_results(folder)
    for _, study, lines in chosen:
        found = written.get(study.page)
        if found is None:
            yield f"{folder / FILE} has no study {study.page}."
        else:
            yield from _differ_from_rows(found, study, lines, results, folder)
            yield from _differ_from_page(found, folder)
    for document in filter(Path.is_file, documents):
        yield from _differ_from_document(document, rows_by_name(written), folder)


def _differ_from_rows(
    found: StudyResult, study: Study, lines: Sequence[Line], results: Results, folder: Path
) -> Iterator[str]:
    """Where a study in results.json differs from the lines of the study and their rows."""
    path, by_row = folder / FILE, {row.row: row for row in found.rows}
    if found.title != study.title:
        yield f"{path}, {study.page}: the title is {found.title!r}, not {study.title!r}."
    for line in lines:
        if line.row not in by_row:
            yield f"{path} has no row {line.row}."
            continue
        row = by_row[line.row]
        if line.prove is None:
            expected = row_result(line, results)
        else:
            expected = replace(row, system=line.system, published=line.published, note=line.note or row.note)
        for name in _COMPARED:
            if getattr(row, name) != getattr(expected, name):
                said, right = (f"{getattr(x, name)!r:.60}" for x in (row, expected))
                yield f"{path}, row {line.row}: {name} is {said}; by the rows it is {right}."
                break
    for gone in sorted(set(by_row) - {line.row for line in study.lines}):
        yield f"{path}, row {gone}: there is no such row any more."


def _differ_from_page(found: StudyResult, folder: Path) -> Iterator[str]:
    """The first line in which a page differs from results.json."""
    page = folder / f"{found.name}.md"
    said = page.read_text().splitlines() if page.is_file() else []
    for number, (line, right) in enumerate(zip_longest(said, page_text(found).splitlines()), start=1):
        if line != right:
            yield f"{page}, line {number}, differs from {FILE}; it should be: {right or 'nothing'}"
            break


def _differ_from_document(document: Path, rows: Mapping[str, RowResult], folder: Path) -> Iterator[str]:
    """Where a document differs from results.json.

    In it each figure that is followed by its row, as 99.74 ± 0.01 % (`R1`), must be that row's, and its
    tables must be those of summary.py.
    """
    text = document.read_text()
    for said, name in re.findall(r"([^`|]{1,60}) \(`([A-ER]\d[^`]*)`\)", text):
        if name in rows and not " ".join(said.split()).endswith(rows[name].ours.partition(" (")[0]):
            yield f"{document}: row {name} is {rows[name].ours} in {FILE}; here it is ...{said[-20:]}."
    if put_summary(text, folder) != text:
        yield f"{document}: its tables of results are not those of {FILE}."
