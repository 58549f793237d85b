"""A study's page, as Markdown and PNG, and its entry in results.json."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from legible.errors import InputError
from legible.output import new_file
from legible.report.figures import save_figure
from legible.report.study_results import (
    LEGEND,
    Part,
    StudyResult,
    footnotes,
    notes,
    results_table,
    write_results,
)
from legible.report.tables import markdown
from legible.studies.choose import names_of
from legible.studies.results import Results, row_result
from legible.studies.study import Line, Study


def write_page(study: Study, results: Results, folder: Path) -> Path:
    """Write a study's page, figures and entry in results.json into a folder; return the page's path."""
    rows = {line.row: row_result(line, results) for line in study.lines}
    files = {}
    for title, figure in study.draw(study, results).items():
        files[title] = f"{study.page}-{re.sub('[ ,]+', '-', title)}.png"  # a link ends at a space
        save_figure(figure, folder / files[title], overwrite=True)
    parts = tuple(
        Part(heading, tuple(replace(rows[x.row], figures=find_figures(x, files)) for x in lines))
        for heading, lines in _in_parts(study)
    )
    found = StudyResult(study.page, study.title, parts, files)
    page = folder / f"{study.page}.md"
    with new_file(page, overwrite=True) as temporary:
        temporary.write_text(page_text(found))
    write_results(folder, [found])
    return page


def write_if_whole(
    name: str, study: Study, lines: Sequence[Line], results: Results, folder: Path, *, required: bool
) -> str:
    """Write a study's page if all its lines are chosen; return a sentence on what was done.

    Where data for its figures is not available, nothing is written; if required, InputError is raised.
    """
    if len(lines) != len(study.lines):
        return f"no page written: pages are of whole reports, here of {name}." if required else ""
    try:
        page = write_page(replace(study, lines=tuple(lines)), results, folder)
    except InputError as error:
        if required:
            raise
        return f"no page written of {name}: {error}"
    return f"written: {page}"


def page_text(study: StudyResult) -> str:
    """A study's page as Markdown."""
    blocks = [f"# {study.title}", LEGEND]
    for part in study.parts:
        blocks += [f"## {part.heading}"] if part.heading else []
        blocks += [markdown(results_table(part.rows)), *footnotes(part.rows)]
        blocks += [f"- {note}" for note in notes(part.rows)]
    blocks += ["## Figures"] if study.figures else []
    blocks += [f"![{title}]({file})" for title, file in study.figures.items()]
    return "\n\n".join(block.strip() for block in blocks) + "\n"


def find_figures(line: Line, files: dict[str, str]) -> tuple[str, ...]:
    """The files of the figures about a line, of title -> file: a title begins with the row or its group.

    `B3 honest-curves` is about all rows of B3 that are honest.
    """
    words, names = set(line.row.lower().split()), names_of(line)
    about = {title: title.partition("-")[0].lower().split() for title in files}
    return tuple(
        files[title] for title, (first, *rest) in about.items() if first in names and words.issuperset(rest)
    )


def _in_parts(study: Study) -> list[tuple[str, list[Line]]]:
    """A study's lines below the headings of their parts; those before the first heading have none."""
    parts: list[tuple[str, list[Line]]] = []
    for line in study.lines:
        if line.row in study.parts or not parts:
            parts.append((study.parts.get(line.row, ""), []))
        parts[-1][1].append(line)
    return parts
