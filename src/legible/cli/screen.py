"""What people see while they wait: words on stderr, a bar on a terminal and plain lines elsewhere."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterator
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


class EpochLines:
    """Tells, after each epoch, what it gave, the pace and the time left."""

    def __init__(self, n_epochs: float, label: str = "") -> None:
        self.n_epochs, self.label, self.n_shown = math.ceil(n_epochs), label, 0
        self._start = time.monotonic()

    def show(self, record: dict[str, Any]) -> None:
        """Print one epoch's record, as studies.runner.advance yields it."""
        self.n_shown += 1
        left = (time.monotonic() - self._start) / self.n_shown * (self.n_epochs - record["epoch"])
        watched = f"  held out {record['watch_accuracy']:7.2%}" if "watch_accuracy" in record else ""
        say(
            f"{self.label}epoch {record['epoch']:>3}/{self.n_epochs}  loss {record['train_loss']:.4f}  "
            f"train {record['train_accuracy']:7.2%}{watched}  {record['images_per_second']:,.0f} images/s"
            + (f"  {format_seconds(left)} left" if left else "")
        )


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show on a terminal that something is under way; elsewhere, nothing."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


def format_seconds(seconds: float) -> str:
    """A time people read at a glance: 0.8 s, 45 s, 3 min 05 s, 2 h 10 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
