"""A study: a published report as a list of lines, each a system, its published figure and its runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from legible.data import DATASETS
from legible.evaluation.measures import MEASURES
from legible.noise import CLEAN
from legible.registry import Registry
from legible.runs.run import Run, canonical_test
from legible.training.settings import Settings
from legible.training.tasks import TASKS

QUICK_EPOCHS = 3  # at most


@dataclass(frozen=True)
class Line:
    """A line of a study's table: the runs of one system, and what was published for it.

    row: its name in the reports. published: as text. measure: what the line shows of the runs' scores
    (evaluation.measures); also: a further measure, shown in brackets.
    target: the value to reach, if any; an accuracy is a fraction.
    test: which of the runs' test conditions the line shows.
    prove: instead of runs, a function that measures or shows something and returns what it found: the table
    shows its first line, the rest is a note. members: runs whose models it evaluates, for their provenance.
    quick_epochs: the most epochs in the small version; 0 leaves the line out of it.
    """

    row: str
    system: str
    published: str
    runs: tuple[Run, ...] = ()
    target: float | None = None
    measure: str = "accuracy"
    test: str = CLEAN
    note: str = ""
    prove: Callable[[], str] | None = None
    quick_epochs: int = QUICK_EPOCHS
    also: str = ""
    members: tuple[Run, ...] = ()

    def __post_init__(self) -> None:
        """Write the test condition in its one canonical form."""
        assert {self.measure, self.also} - {""} <= {*MEASURES}
        object.__setattr__(self, "test", canonical_test(self.test))


@dataclass(frozen=True)
class Study:
    """A report: its title, its lines, and a function (study, results) that draws its figures by title.

    parts: the headings of its page, each by the first row below it.
    """

    title: str
    lines: tuple[Line, ...]
    draw: Callable[..., dict[str, Any]]
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def page(self) -> str:
        """The file name of its page, without the ending: `report-b` for `Report B: autoencoders`."""
        return "-".join(re.split(r"[:(]", self.title)[0].lower().split())

    def line(self, row: str) -> Line:
        """The line of that row."""
        return next(line for line in self.lines if line.row == row)


WITH_MUON = Settings(  # for the reports' own nets, where a line says "ours"
    batch_size=128,
    optimiser="muon",
    learning_rate=0.05,
    schedule="triangle:warmup=0.2,final=0.02",
    label_smoothing=0.1,
    augment=("shift:1",),
)
STUDIES: Registry[Study] = Registry("study", "legible reproduce --help", package="legible.studies")


def shrink(line: Line, *, n_seeds: int = 2) -> Line:
    """The small version of a line: the same system on the embedded digits, with fewer seeds and epochs.

    The published figure is for other images, so there is no target.
    """
    if not line.quick_epochs:
        return replace(
            line, runs=(), target=None, prove=None, members=(), note="left out of the small version."
        )
    runs = tuple(_shrink(run, line.quick_epochs) for run in line.runs if run.seed < n_seeds)
    return replace(line, runs=runs, target=None)


def _shrink(run: Run, most_epochs: int) -> Run:
    settings = replace(run.settings, n_epochs=min(run.settings.n_epochs, most_epochs))
    task = TASKS.get(run.task_name).facts.get("quick", run.task)
    small = DATASETS.get(run.dataset).facts.get("small", "digits-embedded")
    return replace(run, dataset=small, settings=settings, task=task)
