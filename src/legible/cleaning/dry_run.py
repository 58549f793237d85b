"""What a run would do, page by page, without doing it: no network is loaded and nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from legible.cleaning.files import stays_pdf
from legible.cleaning.folder_run import FolderRun
from legible.cleaning.job import NOT_CHOSEN, Job
from legible.cleaning.pdf_pages import foresee_pdf
from legible.documents.document import open_document
from legible.documents.folders import Planned
from legible.documents.formats import format_of
from legible.documents.page import check_size
from legible.documents.pictures import naming, open_picture
from legible.errors import LegibleError

_ORIENTATION, _TURNED = 0x0112, (5, 6, 7, 8)  # of EXIF: values of pictures that lie on their side


def foresee(run: FolderRun) -> Iterator[dict[str, Any]]:
    """A line for each page: its file, size and output, the action and the reason; then what is skipped."""
    there, strange = ({job.target for job in jobs} for jobs in (run.there, run.strange))
    for planned, job in run.files:
        if job.target in there:
            yield _line(job, action="stays", reason="exists already")
        elif job.target in strange:
            yield _line(job, action="stays", reason="exists already, of unknown origin")
        else:
            yield from _foresee_file(planned, job)
    for each in run.skipped:
        yield {"file": str(each.path), "output": "", "action": "skipped", "reason": each.reason}


def _foresee_file(planned: Planned, job: Job) -> Iterator[dict[str, Any]]:
    reasons = [f"{planned.usual} is of another scan"] if planned.inner != planned.usual else []
    reasons += ["replaces the file there"] if job.target.exists() else []
    try:
        if stays_pdf(job):
            yield from _foresee_pdf(job, reasons)
            return
        sizes = measure_pages(job)
    except LegibleError as error:
        yield _line(job, action="fails", reason=str(error))
        return
    for number, size in enumerate(sizes, start=1):
        chosen = job.is_chosen(number)
        yield _line(
            job, page=number, pages=len(sizes), size=size, action="clean" if chosen else "leave",
            reason="; ".join(reasons if chosen else [NOT_CHOSEN, *reasons]),
        )  # fmt: skip


def _foresee_pdf(job: Job, reasons: list[str]) -> Iterator[dict[str, Any]]:
    pages = foresee_pdf(job)
    for number, (size, why_not) in enumerate(pages, start=1):
        why_left = why_not if job.is_chosen(number) else NOT_CHOSEN
        yield _line(
            job, page=number, pages=len(pages), size=size, action="leave" if why_left else "clean",
            reason="; ".join([why_left, *reasons] if why_left else reasons),
        )  # fmt: skip


def _line(job: Job, **more: Any) -> dict[str, Any]:
    return {"file": str(job.source), "output": str(job.target), **more}


def measure_pages(job: Job) -> list[str]:
    """The size of each page, in pixels, or of a PDF in points. Raises InputError like open_document."""
    form = format_of(job.source)
    if form is not None and form.pages == "pdf":
        return _measure_pdf(job.source)
    with open_document(job.source, most_pixels=job.most_pixels) as document:
        n_pages = document.n_pages
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # check_size has a limit that can be raised
    try:
        with naming(job.source), open_picture(job.source) as opened:
            return [_measure_frame(opened, number, job) for number in range(n_pages)]
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _measure_frame(opened: Image.Image, number: int, job: Job) -> str:
    opened.seek(number)
    check_size(job.source, opened.size, job.most_pixels)
    turned = opened.getexif().get(_ORIENTATION) in _TURNED
    width, height = opened.size[:: -1 if turned else 1]
    return f"{width} x {height} pixels"


def _measure_pdf(path: Path) -> list[str]:
    with open_document(path) as document:
        n_pages = document.n_pages
    import pypdfium2

    opened = pypdfium2.PdfDocument(path)
    try:
        sizes = [opened.get_page_size(number) for number in range(n_pages)]
    finally:
        opened.close()
    return [f"{width:.0f} x {height:.0f} points" for width, height in sizes]
