"""A run being carried out, as a value: what it learns, its images, its model as trained so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from legible.models import count_parameters
from legible.runs.run import Run
from legible.runs.run_data import RunData
from legible.training.loop import State
from legible.training.tasks import Task


@dataclass
class Execution:
    """A run being carried out: what it learns, its images, its model as trained so far, a record per epoch.

    confidence: what its card will say of how far its probabilities can be trusted. members: what it was
    joined from, for its card.
    """

    run: Run
    key: str
    task: Task
    data: RunData
    state: State
    history: list[dict[str, Any]] = field(default_factory=list)
    confidence: dict[str, Any] = field(default_factory=dict)
    members: list[dict[str, Any]] = field(default_factory=list)

    @property
    def steps(self) -> Any:
        """What its kind of model does besides training: runs.steps.Steps, or its own."""
        return self.run.kind.part("steps")()

    @property
    def n_parameters(self) -> int:
        """How many numbers the training may change."""
        return count_parameters(self.state.model)

    def facts(self) -> dict[str, Any]:
        """What a checkpoint says of it, and a resumed training must agree with."""
        return {"key": self.key, "run": self.run.to_json(), "history": self.history}
