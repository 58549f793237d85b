"""Clean a file of pages: what is done to it, and what is said of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from legible.choices import Mode
from legible.cleaning.cleaner import Cleaner, CleanPage
from legible.cleaning.views import Views
from legible.documents.document import Document, open_document, write_document
from legible.documents.formats import format_of
from legible.documents.page import Page
from legible.documents.page_range import PageRange
from legible.errors import ExitCode, LegibleError
from legible.output import copy_file
from legible.pictures import NotAPicture

OnPage = Callable[[int, int], None]
NOT_CHOSEN = "not chosen by --pages"


@dataclass(frozen=True)
class Job:
    """A file to clean. target: its name says the format.

    compared, thumbs: of comparisons and of a report's pictures, less the page's number and the ending.
    pages: those to clean, the others stay as they are; None for all.
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


def clean_file(cleaner: Cleaner, job: Job) -> FileReport:
    """Clean a file; an error in it is in the report."""
    try:
        return FileReport(job, tuple(clean_document(cleaner, job, keep_damaged=True)))
    except LegibleError as error:
        return FileReport(job, error=str(error), code=error.exit_code)
    except MemoryError:
        text = f"{job.source}: not enough memory for a page. Close other programs, or use fewer --workers."
        return FileReport(job, error=text, code=ExitCode.INPUT)


def clean_document(
    cleaner: Cleaner,
    job: Job,
    on_page: OnPage = lambda done, total: None,
    *,
    keep_damaged: bool = False,
) -> list[dict[str, Any]]:
    """Clean a file's pages, in turn; return a line for each on what was done. Nothing half-written stays.

    on_page: called with how many pages are done, and of how many; what it raises ends the work. keep_damaged:
    whether a damaged page among others is copied and its line says so, instead of an error.
    Raises LegibleError, MemoryError.
    """
    lines: list[dict[str, Any]] = []
    colour = job.mode == "colour" or job.pages is not None  # pages that are not chosen stay in colour
    with open_document(
        job.source, dpi=job.dpi, most_pixels=job.most_pixels, colour=colour, keep_damaged=keep_damaged
    ) as document:
        cleaned = _clean_pages(cleaner, job, document, lines, on_page)
        untouched = not any(map(job.is_chosen, range(1, document.n_pages + 1)))
        if untouched and format_of(job.source) == format_of(job.target):
            for _ in cleaned:  # a damaged file is noticed all the same
                pass
            copy_file(job.source, job.target, overwrite=job.overwrite)
        else:
            write_document(job.target, cleaned, overwrite=job.overwrite)
    return lines


def _clean_pages(
    cleaner: Cleaner, job: Job, document: Document, lines: list[dict[str, Any]], on_page: OnPage
) -> Iterator[Page]:
    on_page(0, document.n_pages)
    for number, page in enumerate(document, start=1):
        started = time.perf_counter()
        mode: Mode = "black-and-white" if page.bilevel else job.mode
        before = job.views.shrink(page.pixels)
        if page.damage:
            if page.raw is not None and _holds_raw(job):
                yield page
            done = _say_damaged(page, job)
        elif job.is_chosen(number):
            cleaned = cleaner.clean(page.pixels, mode=mode, in_place=True)
            job.views.write(number, document.n_pages, before, job.views.shrink(cleaned.image))
            yield page.with_pixels(cleaned.image, bilevel=mode == "black-and-white")
            done = _say_cleaned(cleaned)
        else:
            job.views.write(number, document.n_pages, before, None)
            yield page
            done = _LEFT
        height, width = page.pixels.shape[:2]
        lines.append({
            "file": str(job.source), "page": number, "pages": document.n_pages, "output": str(job.target),
            "width": width, "height": height, "mode": mode,
            "dpi": page.dpi and [round(side, 2) for side in page.dpi],
            "warnings": list(page.warnings), **done,
            "seconds": round(time.perf_counter() - started, 3),
        })  # fmt: skip
        on_page(number, document.n_pages)
    if lines and all(line.get("damaged") for line in lines):
        raise NotAPicture(f"{job.source} has no page that can be read: {page.damage}. Replace or remove it.")


def _holds_raw(job: Job) -> bool:
    """Whether the file to write can hold a damaged page of a TIFF as it is."""
    form = format_of(job.target)
    return form is not None and form.pages == "tiff"


def _say_damaged(page: Page, job: Job) -> dict[str, Any]:
    stays = page.raw is not None and _holds_raw(job)
    kept = "it was copied as it is" if stays else "it is missing from the new file"
    return {
        **_LEFT,
        "action": "left" if stays else "missing",
        "reason": "damaged",
        "damaged": True,
        "warnings": [f"it is damaged and was not cleaned: {page.damage}; {kept}"],
    }


_LEFT: dict[str, Any] = {
    "action": "left", "reason": NOT_CHOSEN, "ink_before": None, "ink_after": None, "changed": 0.0,
    "reduced_by": 1, "vanished": [], "network_seconds": 0.0,
}  # fmt: skip


def _say_cleaned(cleaned: CleanPage) -> dict[str, Any]:
    return {
        "action": "cleaned", "reason": "",
        "ink_before": round(cleaned.ink_before, 5), "ink_after": round(cleaned.ink_after, 5),
        "changed": round(cleaned.changed, 5), "reduced_by": cleaned.reduced_by,
        "vanished": [list(box) for box in cleaned.vanished],
        "network_seconds": round(cleaned.network_seconds, 3),
    }  # fmt: skip
