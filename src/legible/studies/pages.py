"""A study's page: its tables and figures as Markdown and PNG."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from legible.output import new_file
from legible.report.figures import save_figure
from legible.report.tables import Table, from_markdown, markdown
from legible.studies.plan import Study
from legible.studies.results import Results, notes, study_table


def stem_of(name: str) -> str:
    """What the page of a study is called, without its ending."""
    return f"report-{name}" if len(name) == 1 else name


def write_page(name: str, study: Study, results: Results, folder: Path) -> Path:
    """Write FOLDER/report-NAME.md and its figures, replacing older ones; return the page's path.

    A study that is no report's, which is one letter, has its name alone: records.md.
    """
    stem = stem_of(name)
    parts = [f"# {study.title}", markdown(study_table(list(study.lines), results, ""))]
    parts += [f"- {note}" for note in notes(list(study.lines), results)]
    for title, figure in study.draw(study, results).items():
        path = folder / f"{stem}-{re.sub('[ ,]+', '-', title)}.png"  # a link ends at a space
        save_figure(figure, path, overwrite=True)
        parts.append(f"![{title}]({path.name})")
    page = folder / f"{stem}.md"
    with new_file(page, overwrite=True) as temporary:
        temporary.write_text("\n\n".join(parts) + "\n")
    return page


def rows_in(page: Path) -> dict[str, list[str]]:
    """The lines of the tables on a page by their first cell; none where there is no page."""
    if not page.is_file():
        return {}
    blocks = re.split(r"\n\s*\n", page.read_text())
    tables: Iterable[Table] = filter(None, map(from_markdown, blocks))
    return {row[0]: list(row) for table in tables for row in table.rows}
