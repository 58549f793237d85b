"""Put saved classifiers together: a committee, which believes the mean of what its members believe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import nn

from legible.cards import Card
from legible.data.split import Splits
from legible.errors import ArgumentError
from legible.models.committee import Committee, committee_of, members_in
from legible.studies.confident import divide_outputs
from legible.studies.plan import Run
from legible.studies.runner import Work, begin
from legible.training.exchange import load_model


def plan_committee(cards: Sequence[Card], looks: int) -> Run:
    """The run that a committee of these saved models stands for: as its members', with the first one's seed.

    looks: how often each member looks at an image.
    Raises ArgumentError where they are not classifiers that have learnt from the same images.
    """
    if len(cards) * looks < 2:
        raise ArgumentError("a committee is of 2 saved models and more, or of one with several --looks.")
    if len({card.identity for card in cards}) < len(cards):
        raise ArgumentError("two of these saved models are the same; name each once.")
    first = cards[0]
    for card in cards:
        if card.task != "classify" or "run" not in card.facts["trained"]:
            raise ArgumentError(f"{card.name} is no classifier that was trained here; it cannot be a member.")
    for card in cards:
        for fact in ("classes", "input"):
            if card.facts[fact] != first.facts[fact]:
                raise ArgumentError(
                    f"{card.name} has {fact} {card.facts[fact]}, {first.name} has {first.facts[fact]}: "
                    "members of a committee must see and name the same."
                )
    runs = [Run.of(card.facts["trained"]["run"]) for card in cards]
    if len({(run.dataset, run.watch, run.n_folds, run.n_held_out) for run in runs}) > 1:
        raise ArgumentError("members of a committee must have learnt from the same images of one dataset.")
    kinds = [kind for card in cards for kind in members_in(card.facts["model"])]
    return replace(runs[0], model=committee_of(kinds, looks))


def join_members(run: Run, cards: Sequence[Card], splits: Splits) -> Work:
    """The committee of these saved models as finished work, to be judged and kept.

    Of saved committees all members join.
    """
    work = begin(run, splits)
    committee = work.state.kept
    assert isinstance(committee, Committee)
    joining = [member for card in cards for member in _members_of(load_model(card))]
    for member, other in zip(committee.members, joining, strict=True):
        member.load_state_dict(other.state_dict())
    work.members += [_describe(card) for card in cards]
    return work


def _members_of(model: nn.Module) -> list[nn.Module]:
    """A model, or the members of a committee, as sure as that has made them."""
    if not isinstance(model, Committee):
        return [model]
    for member in model.members:
        divide_outputs(member, float(model.temperature))
    return list(model.members)


def _describe(card: Card) -> dict[str, object]:
    trained = card.facts["trained"]
    return {
        "identity": card.identity,
        "seed": trained["run"]["seed"],
        "seconds": trained["seconds"],
        "command": trained["command"],
    }
