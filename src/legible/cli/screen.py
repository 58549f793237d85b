"""Output of commands: tables and JSON on stdout, messages and progress on stderr."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import typer

from legible.progress import Progress

if TYPE_CHECKING:
    from legible.report.tables import Table
    from legible.runs.train import Trained


def say(*sentences: str) -> None:
    """Print sentences to stderr, one per line."""
    for sentence in sentences:
        typer.echo(sentence, err=True)


def print_table(table: Table) -> None:
    """Print a table to stdout: by rich on a terminal, else as Markdown."""
    from legible.report.tables import markdown, to_rich

    if not sys.stdout.isatty():
        typer.echo(markdown(table))
        return
    from rich.console import Console

    Console().print(to_rich(table))


def print_json(value: Any) -> None:
    """Print a value to stdout as JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def show_trained(trained: Trained, *, as_json: bool) -> None:
    """Print a training's reports to stdout, as tables or as JSON, and the saved files to stderr."""
    card, reports = trained.card, trained.reports
    if as_json:
        print_json({name: report.to_json() for name, report in reports.items()})
    else:
        for name, report in reports.items():
            for table in card.kind.part("tables")(report, title=f"test images, {name}"):
                print_table(table)
    say(f"saved in {card.folder}: " + ", ".join(sorted(path.name for path in card.folder.iterdir())))


class Screen(Progress):
    """Shows progress on stderr: bars on a terminal, plain lines elsewhere.

    watched: label of the held-out images in the lines of epochs. every_s: seconds between plain lines.
    bars: whether a terminal gets bars.
    """

    def __init__(self, *, watched: str = "held out", every_s: float = 30, bars: bool = True) -> None:
        self.watched, self.every_s = watched, every_s
        self._is_terminal = bars and sys.stderr.isatty()
        self._bars: Any = None  # rich's progress bars, if there are any
        self._known: dict[
            str, Any
        ] = {}  # ids of bars; without bars, the time of the last line and the count then
        self._epochs: tuple[str, float, int] | None = None  # label, start time, number of epochs so far

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the bars from the screen."""
        if self._bars is not None:
            self._bars.stop()
        self._bars, self._known = None, {}

    def say(self, *sentences: str) -> None:
        """Print sentences, one per line."""
        self.close()
        say(*sentences)

    def download(self, file: str, done: int, total: int) -> None:
        """Show the progress of a download."""
        if self._is_terminal:
            self._show_bar(file, done, total, in_bytes=True)
        elif file not in self._known:
            self._known[file] = done
            say(f"downloading {file}" + (f", {total / 1e6:.1f} MB" if total else ""))

    def epoch(self, record: dict[str, Any], n_epochs: float, label: str = "") -> None:
        """Print an epoch's scores, its speed and the time left."""
        from legible.evaluation.measures import MEASURES, duration

        now, n_epochs = time.monotonic(), math.ceil(n_epochs)
        if self._epochs is None or self._epochs[0] != label:  # the first epoch
            self._epochs = (label, now - record["seconds"], 0)
        _, start, n_done = self._epochs
        self._epochs = (label, start, n_done + 1)
        left = (now - start) / (n_done + 1) * (n_epochs - record["epoch"])
        shown = "".join(
            f"  {where} {MEASURES[measure].label} {MEASURES[measure].write(record[key])}"
            for measure in MEASURES
            for where, key in (("train", f"train_{measure}"), (self.watched, f"watch_{measure}"))
            if key in record
        )
        self.say(
            f"{label}epoch {record['epoch']:>3}/{n_epochs}  loss {record['train_loss']:.4f}"
            f"{shown}  {record['images_per_second']:,.0f} images/s"
            + (f"  {duration(left)} left" if left else "")
        )

    def count(self, what: str, done: int, total: int) -> None:
        """Show the progress of long work; nothing is shown for short work."""
        from legible.evaluation.measures import duration

        if self._is_terminal:
            self._show_bar(what, done, total)
            return
        now = time.monotonic()
        since, at_first = self._known.setdefault(what, (now, done))
        if done > at_first and now - since >= self.every_s:
            left = (now - since) / (done - at_first) * (total - done)
            self._known[what] = (now, done)
            say(f"{what}: {done:,} of {total:,}, {duration(left)} left")

    def _show_bar(self, what: str, done: int, total: int, *, in_bytes: bool = False) -> None:
        from rich import progress
        from rich.console import Console

        if self._bars is None:
            sizes = (progress.DownloadColumn(), progress.TransferSpeedColumn()) if in_bytes else ()
            columns = (progress.TextColumn("{task.description}"), progress.BarColumn(), *sizes)
            self._bars = progress.Progress(
                *columns, progress.TimeRemainingColumn(), console=Console(stderr=True)
            )
            self._bars.start()
        if what not in self._known:
            self._known[what] = self._bars.add_task(what, total=total or None)
        self._bars.update(self._known[what], completed=done)


@contextmanager
def counting(what: str, *, every_s: float = 30) -> Iterator[Callable[[int, int], None]]:
    """Yield a function (done, total) that shows the progress of long work; short work shows nothing."""
    with Screen(every_s=every_s) as screen:
        yield partial(screen.count, what)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show a status on a terminal while the block runs; elsewhere nothing."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield
