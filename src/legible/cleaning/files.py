"""Clean a file of pages, by its form."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from legible.choices import Mode
from legible.cleaning.bilevel import keep_shapes
from legible.cleaning.cleaner import Cleaner
from legible.cleaning.job import LEFT, FileReport, Job, OnPage, say_cleaned
from legible.cleaning.pdf_pages import clean_pdf
from legible.documents.document import Document, open_document, write_document
from legible.documents.formats import format_of
from legible.documents.page import Page
from legible.documents.pictures import NotAPicture
from legible.errors import ArgumentError, ExitCode, LegibleError
from legible.output import copy_file


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
    if stays_pdf(job):
        return clean_pdf(cleaner, job, on_page)
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
            cleaned = cleaner.clean(page.pixels, mode=mode, in_place=not page.bilevel)
            image = keep_shapes(page.pixels, cleaned.image) if page.bilevel else cleaned.image
            job.views.write(number, document.n_pages, before, job.views.shrink(image))
            yield page.with_pixels(image, bilevel=mode == "black-and-white")
            done = say_cleaned(cleaned)
        else:
            job.views.write(number, document.n_pages, before, None)
            yield page
            done = LEFT
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
        **LEFT,
        "action": "left" if stays else "missing",
        "reason": "damaged",
        "damaged": True,
        "warnings": [f"it is damaged and was not cleaned: {page.damage}; {kept}"],
    }


def stays_pdf(job: Job) -> bool:
    """Whether the scans inside a PDF are cleaned in place. Raises ArgumentError for a dpi, then."""
    forms = {format_of(path) for path in (job.source, job.target)}
    is_pdf = all(form is not None and form.pages == "pdf" for form in forms)
    if is_pdf and not job.redraw and job.dpi is not None:
        raise ArgumentError(
            "--dpi is for pages that are drawn anew; the scans inside a PDF keep their pixels. "
            "Leave it out, or add --redraw, which loses text, links and forms."
        )
    return is_pdf and not job.redraw
