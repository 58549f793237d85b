"""Join saved classifiers to an ensemble, whose probabilities are the mean of its members'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from torch import nn

from legible.cards import Card, find_card
from legible.data import load_dataset
from legible.data.split import Splits
from legible.errors import ArgumentError
from legible.models.ensemble import ensemble_of, members_in
from legible.output import check_free
from legible.progress import Progress
from legible.runs.carry_out import finish, start
from legible.runs.execution import Execution
from legible.runs.keep import keep_execution
from legible.runs.run import Run
from legible.runs.steps import divide_outputs
from legible.runs.train import Trained
from legible.training.exchange import load_model, round_weights

if TYPE_CHECKING:
    from legible.models.ensemble import Ensemble


def join(
    names: Sequence[str],
    output: str | Path,
    *,
    views: int = 1,
    overwrite: bool = False,
    command: str = "",
    progress: Progress | None = None,
) -> Trained:
    """Make one saved model of several classifiers that were trained apart on the same images.

    names: names or folders of saved models. output: the new folder. views: how many views of an image each
    member sees (test-time augmentation). command: what the card says it was made by. Its confidence is
    calibrated on the held-out images; it is evaluated on the first one's test conditions. Raises
    ArgumentError, ModelError, OutputError.
    """
    progress, target = progress or Progress(), Path(output)
    check_free(target, overwrite=overwrite)
    cards = [find_card(name) for name in names]
    run = plan_ensemble(cards, views)
    execution = join_members(run, cards, load_dataset(run.dataset, progress=progress.download))
    reports = finish(execution, partial(progress.count, "evaluating"))
    card = keep_execution(execution, reports, target, command, overwrite=overwrite)
    return Trained(card, reports, execution.history)


def plan_ensemble(cards: Sequence[Card], views: int) -> Run:
    """The run that an ensemble of these saved models stands for: as its members', with the first one's seed.

    views: how many views of an image each member sees (test-time augmentation).
    Raises ArgumentError where they are not classifiers that have learnt from the same images.
    """
    if len(cards) * views < 2:
        raise ArgumentError("an ensemble is of 2 saved models and more, or of one with several --views.")
    if len({card.identity for card in cards}) < len(cards):
        raise ArgumentError("two of these saved models are the same; name each once.")
    first = cards[0]
    for card in cards:
        if not card.kind.can_join or "run" not in card.facts["trained"]:
            raise ArgumentError(
                f"{card.name} is not a classifier that was trained here; it cannot be a member."
            )
    for card in cards:
        for fact in ("classes", "input"):
            if card.facts[fact] != first.facts[fact]:
                raise ArgumentError(
                    f"{card.name} has {fact} {card.facts[fact]}, {first.name} has {first.facts[fact]}: "
                    "members of an ensemble must see and name the same."
                )
    runs = [Run.of(card.facts["trained"]["run"]) for card in cards]
    if len({(run.dataset, run.watch, run.n_folds, run.n_held_out) for run in runs}) > 1:
        raise ArgumentError("members of an ensemble must have learnt from the same images of one dataset.")
    kinds = [kind for card in cards for kind in members_in(card.model)]
    return replace(runs[0], model=ensemble_of(kinds, views))


def join_members(run: Run, cards: Sequence[Card], splits: Splits) -> Execution:
    """The ensemble of these saved models as a finished execution, to be evaluated and kept.

    Of saved ensembles all members join.
    """
    execution = start(run, splits)
    ensemble = cast("Ensemble", execution.state.kept)
    joining = [member for card in cards for member in _members_of(load_model(card))]
    for member, other in zip(ensemble.members, joining, strict=True):
        member.load_state_dict(other.state_dict())
    round_weights(ensemble)
    execution.members += [_describe(card) for card in cards]
    return execution


def _members_of(model: nn.Module) -> list[nn.Module]:
    """A model, or the members of an ensemble, each with its temperature."""
    members = list(getattr(model, "members", []))
    for member in members:
        divide_outputs(member, float(cast("Ensemble", model).temperature))
    return members or [model]


def _describe(card: Card) -> dict[str, object]:
    trained = card.facts["trained"]
    return {
        "identity": card.identity,
        "seed": trained["run"]["seed"],
        "seconds": trained["seconds"],
        "command": trained["command"],
    }
