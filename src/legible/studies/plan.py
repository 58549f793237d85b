"""Plans: a run is a frozen, JSON-able value; a study is a list of lines, each with its published figure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, Self

import numpy as np

from legible.apply.restorer import Restorer
from legible.apply.runtime import load_runtime
from legible.cards import Card, find_card
from legible.data import DATASETS
from legible.errors import ArgumentError, ModelError, UnknownName
from legible.evaluation.measures import MEASURES
from legible.models import CLASSIFIER, MODELS, kind_of
from legible.noise import CLEAN, NOISES, add_noise, canonical_chain, split_chain
from legible.registry import Registry
from legible.seeds import rng_for
from legible.training import lines as lines  # noqa: PLC0414  (these fill TASKS)
from legible.training import recognise as recognise  # noqa: PLC0414
from legible.training import variational as variational  # noqa: PLC0414
from legible.training.settings import Settings
from legible.training.tasks import TASKS, Classify, Task

Watch = Literal["validation", "test", "nothing"]
WATCHES = ("validation", "test", "nothing")


@dataclass(frozen=True)
class Run:
    """One training and its judgement.

    model: a spec. task: what it learns, a spec; if empty, what its kind of model usually does.
    after: a saved restorer that the training images go through after their noise, as say_card names it.
    train_noise: specs, put on in order; drawn anew at every showing, or once if not fresh_noise.
    tests: what the test images go through: `clean`, or specs joined by '+', as `gaussian:0.5`; and at last a
    restorer, as say_card names it, if one stands after a '>'.
    watch: which images give the curve of the epochs. With `validation` they are held out; with the others
    the training uses them too. With `test` the curve is of the test images, as the reports drew it: never a
    ground for choosing.
    n_folds: 0, or cross-validation: train on all training images but fold number `fold`, judge on that fold.
    n_held_out: with `validation`, how many training images are held out, the last ones; 0 for the dataset's
    own part.
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
    task: str = ""
    after: str = ""
    n_held_out: int = 0

    def __post_init__(self) -> None:
        """Check the names, and write every spec in its one canonical form."""
        if self.watch not in WATCHES:
            raise UnknownName("set of images to watch", self.watch, WATCHES)
        if self.n_folds and not (self.n_folds >= 2 and 0 <= self.fold < self.n_folds):
            raise ArgumentError(
                f"cannot take fold {self.fold + 1} of {self.n_folds}: it takes at least 2 folds."
            )
        if self.n_held_out and self.watch != "validation":
            raise ArgumentError(f"no images are held out to watch {self.watch}: leave n_held_out out.")
        object.__setattr__(self, "model", str(MODELS.parse(self.model)))
        object.__setattr__(self, "task", str(TASKS.parse(self.task or usual_task(kind_of(self.model)))))
        object.__setattr__(self, "train_noise", tuple(str(NOISES.parse(n)) for n in self.train_noise))
        object.__setattr__(self, "tests", tuple(map(canonical_test, self.tests)))
        blank = np.zeros((1, 1, 8, 8), np.float32)
        for noises in (self.train_noise, *(split_chain(t.partition(">")[0]) for t in self.tests)):
            add_noise(blank, rng_for("trial"), noises)  # what a noise refuses is told before any work is done
        self._bare_task()

    @property
    def task_name(self) -> str:
        """What it learns, without the settings."""
        return TASKS.parse(self.task).name

    @property
    def does(self) -> str:
        """What it is judged and used as."""
        return str(TASKS.get(self.task_name).facts.get("does", self.task_name))

    @property
    def kind(self) -> str:
        """The kind of its model."""
        return kind_of(self.model)

    def build_task(self) -> Task:
        """What the model learns. Raises ModelError when the restorer it is to go after is not here."""
        task = self._bare_task()
        return (
            replace(task, prepare=load_restorer(self.after))
            if isinstance(task, Classify) and self.after
            else task
        )

    def _bare_task(self) -> Task:
        """The task without its restorer. Raises ArgumentError when such a model cannot learn it."""
        needed = TASKS.get(self.task_name).facts["kind"]
        if needed != self.kind:
            raise ArgumentError(
                f"task {self.task!r} is for models of kind {needed}; {self.model!r} is of kind {self.kind}."
            )
        if self.after and needed != CLASSIFIER:
            raise ArgumentError(f"only classifiers can be put after a restorer, not {self.model!r}.")
        noise = self.train_noise if self.fresh_noise else ()
        return TASKS.call(self.task, noise, self.settings.augment, self.settings.label_smoothing)

    def to_json(self) -> dict[str, Any]:
        """The run as plain values, the way it stands in a row."""
        plain = {**asdict(self), "settings": self.settings.to_json()}
        for name, usual in (("task", usual_task(CLASSIFIER)), ("after", ""), ("n_held_out", 0)):
            if plain[name] == usual:
                del plain[name]  # rows made when there was nothing else to say keep their keys
        return plain

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
    """A test condition as rows name it: `gaussian:0.5>small@0123` is `gaussian:std=0.5>small@0123`."""
    chain, sign, restorer = test.partition(">")
    return canonical_chain(chain) + sign + restorer


def load_restorer(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """The saved restorer that say_card names. Raises ModelError when another one of that name is here."""
    card = find_card(name.partition("@")[0])
    if say_card(card) != name or card.task != "restore":
        raise ModelError(f"{card.folder} is {say_card(card)}, a model to {card.task}, not {name}.")
    return Restorer(card, load_runtime(card)).restore


def say_card(card: Card) -> str:
    """A card by its name and its identity: with other numbers it is another run."""
    return f"{card.name}@{card.identity}"


def usual_task(kind: str) -> str:
    """What a kind of model learns unless told otherwise."""
    return next(entry.name for entry in TASKS if entry.facts["kind"] == kind)


QUICK_EPOCHS = 3  # at most


@dataclass(frozen=True)
class Line:
    """A line of a study's table: the runs of one system, and what was published for it.

    row: its name in the reports. published: as text. measure: what the line shows of a verdict (measures.py);
    also: a further measure, shown behind it.
    target: what is to be reached, if anything; an accuracy as a fraction.
    test: which of the runs' test conditions the line shows.
    prove: for what is not an accuracy, a function that does it and says what it found.
    quick_epochs: how many epochs its small version may have; 0 if even that takes too long.
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

    def __post_init__(self) -> None:
        """Write the test condition in its one canonical form."""
        assert {self.measure, self.also} - {""} <= {*MEASURES}
        object.__setattr__(self, "test", canonical_test(self.test))


@dataclass(frozen=True)
class Study:
    """A report: its title, its lines, and a function (study, results) that draws its figures by name.

    parts: the headings that its page has, each by the row that it stands above.
    """

    title: str
    lines: tuple[Line, ...]
    draw: Callable[..., dict[str, Any]]
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def page(self) -> str:
        """What its page is called, without the ending: that of `Report B: autoencoders` is `report-b`."""
        return "-".join(re.split(r"[:(]", self.title)[0].lower().split())

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


def shrink(line: Line, *, n_seeds: int = 2) -> Line:
    """The small honest version of a line: the same system on the embedded digits, fewer seeds and epochs.

    The published figure is for other images, so there is nothing to reach.
    """
    if not line.quick_epochs:
        return replace(line, runs=(), target=None, prove=None, note="left out of the small version.")
    runs = tuple(_shrink(run, line.quick_epochs) for run in line.runs if run.seed < n_seeds)
    return replace(line, runs=runs, target=None)


def _shrink(run: Run, most_epochs: int) -> Run:
    settings = replace(run.settings, n_epochs=min(run.settings.n_epochs, most_epochs))
    task = "draw:samples=10" if run.task_name == "draw" else run.task
    small = DATASETS.get(run.dataset).facts.get("small", "digits-embedded")
    return replace(run, dataset=small, settings=settings, task=task)
