"""The settings of a training: one frozen value that can be printed, stored and compared."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import torch

from legible.errors import ArgumentError, UnknownName
from legible.training.augment import AUGMENTS, augment
from legible.training.optimisers import OPTIMISERS, SCHEDULES

PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True)
class Settings:
    """How a model is trained.

    n_epochs: passes over the training images; the second epoch of 1.5 is half of one. batch_size: images per
    step. optimiser, schedule, augment: specs, such as `sgd:momentum=0.9`, `one-cycle:warmup=0.3`, `shift:2`.
    learning_rate: the peak of the schedule. weight_decay: decoupled from the gradient, for `adamw` and
    `muon`. l2: factor of the sum of squared weights that is added to the loss (except biases and norms).
    label_smoothing: share of each target that is distributed equally over all classes.
    average: decay per step of a moving average of the weights, 0 for none; the averaged weights are saved.
    precision: of the arithmetic; `auto` uses bfloat16 if the device computes in it.
    """

    n_epochs: float = 10
    batch_size: int = 128
    optimiser: str = "adam"
    learning_rate: float = 1e-3
    schedule: str = "one-cycle"
    weight_decay: float = 0.0
    l2: float = 0.0
    label_smoothing: float = 0.0
    augment: tuple[str, ...] = ()
    average: float = 0.0
    precision: str = "auto"

    def __post_init__(self) -> None:
        """Check every value, and convert specs to their canonical form."""
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:  # NaN compares false
                raise ArgumentError(f"{name} must lie between {low:g} and {high:g}, not {value}.")
        if self.precision not in PRECISIONS:
            raise UnknownName("precision", self.precision, PRECISIONS)
        if self.n_epochs == int(self.n_epochs):
            object.__setattr__(self, "n_epochs", int(self.n_epochs))
        object.__setattr__(self, "optimiser", str(OPTIMISERS.parse(self.optimiser)))
        object.__setattr__(self, "schedule", str(SCHEDULES.parse(self.schedule)))
        object.__setattr__(self, "augment", tuple(str(AUGMENTS.parse(a)) for a in self.augment))
        self._try_out()

    def _try_out(self) -> None:
        """Call schedule and augmentations on tiny input, so that wrong settings fail before any work."""
        SCHEDULES.call(self.schedule, 0.5)
        augment(torch.zeros(1, 1, 8, 8), torch.Generator(), self.augment)
        supported = OPTIMISERS.get(OPTIMISERS.parse(self.optimiser).name).facts["decay"]
        for setting in {"l2", "weight_decay"} - {supported}:
            if getattr(self, setting):
                raise ArgumentError(f"optimiser {self.optimiser!r} takes {supported}, not {setting}.")

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Settings from a dict, such as a stored one or a recipe; `optimizer` is accepted for `optimiser`.

        Raises UnknownName for an unknown key.
        """
        known = [f.name for f in fields(cls)]
        values = {"optimiser" if key == "optimizer" else key: value for key, value in values.items()}
        for key in values:
            if key not in known:
                raise UnknownName("training setting", key, known)
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """The settings as JSON-serialisable values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


_RANGES = (
    ("n_epochs", 0.01, 100_000),
    ("batch_size", 1, 1_000_000),
    ("learning_rate", 1e-9, 100),
    ("weight_decay", 0, 10),
    ("l2", 0, 10),
    ("label_smoothing", 0, 0.999),
    ("average", 0, 0.999999),
)
