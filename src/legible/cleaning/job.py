"""A file to clean, and what is said of it: a line for each page, or an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from legible.choices import Mode
from legible.cleaning.cleaner import CleanPage
from legible.cleaning.views import Views
from legible.documents.page_range import PageRange
from legible.errors import ExitCode

OnPage = Callable[[int, int], None]
NOT_CHOSEN = "not chosen by --pages"


@dataclass(frozen=True)
class Job:
    """A file to clean. target: its name says the format.

    compared, thumbs: of comparisons and of a report's pictures, less the page's number and the ending.
    pages: those to clean, the others stay as they are; None for all. redraw: draw a PDF's pages anew, instead
    of changing the scans inside it. allow_signed: change a signed PDF, whose signature becomes invalid.
    """

    source: Path
    target: Path
    mode: Mode
    dpi: float | None
    most_pixels: int
    compared: Path | None = None
    overwrite: bool = False
    thumbs: Path | None = None
    pages: PageRange | None = None
    redraw: bool = False
    allow_signed: bool = False

    @property
    def views(self) -> Views:
        """Where pictures of its pages go."""
        return Views(self.compared, self.thumbs)

    def is_chosen(self, number: int) -> bool:
        """Whether the page with this number, from 1, is to be cleaned."""
        return self.pages is None or number in self.pages


@dataclass(frozen=True)
class FileReport:
    """What became of a file: a line for each page, or an error, with its exit code."""

    job: Job
    pages: tuple[dict[str, Any], ...] = ()
    error: str = ""
    code: ExitCode = ExitCode.OK

    @property
    def grew(self) -> float:
        """How many times as large the written file is."""
        return self.job.target.stat().st_size / max(1, self.job.source.stat().st_size) if self.pages else 0.0

    @property
    def exit_code(self) -> ExitCode:
        """That of its error; or of a damaged page, though the file was written."""
        damaged = any(line.get("damaged") for line in self.pages)
        return ExitCode.INPUT if damaged and self.code == ExitCode.OK else self.code

    @property
    def n_cleaned(self) -> int:
        """The number of pages that were cleaned."""
        return sum(line.get("action", "cleaned") == "cleaned" for line in self.pages)

    @property
    def warnings(self) -> tuple[tuple[int, str], ...]:
        """All warnings, with the numbers of their pages."""
        return tuple((line["page"], text) for line in self.pages for text in warnings_of(line))


def warnings_of(line: dict[str, Any]) -> list[str]:
    """The warnings of a page, and where text may have been lost."""
    return [*line.get("warnings", ()), *_lost_text(line.get("vanished", ()))]


def _lost_text(vanished: Any) -> Iterator[str]:
    if vanished:
        places = "; ".join("{}, {} to {}, {}".format(*box) for box in vanished[:3])
        n_lost = len(vanished)
        yield f"text may have been lost in {n_lost} place{'s' * (n_lost > 1)} ({places}): compare the pages"


LEFT: dict[str, Any] = {
    "action": "left", "reason": NOT_CHOSEN, "ink_before": None, "ink_after": None, "changed": 0.0,
    "reduced_by": 1, "vanished": [], "network_seconds": 0.0,
}  # fmt: skip


def say_cleaned(cleaned: CleanPage) -> dict[str, Any]:
    """What a page's line says of its cleaning."""
    return {
        "action": "cleaned", "reason": "",
        "ink_before": round(cleaned.ink_before, 5), "ink_after": round(cleaned.ink_after, 5),
        "changed": round(cleaned.changed, 5), "reduced_by": cleaned.reduced_by,
        "vanished": [list(box) for box in cleaned.vanished],
        "network_seconds": round(cleaned.network_seconds, 3),
    }  # fmt: skip
