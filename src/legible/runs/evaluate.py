"""Evaluate a saved model on any images, under any noise, as `legible evaluate` does. Needs no PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legible.cards import Card, find_card
from legible.choices import Layout, Polarity
from legible.data.choose import choose_dataset
from legible.data.split import Labelled, Splits
from legible.errors import InputError, ModelError
from legible.evaluation.evaluation_set import EvaluationReport, EvaluationSet, make_evaluation_set
from legible.images import Predict
from legible.noise import CLEAN, NOISES
from legible.progress import Progress

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from legible.report.tables import Table

_N_WARM_UP = 1000  # images: the first batch pays for memory that later ones find ready


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A saved model's report on some images, and what was evaluated on what."""

    card: Card
    dataset: str
    split: str
    noise: str
    report: EvaluationReport
    shown: EvaluationSet
    predict: Predict

    @property
    def scores(self) -> dict[str, Any]:
        """The report's figures by name."""
        return self.report.scores

    def to_json(self) -> dict[str, Any]:
        """What was evaluated on what, and all that was measured, as plain values."""
        where = {"model": self.card.name, "dataset": self.dataset, "split": self.split, "noise": self.noise}
        return {**where, **self.report.to_json()}

    def tables(self) -> list[Table]:
        """All that was measured, as tables."""
        title = f"{self.card.name} on {self.dataset} ({self.split}), {self.noise}"
        tables: list[Table] = self.card.kind.part("tables")(self.report, title=title, in_full=True)
        return tables

    def figures(self) -> dict[str, Figure]:
        """Its figures by name; needs matplotlib."""
        drawn: dict[str, Figure] = self.card.kind.part("figures")(self.shown, self.report, self.predict)
        return drawn


def evaluate(
    model: str,
    dataset: str | Path | Splits | None = None,
    *,
    noise: Sequence[str] = (),
    split: str = "test",
    seed: int = 0,
    layout: Layout = "auto",
    polarity: Polarity = "auto",
    size: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> Evaluated:
    """Evaluate a saved model on images whose labels, or whose clean versions, are known.

    model: a saved model's name or folder. dataset: a name, your own data by its path, or images that are
    loaded; what the model was trained on if None. noise: specs, put on in order; seed: of the noise.
    split: test, validation, train or all. layout, polarity, size: of your own data, see load_dataset; your
    own images are scaled to the model's size. Raises ModelError, InputError, ArgumentError.

        >>> import legible
        >>> f"{legible.evaluate('digits-fast', 'digits-embedded').scores['accuracy']:.3f}"
        '0.919'
    """
    progress = progress or Progress()
    chain = "+".join(str(NOISES.parse(text)) for text in noise) or CLEAN
    card = find_card(model)
    if not card.kind.evaluator:
        raise ModelError(
            f"model {model!r} is a {card.kind.noun}, which answers no images; look at what it makes: "
            f"{card.kind.look}."
        )
    if dataset is None:
        dataset = trained_on(card)
    is_own = not isinstance(dataset, Splits) and Path(dataset).exists()
    size = size or (card.image_shape[1:] if is_own else None)
    splits, name = choose_dataset(dataset, layout=layout, polarity=polarity, size=size, progress=progress)
    data = splits.named(split)
    check_classes(card, data, name)
    shown = make_evaluation_set(data, name, chain, seed=seed)
    if chain != CLEAN:
        progress.say(f"noise: {chain}, each clipped to [0, 1]")
    predict: Predict = card.kind.part("loader").load(card).run
    if card.kind.sees_images:
        predict(shown.seen.images[:_N_WARM_UP])
    report = card.kind.part("evaluator")(predict, shown)
    return Evaluated(card, name, split, chain, report, shown, predict)


def trained_on(card: Card) -> str:
    """The dataset that a saved model was trained on. Raises InputError where its card names none."""
    name = str(card.facts["input"].get("prepared_as", ""))
    if not name:
        raise InputError(f"model {card.name!r} does not say what it was trained on: name a dataset (-d).")
    return name


def check_classes(card: Card, data: Labelled, name: str) -> None:
    """Raise InputError where a model that reads and a dataset have other classes."""
    if card.kind.needs_classes and data.classes != card.classes:
        raise InputError(
            f"model {card.name!r} has {len(card.classes)} classes ({', '.join(card.classes)}), "
            f"but {name} has {len(data.classes)} ({', '.join(data.classes)}). Give images of its own classes."
        )
