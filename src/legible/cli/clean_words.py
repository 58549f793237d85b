"""What `legible clean` says: names and JSON lines on stdout, sentences on stderr."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import typer

from legible.cli.screen import say

if TYPE_CHECKING:
    from legible.cleaning.folder_run import FolderRun
    from legible.cleaning.job import FileReport
    from legible.documents.folders import Skipped

LARGER = 1.5  # times the input's size: the user is warned of more
MANY = 20  # files; up to so many, a line is printed for each
LISTED = 5  # names in a list; --verbose lists all


@dataclass
class Words:
    """Says what becomes of the files of a run, as much as was asked for.

    names: words in the place of paths, as of standard input. n: what was counted, for the last line.
    """

    quiet: bool = False
    verbose: bool = False
    as_json: bool = False
    piped: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    n: Counter[str] = field(default_factory=Counter)

    def rename(self, text: str) -> str:
        """A text with words in the place of paths."""
        for path, name in self.names.items():
            text = text.replace(path, name)
        return text

    def say(self, *sentences: str) -> None:
        """Say sentences, unless only errors are asked for."""
        if not self.quiet:
            say(*map(self.rename, sentences))

    def begin(self, run: FolderRun) -> None:
        """Say what is not done, and what gets another name."""
        if run.record is not None and run.record.note:
            self.say(run.record.note)
        n = len(run.there) + len(run.strange)
        if n and run.record is None:
            self.say(f"{run.files[0][1].target} exists already; --overwrite replaces it")
        elif n:
            self.say(f"{n:,} of {len(run.files):,} files exist already; --overwrite replaces them")
        if run.record is not None:
            strange = [str(job.target) for job in run.strange]
            self._list("of unknown origin, left as they are", strange)
        moved = [f"{job.source} becomes {job.target}" for p, job in run.to_do if p.inner != p.usual]
        self._list("names that clash are told apart", moved)
        self._list("skipped", [f"{each.path} ({each.reason})" for each in self._worth_a_line(run.skipped)])
        self.n.update(existed=n, skipped=len(run.skipped))

    def _worth_a_line(self, skipped: list[Skipped]) -> list[Skipped]:
        """What was skipped; hidden files, of which systems make many, only where all is to be said."""
        return [each for each in skipped if self.verbose or each.reason != "hidden"]

    def _list(self, what: str, names: list[str]) -> None:
        shown = names if self.verbose else names[:LISTED]
        more = f" and {len(names) - len(shown):,} more (-v lists all)" if len(names) > len(shown) else ""
        if names:
            self.say(f"{what}: {', '.join(shown)}{more}")

    def file(self, report: FileReport, *, with_seconds: bool) -> None:
        """Say what became of a file."""
        job = report.job
        if report.error:
            self.n["failed"] += 1
            say(self.rename(f"legible: {report.error}"))
            self._json({"file": str(job.source), "error": report.error})
            return
        self.n["cleaned" if report.n_cleaned else "left"] += 1
        self.n["pages"] += report.n_cleaned
        self.n["left_pages"] += len(report.pages) - report.n_cleaned if report.n_cleaned else 0
        self.n["warned"] += bool(report.warnings)
        for line in report.pages:
            self._json(line)
            if self.verbose:
                self.say(f"{job.source}, page {line['page']} of {line['pages']}: {describe(line)}")
        for number, text in report.warnings:
            warning = f"{job.source}, page {number}: {text}"
            say(self.rename(warning)) if report.exit_code else self.say(warning)
        if report.grew > LARGER:
            self.say(f"{job.target} is {report.grew:.1f} times the size of {job.source}.")
        if not (self.as_json or self.quiet or self.piped):
            typer.echo(job.target)
        if with_seconds:
            self._say_seconds(report)

    def _say_seconds(self, report: FileReport) -> None:
        n, n_left = len(report.pages), len(report.pages) - report.n_cleaned
        reasons = sorted({line["reason"] for line in report.pages if line.get("reason")})
        left = f", {n_left if n_left < n else 'all'} left unchanged: {', '.join(reasons)}" if n_left else ""
        seconds = sum(line["seconds"] for line in report.pages)
        self.say(f"{report.job.source}: {count(n, 'page')} in {seconds:.2f} s{left}")

    def _json(self, line: dict[str, Any]) -> None:
        if self.as_json:
            renamed = {k: self.rename(v) if isinstance(v, str) else v for k, v in line.items()}
            typer.echo(json.dumps(renamed))

    def end(self) -> None:
        """Say what was done and what was not, in one line that leaves nothing out."""
        n = self.n
        parts = [f"{count(n['cleaned'], 'file')} cleaned ({count(n['pages'], 'page')})"]
        parts += [f"{n['failed']:,} failed", f"{n['existed']:,} existed already"]
        parts += [f"{n['skipped']:,} skipped"] if n["skipped"] else []
        parts += [f"{count(n['left'], 'file')} left unchanged"] if n["left"] else []
        parts += (
            [f"{count(n['left_pages'], 'page')} of cleaned files left unchanged"] if n["left_pages"] else []
        )
        parts += [f"{count(n['warned'], 'file')} with warnings"] if n["warned"] else []
        self.say(", ".join(parts))

    def interrupted(self, n_done: int, n_files: int) -> None:
        """Say how to go on after Ctrl-C."""
        say(
            f"legible: interrupted: {n_done:,} of {count(n_files, 'file')} done, nothing half-written is "
            "left. Run the same command again to go on."
        )


def count(n: int, thing: str) -> str:
    """A number of things, such as `1 page` or `2 pages`."""
    return f"{n:,} {thing}{'s' * (n != 1)}"


def describe(line: dict[str, Any]) -> str:
    """What became of a page, in a few words."""
    if line.get("action", "cleaned") != "cleaned":
        return f"left unchanged: {line['reason']}"
    before, after = line.get("ink_before"), line.get("ink_after")
    ink = "" if before is None or after is None else f", ink {before:.3f} -> {after:.3f}"
    return f"cleaned{ink}, {line['seconds']:.2f} s"


def show_dry_run(run: FolderRun, words: Words) -> int:
    """Print what a run would do, page by page; return how many files would fail."""
    from legible.cleaning.dry_run import foresee

    n = Counter[str]()
    for line in foresee(run):
        n[line["action"]] += 1
        renamed = {
            key: words.rename(value) if isinstance(value, str) else value for key, value in line.items()
        }
        if words.as_json:
            typer.echo(json.dumps(renamed))
        elif not words.quiet:
            typer.echo(_row(renamed))
    files = f"{count(len(run.to_do), 'file')} to clean"
    parts = [f"{count(n[action], thing)} {what}" for action, thing, what in _COUNTED if n[action]]
    words.say(f"dry run, nothing was written: {', '.join([files, *parts])}")
    return n["fails"]


_COUNTED = (
    ("clean", "page", "cleaned"),
    ("leave", "page", "left unchanged"),
    ("stays", "file", "there already"),
    ("fails", "file", "that would fail"),
    ("skipped", "file", "skipped"),
)


def _row(line: dict[str, Any]) -> str:
    """A line of a dry run: action, scan, page, size, output and reason."""
    page = f", page {line['page']} of {line['pages']}, {line['size']}" if "page" in line else ""
    to = f" -> {line['output']}" if line["output"] else ""
    return f"{line['action']:<8}{line['file']}{page}{to}" + (f" ({line['reason']})" if line["reason"] else "")
