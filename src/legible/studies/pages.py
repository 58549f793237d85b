"""A study's page: its tables and figures as Markdown and PNG."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from legible.output import new_file
from legible.report.figures import save_figure
from legible.report.tables import Table, from_markdown, markdown
from legible.studies.plan import Line, Study
from legible.studies.results import Results, notes, study_table

LEGEND = (
    "Published and ours, row by row: the mean over seeds, ± the standard deviation. *Reached* compares our "
    "mean, before it is rounded, with the published figure, or with the aim that a note names."
)


def write_page(study: Study, results: Results, folder: Path) -> Path:
    """Write a study's page and its figures into a folder, replacing older ones; return the page's path."""
    blocks = [f"# {study.title}", LEGEND]
    for heading, lines in _in_parts(study):
        blocks += [f"## {heading}"] if heading else []
        blocks.append(markdown(study_table(lines, results, "")))
        blocks += [f"- {note}" for note in notes(lines, results)]
    for number, (title, figure) in enumerate(study.draw(study, results).items()):
        path = folder / f"{study.page}-{re.sub('[ ,]+', '-', title)}.png"  # a link ends at a space
        save_figure(figure, path, overwrite=True)
        blocks += ["## Figures"] if number == 0 else []
        blocks.append(f"![{title}]({path.name})")
    page = folder / f"{study.page}.md"
    with new_file(page, overwrite=True) as temporary:
        temporary.write_text("\n\n".join(block.strip() for block in blocks) + "\n")
    return page


def _in_parts(study: Study) -> list[tuple[str, list[Line]]]:
    """A study's lines under the headings of their parts; those before the first heading under none."""
    parts: list[tuple[str, list[Line]]] = []
    for line in study.lines:
        if line.row in study.parts or not parts:
            parts.append((study.parts.get(line.row, ""), []))
        parts[-1][1].append(line)
    return parts


def rows_in(page: Path) -> dict[str, list[str]]:
    """The lines of the tables on a page by their first cell; none where there is no page."""
    if not page.is_file():
        return {}
    blocks = re.split(r"\n\s*\n", page.read_text())
    tables: Iterable[Table] = filter(None, map(from_markdown, blocks))
    return {row[0]: list(row) for table in tables for row in table.rows}
