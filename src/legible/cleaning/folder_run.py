"""A run over files and folders: what is to be done, what is there already, and what was passed over."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from legible.choices import CLEANER, Mode
from legible.cleaning.job import FileReport, Job
from legible.cleaning.record import Record, Settings, read_record, settings_of
from legible.cleaning.run_report import THUMBS, RunReport, check_report_folder
from legible.cleaning.workers import clean_files
from legible.documents.folders import Planned, Skipped, is_file_for_one, plan_files
from legible.documents.page import MOST_PIXELS
from legible.documents.page_range import PageRange


@dataclass(frozen=True)
class Wish:
    """What was asked for: scans or folders of them, a file or folder to write to, and how to clean."""

    sources: Sequence[Path]
    output: Path
    mode: Mode = "grey"
    dpi: float | None = None
    pages: PageRange | None = None
    model: str = CLEANER
    most_pixels: int = MOST_PIXELS
    compare: Path | None = None
    report: Path | None = None
    overwrite: bool = False
    redraw: bool = False
    allow_signed: bool = False


@dataclass
class FolderRun:
    """A run, planned. Nothing is written before `carry_out`.

    files: all of it, with their jobs. there: files that were made before with these settings. strange: files
    that are there already and are not known to be of these scans; they stay.
    """

    wish: Wish
    settings: Settings
    files: list[tuple[Planned, Job]]
    skipped: list[Skipped]
    record: Record | None
    there: list[Job] = field(default_factory=list)
    strange: list[Job] = field(default_factory=list)

    @property
    def to_do(self) -> list[tuple[Planned, Job]]:
        """The files to clean."""
        stay = {job.target for job in (*self.there, *self.strange)}
        return [(planned, job) for planned, job in self.files if job.target not in stay]

    def carry_out(self, workers: int | None = None) -> Generator[FileReport, None, None]:
        """Clean the files; yield a report on each. Closing the iterator ends it in good order."""
        to_do = self.to_do
        book = self._open_report()
        if self.record is not None and to_do:
            new = [(p.inner, p.source) for p, job in to_do if not job.target.exists()]
            self.record.expect(new, self.settings)
        reports = clean_files([job for _, job in to_do], self.wish.model, workers)
        try:
            for (planned, _), report in zip(to_do, reports, strict=True):
                self._note(planned, report)
                if book is not None:
                    book.add(report)
                yield report
        finally:
            reports.close()  # its workers end
            if self.record is not None and to_do:
                self.record.save()
            if book is not None:
                book.finish()

    def _note(self, planned: Planned, report: FileReport) -> None:
        if self.record is not None and report.error:
            self.record.forget(planned.inner)
        elif self.record is not None:
            self.record.replace(planned.inner, planned.source, self.settings)

    def _open_report(self) -> RunReport | None:
        if self.wish.report is None:
            return None
        book = RunReport(self.wish.report, self.settings)
        book.keep_old([job for _, job in self.files], [*self.there, *self.strange], self.skipped)
        return book


def plan_run(wish: Wish) -> FolderRun:
    """Plan a run. Raises what plan_files raises; ModelError; OutputError where files of the output were made
    with other settings, or the folder of the report is another's.
    """
    record = None if is_file_for_one(wish.sources, wish.output) else read_record(wish.output)
    results = [each for each in (wish.compare, wish.report) if each]
    plan = plan_files(wish.sources, wish.output, results=results, made=record.sources if record else None)
    settings = settings_of(wish.mode, wish.dpi, wish.pages, wish.model, redraw=wish.redraw)
    if wish.report is not None:
        check_report_folder(wish.report, overwrite=wish.overwrite)
    files = [(planned, _job_of(planned, wish)) for planned in plan.files]
    run = FolderRun(wish, settings, files, plan.skipped, record)
    if not wish.overwrite:
        existing = [(planned, job) for planned, job in files if job.target.exists()]
        if record is not None:
            record.check_settings((planned.inner for planned, _ in existing), settings)
        for planned, job in existing:
            known = record is not None and planned.inner in record.made
            (run.there if known else run.strange).append(job)
    return run


def _job_of(planned: Planned, wish: Wish) -> Job:
    return Job(
        planned.source, planned.target, wish.mode, wish.dpi, wish.most_pixels,
        compared=wish.compare and wish.compare / planned.view, overwrite=wish.overwrite,
        thumbs=wish.report and wish.report / THUMBS / planned.view, pages=wish.pages,
        redraw=wish.redraw, allow_signed=wish.allow_signed,
    )  # fmt: skip
