"""What people see while they wait: words on stderr, a bar on a terminal and plain lines elsewhere."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from legible.report.tables import Table


def say(*sentences: str) -> None:
    """Print words to stderr, a line each."""
    for sentence in sentences:
        typer.echo(sentence, err=True)


def print_table(table: Table) -> None:
    """Print a table to stdout: drawn on a terminal, Markdown elsewhere."""
    from legible.report.tables import markdown, to_rich

    if not sys.stdout.isatty():
        typer.echo(markdown(table))
        return
    from rich.console import Console

    Console().print(to_rich(table))


def print_json(value: Any) -> None:
    """Print a value to stdout as JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def show_judgements(judgements: dict[str, Any], as_json: bool) -> None:
    """Print judgements to stdout, as tables or as JSON by test condition."""
    from legible.report.verdicts import verdict_tables

    if as_json:
        print_json({name: verdict.to_json() for name, verdict in judgements.items()})
        return
    for name, verdict in judgements.items():
        for table in verdict_tables(verdict, title=f"test images, {name}"):
            print_table(table)


class EpochLines:
    """Tells, after each epoch, what it gave, the pace and the time left."""

    def __init__(self, n_epochs: float, label: str = "", *, watched: str = "held out") -> None:
        self.n_epochs, self.label, self.watched, self.n_shown = math.ceil(n_epochs), label, watched, 0
        self._start = time.monotonic()

    def show(self, record: dict[str, Any]) -> None:
        """Print one epoch's record, as studies.runner.advance yields it."""
        from legible.evaluation.measures import MEASURES, duration

        self.n_shown += 1
        left = (time.monotonic() - self._start) / self.n_shown * (self.n_epochs - record["epoch"])
        shown = "".join(
            f"  {where} {MEASURES[measure].words} {MEASURES[measure].write(record[key])}"
            for measure in MEASURES
            for where, key in (("train", f"train_{measure}"), (self.watched, f"watch_{measure}"))
            if key in record
        )
        say(
            f"{self.label}epoch {record['epoch']:>3}/{self.n_epochs}  loss {record['train_loss']:.4f}"
            f"{shown}  {record['images_per_second']:,.0f} images/s"
            + (f"  {duration(left)} left" if left else "")
        )


@contextmanager
def downloading() -> Iterator[Callable[[str, int, int], None]]:
    """Give a function that shows how far a download is: (file name, bytes done, bytes in all or 0)."""
    seen: dict[str, Any] = {}
    if not sys.stderr.isatty():

        def tell(name: str, done: int, total: int) -> None:
            if name not in seen:
                say(f"downloading {name}" + (f", {total / 1e6:.1f} MB" if total else ""))
            seen[name] = done

        yield tell
        return
    from rich import progress
    from rich.console import Console

    columns = (progress.TextColumn("{task.description}"), progress.BarColumn(), progress.DownloadColumn(),
               progress.TransferSpeedColumn(), progress.TimeRemainingColumn())  # fmt: skip
    with progress.Progress(*columns, console=Console(stderr=True)) as bars:

        def draw(name: str, done: int, total: int) -> None:
            if name not in seen:
                seen[name] = bars.add_task(name, total=total or None)
            bars.update(seen[name], completed=done)

        yield draw


@contextmanager
def counting(what: str, *, every_s: float = 30) -> Iterator[Callable[[int, int], None]]:
    """Give a function that shows how far long work is: (done, in all). What is soon over shows nothing."""
    from legible.evaluation.measures import duration

    told: tuple[float, int] | None = None  # when it was last shown how far it is; the pace is that since then
    bars: Any = None

    def tell(done: int, total: int) -> None:
        nonlocal bars, told
        now = time.monotonic()
        if told is None:
            told = (now, done)
        if sys.stderr.isatty():
            from rich import progress
            from rich.console import Console

            if bars is None:
                columns = (progress.TextColumn(what), progress.BarColumn(), progress.TimeRemainingColumn())
                bars = progress.Progress(*columns, console=Console(stderr=True))
                bars.start()
                bars.add_task(what, total=total)
            bars.update(bars.task_ids[0], completed=done)
        elif done > told[1] and now - told[0] >= every_s:
            left = (now - told[0]) / (done - told[1]) * (total - done)
            told = (now, done)
            say(f"{what}: {done:,} of {total:,}, {duration(left)} left")

    try:
        yield tell
    finally:
        if bars is not None:
            bars.stop()


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show on a terminal that something is under way; elsewhere, nothing."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield
