"""A run: one training and its evaluation as a frozen value, which JSON can hold."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, Self

import numpy as np

from legible.errors import ArgumentError, UnknownName
from legible.kinds import KINDS, Kind
from legible.models import MODELS, kind_of
from legible.noise import CLEAN, NOISES, add_noise, canonical_chain, split_chain
from legible.seeds import rng_for
from legible.stored_names import from_stored, to_stored
from legible.training.settings import Settings
from legible.training.tasks import TASKS, Task

Watch = Literal["validation", "test", "nothing"]
WATCHES = ("validation", "test", "nothing")
_NOT_STORED = {"task": "classify", "after": "", "n_held_out": 0}  # values that rows leave out


@dataclass(frozen=True)
class Run:
    """One training and its report.

    model: a spec. task: what it learns, a spec; if empty, what its kind of model usually does.
    after: a saved restorer that the training images go through after their noise, by its card's reference.
    train_noise: specs, applied in order; new in every epoch, or added once if not fresh_noise.
    tests: what the test images go through: `clean`, or specs joined by '+', as `gaussian:0.5`; and finally a
    restorer, by its card's reference, if one stands after a '>'.
    watch: which images give the curve of the epochs. With `validation` they are held out; with the others
    the training uses them too. With `test` the curve is of the test images, as the reports drew it: never a
    ground for choosing.
    n_folds: 0, or cross-validation: train on all training images but fold `fold`, evaluate on that one.
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
        object.__setattr__(self, "task", str(TASKS.parse(self.task or kind_of(self.model).name)))
        object.__setattr__(self, "train_noise", tuple(str(NOISES.parse(n)) for n in self.train_noise))
        object.__setattr__(self, "tests", tuple(map(canonical_test, self.tests)))
        blank = np.zeros((1, 1, 8, 8), np.float32)
        for noises in (self.train_noise, *(split_chain(t.partition(">")[0]) for t in self.tests)):
            add_noise(blank, rng_for("trial"), noises)  # what a noise refuses is said before any work
        self.build_task()

    @property
    def task_name(self) -> str:
        """What it learns, without the settings."""
        return TASKS.parse(self.task).name

    @property
    def kind(self) -> Kind:
        """The kind of its model, which its task is for too."""
        return kind_of(self.model)

    def build_task(self) -> Task:
        """What the model learns, without the restorer of `after`. Raises ArgumentError for another's task."""
        facts = TASKS.get(self.task_name).facts
        if facts["kind"] != self.kind.name:
            needed = KINDS[facts["kind"]].noun
            raise ArgumentError(
                f"task {self.task!r} is for a {needed}; {self.model!r} is a {self.kind.noun}."
            )
        if self.after and not facts.get("after"):
            raise ArgumentError(f"task {self.task!r} takes no images that went through a restorer.")
        noise = self.train_noise if self.fresh_noise else ()
        return TASKS.call(self.task, noise, self.settings.augment, self.settings.label_smoothing)

    def to_json(self) -> dict[str, Any]:
        """The run as plain values, under the names that rows store (stored_names)."""
        stored = {"model": to_stored(self.model), "task": to_stored(self.task)}
        plain = {**asdict(self), **stored, "settings": self.settings.to_json()}
        for name, usual in _NOT_STORED.items():
            if plain[name] == usual:
                del plain[name]  # rows made when there was nothing else to say keep their keys
        return plain

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """The run that to_json wrote down. Raises UnknownName for a key that is not a setting of a run."""
        known = [f.name for f in fields(cls)]
        for key in values:
            if key not in known:
                raise UnknownName("setting of a run", key, known)
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        plain |= {key: from_stored(plain[key]) for key in ("model", "task") if key in plain}
        return cls(**{**plain, "settings": Settings.of(values["settings"])})

    def key(self, data_hash: str) -> str:
        """What names this run's row: a hash of all its settings and of the data."""
        text = json.dumps([self.to_json(), data_hash], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def canonical_test(test: str) -> str:
    """A test condition as rows name it: `gaussian:0.5>small@0123` is `gaussian:std=0.5>small@0123`."""
    chain, sign, restorer = test.partition(">")
    return canonical_chain(chain) + sign + restorer


def recipe_of(model: str) -> Settings:
    """The training settings that a registered model carries, or the usual ones."""
    return Settings.of(MODELS.get(MODELS.parse(model).name).facts.get("recipe", {}))


def over_seeds(run: Run, n_seeds: int) -> tuple[Run, ...]:
    """The same run with seeds 0, 1, 2 ..."""
    return tuple(replace(run, seed=seed) for seed in range(n_seeds))


def over_folds(run: Run, n_folds: int) -> tuple[Run, ...]:
    """The same run on each of n_folds folds. Raises ArgumentError for fewer than two."""
    if n_folds < 2:
        raise ArgumentError(f"cannot split the images into {n_folds} folds: at least 2 are needed.")
    return tuple(replace(run, fold=fold, n_folds=n_folds) for fold in range(n_folds))
