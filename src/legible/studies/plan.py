"""Plans: a run is a frozen, JSON-able value; a study is a list of lines, each with its published figure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, Self

import numpy as np

from legible.errors import ArgumentError, UnknownName
from legible.models import MODELS
from legible.noise import NOISES, add_noise
from legible.registry import Registry
from legible.seeds import rng_for
from legible.training.settings import Settings

CLEAN = "clean"
Watch = Literal["validation", "test", "nothing"]
WATCHES = ("validation", "test", "nothing")


@dataclass(frozen=True)
class Run:
    """One training and its judgement.

    model: a spec. train_noise: specs, put on in order; drawn anew at every showing, or once if not
    fresh_noise.
    tests: what the test images go through: `clean`, or specs joined by '+', as `gaussian:0.5`.
    watch: which images give the curve of the epochs. With `validation` they are held out; with the others
    the training uses them too. With `test` the curve is of the test images, as the reports drew it: never a
    ground for choosing.
    n_folds: 0, or cross-validation: train on all training images but fold number `fold`, judge on that fold.
    """

    model: str
    dataset: str = "mnist"
    settings: Settings = field(default_factory=Settings)
    seed: int = 0
    train_noise: tuple[str, ...] = ()
    fresh_noise: bool = True
    tests: tuple[str, ...] = (CLEAN,)
    watch: Watch = "nothing"
    fold: int = 0
    n_folds: int = 0

    def __post_init__(self) -> None:
        """Check the names, and write every spec in its one canonical form."""
        if self.watch not in WATCHES:
            raise UnknownName("set of images to watch", self.watch, WATCHES)
        if self.n_folds and not (self.n_folds >= 2 and 0 <= self.fold < self.n_folds):
            raise ArgumentError(
                f"cannot take fold {self.fold + 1} of {self.n_folds}: it takes at least 2 folds."
            )
        object.__setattr__(self, "model", str(MODELS.parse(self.model)))
        object.__setattr__(self, "train_noise", tuple(str(NOISES.parse(n)) for n in self.train_noise))
        object.__setattr__(self, "tests", tuple(canonical_test(t) for t in self.tests))
        blank = np.zeros((1, 1, 8, 8), np.float32)
        for noises in (self.train_noise, *map(split_chain, self.tests)):
            add_noise(blank, rng_for("trial"), noises)  # what a noise refuses is told before any work is done

    def to_json(self) -> dict[str, Any]:
        """The run as plain values, the way it stands in a row."""
        return {**asdict(self), "settings": self.settings.to_json()}

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """The run that to_json wrote down."""
        known = {f.name for f in fields(cls)}
        plain: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in known
        }
        return cls(**{**plain, "settings": Settings.of(values["settings"])})

    def key(self, data_hash: str) -> str:
        """What names this run's row: a hash of all its settings and of the data."""
        text = json.dumps([self.to_json(), data_hash], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def canonical_test(test: str) -> str:
    """A test condition as rows name it: `gaussian:0.5` becomes `gaussian:std=0.5`."""
    return "+".join(split_chain(test)) or CLEAN


def split_chain(test: str) -> list[str]:
    """The canonical specs of a test condition: none for `clean`, else those joined by '+'."""
    return [] if test == CLEAN else [str(NOISES.parse(part)) for part in test.split("+") if part]


@dataclass(frozen=True)
class Line:
    """A line of a study's table: the runs of one system, and what was published for it.

    row: its name in the reports. published: as text. target_percent: the accuracy to reach, if there is one.
    test: which of the runs' test conditions the line shows.
    prove: for what is not an accuracy, a function that does it and says what it found.
    """

    row: str
    system: str
    published: str
    runs: tuple[Run, ...] = ()
    target_percent: float | None = None
    test: str = CLEAN
    note: str = ""
    prove: Callable[[], str] | None = None

    def __post_init__(self) -> None:
        """Write the test condition in its one canonical form."""
        object.__setattr__(self, "test", canonical_test(self.test))


@dataclass(frozen=True)
class Study:
    """A report: its title, its lines, and a function (study, results) that draws its figures by name."""

    title: str
    lines: tuple[Line, ...]
    draw: Callable[..., dict[str, Any]]

    def line(self, row: str) -> Line:
        """The line of that row."""
        return next(line for line in self.lines if line.row == row)


WITH_MUON = Settings(  # what we give to the reports' own nets, where a line says "ours"
    batch_size=128,
    optimiser="muon",
    learning_rate=0.05,
    schedule="triangle:warmup=0.2,final=0.02",
    label_smoothing=0.1,
    augment=("shift:1",),
)
STUDIES: Registry[Study] = Registry("study", "legible reproduce --help")


def recipe_of(model: str) -> Settings:
    """The training settings that a registered model carries, or the usual ones."""
    return Settings.of(MODELS.get(MODELS.parse(model).name).facts.get("recipe", {}))


def over_seeds(run: Run, n_seeds: int) -> tuple[Run, ...]:
    """The same run with seeds 0, 1, 2 ..."""
    return tuple(replace(run, seed=seed) for seed in range(n_seeds))


def over_folds(run: Run, n_folds: int) -> tuple[Run, ...]:
    """The same run on each of n_folds folds. Raises ArgumentError for fewer than two."""
    if n_folds < 2:
        raise ArgumentError(f"cannot deal the images into {n_folds} folds: it takes at least 2.")
    return tuple(replace(run, fold=fold, n_folds=n_folds) for fold in range(n_folds))


QUICK_EPOCHS = 3  # at most


def shrink(line: Line, *, n_seeds: int = 2) -> Line:
    """The small honest version of a line: the same system on the embedded digits, fewer seeds and epochs.

    The published figure is for other images, so there is nothing to reach.
    """
    runs = tuple(_shrink(run) for run in line.runs if run.seed < n_seeds)
    return replace(line, runs=runs, target_percent=None)


def _shrink(run: Run) -> Run:
    settings = replace(run.settings, n_epochs=min(run.settings.n_epochs, QUICK_EPOCHS))
    return replace(run, dataset="digits-embedded", settings=settings)
