"""Clean files of pages, many at once on all cores: each worker is a process with its own network."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from legible.choices import Mode
from legible.cleaning.clean import load_cleaner
from legible.cleaning.cleaner import Cleaner
from legible.cores import count_cores
from legible.documents.document import Document, open_document, write_document
from legible.documents.page import Page
from legible.errors import ExitCode, InputError, LegibleError
from legible.images import shrink_to
from legible.pictures import upper_byte

OnPage = Callable[[int, int], None]
_COMPARED_PX = 1600  # most pixels on a side of one half of a comparison
_own: dict[str, Cleaner] = {}  # a worker's network, loaded once


@dataclass(frozen=True)
class Job:
    """A file to clean. target: its name says the format. compared: of comparisons, less the page's number."""

    source: Path
    target: Path
    mode: Mode
    dpi: float | None
    most_pixels: int
    compared: Path | None = None
    overwrite: bool = False


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


def clean_files(jobs: list[Job], model: str, workers: int | None) -> Iterator[FileReport]:
    """Clean files; reports come in the order of the jobs. workers: processes; one a core if None.

    An error in a file is in its report. Raises ModelError, and InputError when a worker was killed.
    """
    n_cores = count_cores()
    n_workers = min(workers or n_cores, len(jobs))
    if n_workers <= 1:
        cleaner = load_cleaner(model)
        yield from (_clean_file(cleaner, job) for job in jobs)
        return
    load_cleaner(model, ahead=False)  # what is wrong with it is reported before any worker starts
    context = multiprocessing.get_context("spawn")
    each = max(1, n_cores // n_workers)
    with ProcessPoolExecutor(n_workers, context, initializer=_start, initargs=(model, each)) as pool:
        try:
            yield from pool.map(_clean_one, jobs)
        except BrokenProcessPool:
            raise InputError("a worker was killed, likely for lack of memory. Use fewer --workers.") from None


def _start(model: str, n_cores: int) -> None:
    cv2.setNumThreads(n_cores)
    _own["cleaner"] = load_cleaner(model, n_cores=n_cores)


def _clean_one(job: Job) -> FileReport:
    return _clean_file(_own["cleaner"], job)


def _clean_file(cleaner: Cleaner, job: Job) -> FileReport:
    try:
        return FileReport(job, tuple(clean_document(cleaner, job)))
    except LegibleError as error:
        return FileReport(job, error=str(error), code=error.exit_code)
    except MemoryError:
        text = f"{job.source}: not enough memory for a page. Close other programs, or use fewer --workers."
        return FileReport(job, error=text, code=ExitCode.INPUT)


def clean_document(
    cleaner: Cleaner, job: Job, on_page: OnPage = lambda done, total: None
) -> list[dict[str, Any]]:
    """Clean a file's pages, in turn; return a line for each on what was done. Nothing half-written stays.

    on_page: called with how many pages are done, and of how many; what it raises ends the work.
    Raises LegibleError, MemoryError.
    """
    lines: list[dict[str, Any]] = []
    colour = job.mode == "colour"
    with open_document(job.source, dpi=job.dpi, most_pixels=job.most_pixels, colour=colour) as document:
        cleaned = _clean_pages(cleaner, job, document, lines, on_page)
        write_document(job.target, cleaned, overwrite=job.overwrite)
    return lines


def _clean_pages(
    cleaner: Cleaner, job: Job, document: Document, lines: list[dict[str, Any]], on_page: OnPage
) -> Iterator[Page]:
    on_page(0, document.n_pages)
    for number, page in enumerate(document, start=1):
        started = time.perf_counter()
        mode: Mode = "black-and-white" if page.bilevel else job.mode
        before = None if job.compared is None else _shrink(page.pixels)
        cleaned = cleaner.clean(page.pixels, mode=mode, in_place=True)
        if job.compared is not None and before is not None:
            path = job.compared.with_name(f"{job.compared.name}.{number:03d}.png")
            _write_comparison(path, before, _shrink(cleaned.image))
        yield page.with_pixels(cleaned.image, bilevel=mode == "black-and-white")
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
    write_document(path, [Page(np.hstack([before, gap, after]))], overwrite=True)


def _shrink(pixels: np.ndarray) -> np.ndarray:
    """A copy as (H, W, 3) bytes, small enough to look at."""
    pixels = upper_byte(pixels)
    small = shrink_to(pixels, _COMPARED_PX)
    small = pixels.copy() if small is pixels else small
    return small if small.ndim == 3 else cv2.cvtColor(small, cv2.COLOR_GRAY2RGB)
