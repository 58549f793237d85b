"""Put saved classifiers together: a committee, which believes the mean of what its members believe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from legible.cards import Card
from legible.data.split import Splits
from legible.errors import ArgumentError
from legible.models.committee import Committee, committee_of
from legible.studies.plan import Run
from legible.studies.runner import Work, begin
from legible.training.exchange import load_model


def plan_committee(cards: Sequence[Card], looks: int) -> Run:
    """The run that a committee of these saved models stands for: as its members', with the first one's seed.

    looks: how often each member looks at an image.
    Raises ArgumentError where they are not classifiers of one kind that have learnt from the same images.
    """
    if len(cards) * looks < 2:
        raise ArgumentError("a committee is of 2 saved models and more, or of one with several --looks.")
    if len({card.identity for card in cards}) < len(cards):
        raise ArgumentError("two of these saved models are the same; name each once.")
    first, *others = cards
    for card in cards:
        if card.task != "classify" or "run" not in card.facts["trained"]:
            raise ArgumentError(f"{card.name} is no classifier that was trained here; it cannot be a member.")
    for card in others:
        for fact in ("model", "classes", "input"):
            if card.facts[fact] != first.facts[fact]:
                raise ArgumentError(
                    f"{card.name} has {fact} {card.facts[fact]}, {first.name} has {first.facts[fact]}: "
                    "members of a committee must be of one kind."
                )
    runs = [Run.of(card.facts["trained"]["run"]) for card in cards]
    if len({(run.dataset, run.watch, run.n_folds) for run in runs}) > 1:
        raise ArgumentError("members of a committee must have learnt from the same images of one dataset.")
    return replace(runs[0], model=committee_of(first.facts["model"], len(cards), looks))


def join_members(run: Run, cards: Sequence[Card], splits: Splits) -> Work:
    """The committee of these saved models as finished work, to be judged and kept."""
    work = begin(run, splits)
    committee = work.state.kept
    assert isinstance(committee, Committee)
    for member, card in zip(committee.members, cards, strict=True):
        member.load_state_dict(load_model(card).state_dict())
        work.members.append(_describe(card))
    return work


def _describe(card: Card) -> dict[str, object]:
    trained = card.facts["trained"]
    return {
        "identity": card.identity,
        "seed": trained["run"]["seed"],
        "seconds": trained["seconds"],
        "command": trained["command"],
    }
