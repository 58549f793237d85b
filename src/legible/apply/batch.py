"""Clean one file of pages to another: what each of many workers does, leaving nothing half-written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from legible.apply.cleaner import Cleaner
from legible.apply.page_writing import write_document
from legible.apply.pages import Document, Page, open_document
from legible.choices import Mode
from legible.errors import ExitCode, LegibleError
from legible.images import shrink_to
from legible.output import new_file
from legible.pictures import upper_byte

OnPage = Callable[[int, int], None]
_COMPARED_PX = 1600  # most pixels on a side of one half of a comparison


@dataclass(frozen=True)
class Job:
    """A file to clean. form: of what is written. compared: of the comparison, less the page's number."""

    source: Path
    target: Path
    form: str
    mode: Mode
    dpi: float | None
    most_pixels: int
    compared: Path | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class Report:
    """What became of a file: a line for each page, or an error, with its exit code."""

    job: Job
    pages: tuple[dict[str, Any], ...] = ()
    error: str = ""
    code: ExitCode = ExitCode.OK

    @property
    def grew(self) -> float:
        """How many times as large the written file is."""
        return self.job.target.stat().st_size / max(1, self.job.source.stat().st_size) if self.pages else 0.0


def clean_file(cleaner: Cleaner, job: Job) -> Report:
    """Clean a file's pages, in turn. An error is reported, not raised; nothing half-written stays."""
    try:
        return Report(job, tuple(clean_document(cleaner, job)))
    except LegibleError as error:
        return Report(job, error=str(error), code=error.exit_code)
    except MemoryError:
        text = f"{job.source}: not enough memory for a page. Close other programs, or take fewer --workers."
        return Report(job, error=text, code=ExitCode.INPUT)


def clean_document(
    cleaner: Cleaner, job: Job, on_page: OnPage = lambda done, total: None
) -> list[dict[str, Any]]:
    """Clean a file's pages, in turn, and tell what was done to each; nothing half-written stays.

    on_page: told how many pages are done, of how many; what it raises ends the work.
    Raises LegibleError, MemoryError.
    """
    lines: list[dict[str, Any]] = []
    colour = job.mode == "colour"
    with open_document(job.source, dpi=job.dpi, most_pixels=job.most_pixels, colour=colour) as document:
        cleaned = _clean_pages(cleaner, job, document, lines, on_page)
        with new_file(job.target, overwrite=job.overwrite) as temporary:
            write_document(temporary, cleaned, form=job.form)
    return lines


def _clean_pages(
    cleaner: Cleaner, job: Job, document: Document, lines: list[dict[str, Any]], on_page: OnPage
) -> Iterator[Page]:
    on_page(0, document.n_pages)
    for number, page in enumerate(document, start=1):
        started = time.perf_counter()
        mode: Mode = "black-and-white" if page.two_valued else job.mode
        before = None if job.compared is None else _shrink(page.pixels)
        cleaned = cleaner.clean(page.pixels, mode=mode, in_place=True)
        if job.compared is not None and before is not None:
            path = job.compared.with_name(f"{job.compared.name}.{number:03d}.png")
            _write_comparison(path, before, _shrink(cleaned.image))
        yield page.with_pixels(cleaned.image, two_valued=mode == "black-and-white")
        height, width = page.pixels.shape[:2]
        lines.append({
            "file": str(job.source), "page": number, "pages": document.n_pages, "output": str(job.target),
            "width": width, "height": height, "mode": mode,
            "dpi": page.dpi and [round(side, 2) for side in page.dpi],
            "ink_before": round(cleaned.ink_before, 5), "ink_after": round(cleaned.ink_after, 5),
            "changed": round(cleaned.changed, 5), "reduced_by": cleaned.reduced_by,
            "vanished": [list(box) for box in cleaned.vanished],
            "seconds": round(time.perf_counter() - started, 3),
            "network_seconds": round(cleaned.network_seconds, 3),
        })  # fmt: skip
        on_page(number, document.n_pages)


def _write_comparison(path: Path, before: np.ndarray, after: np.ndarray) -> None:
    gap = np.full((len(before), 12, 3), 128, np.uint8)
    with new_file(path, overwrite=True) as temporary:
        write_document(temporary, iter([Page(np.hstack([before, gap, after]))]), form="PNG")


def _shrink(pixels: np.ndarray) -> np.ndarray:
    """A copy as (H, W, 3) bytes, small enough to look at."""
    pixels = upper_byte(pixels)
    small = shrink_to(pixels, _COMPARED_PX)
    small = pixels.copy() if small is pixels else small
    return small if small.ndim == 3 else cv2.cvtColor(small, cv2.COLOR_GRAY2RGB)
