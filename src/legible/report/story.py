"""A self-contained HTML page: titles, text, tables and pictures in one file."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Protocol

from matplotlib.figure import Figure
from PIL import Image

from legible.output import new_file
from legible.report.look import DPI
from legible.report.tables import Table

_STYLE = """
:root { color-scheme: light dark; font: 17px/1.55 system-ui, sans-serif; }
body { max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
img { max-width: 100%; height: auto; background: #fff; border-radius: .4rem; margin: .5rem 0; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid #8886; }
td.figure { font-variant-numeric: tabular-nums; }
pre { background: #8882; padding: .6rem .8rem; border-radius: .4rem; overflow-x: auto; }
section { margin: 2.5rem 0; }
"""


class Chapter(Protocol):
    """A section of the page."""

    @property
    def title(self) -> str:
        """Its heading."""

    @property
    def text(self) -> str:
        """A few sentences; text in backquotes is set as code."""

    @property
    def command(self) -> str:
        """A command that does the same."""

    @property
    def pictures(self) -> Sequence[Figure | Image.Image]:
        """Figures and pictures."""

    @property
    def table(self) -> Table | None:
        """A table, or None."""


def write_story(
    title: str, lead: str, chapters: Sequence[Chapter], path: Path, *, overwrite: bool = False
) -> None:
    """Write chapters as one HTML file without external files. Raises OutputError."""
    body = "".join(
        f"<section>{_write_chapter(n, one)}</section>\n" for n, one in enumerate(chapters, start=1)
    )
    page = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{escape(title)}</h1><p>{_inline(lead)}</p>\n{body}</body></html>\n"
    )
    with new_file(path, overwrite=overwrite) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _write_chapter(number: int, chapter: Chapter) -> str:
    parts = [f"<h2>{number}. {escape(chapter.title)}</h2><p>{_inline(chapter.text)}</p>"]
    parts += [chapter.table._repr_html_()] if chapter.table else []
    parts += [
        f'<img alt="{escape(chapter.title)}" src="{_embed(picture)}"><br>' for picture in chapter.pictures
    ]
    parts.append(f"<pre>{escape(chapter.command)}</pre>")
    return "\n".join(parts)


def _inline(text: str) -> str:
    """Text as HTML, with text in backquotes as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))


def _embed(picture: Figure | Image.Image) -> str:
    """A picture as a data URL."""
    written = io.BytesIO()
    if isinstance(picture, Figure):
        picture.savefig(written, format="png", dpi=DPI, metadata={"Software": None})
    else:
        picture.save(written, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(written.getvalue()).decode()}"
