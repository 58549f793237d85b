"""`legible evaluate`: judge a saved model on any images, under any noise, without PyTorch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from legible.cards import READS_LINES
from legible.cli import options
from legible.cli.screen import print_json, print_table, say
from legible.cli.train import load_data
from legible.errors import InputError, ModelError

if TYPE_CHECKING:
    from legible.apply.classifier import Classifier
    from legible.apply.line_model import LineModel
    from legible.apply.restorer import Restorer
    from legible.cards import Card
    from legible.data.split import Labelled
    from legible.evaluation.judges import Verdict


def evaluate(
    card: Annotated[str, typer.Argument(help="A saved model's name or folder (legible models list).")],
    dataset: options.Dataset = None,
    noise: options.Noise = None,
    split: Annotated[str, typer.Option(help="Which images: test, validation, train or all.")] = "test",
    seed: Annotated[int, typer.Option(min=0, help="Of the noise.")] = 0,
    layout: options.LayoutOf = "auto",
    polarity: options.PolarityOf = "auto",
    size: options.Size = None,
    pictures: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Draw the pictures into this folder.")
    ] = None,
    overwrite: options.Overwrite = False,
    as_json: options.AsJson = False,
) -> None:
    """Judge a saved model on images whose labels, or whose clean versions, are known.

    A classifier by accuracy, loss, calibration, a table per class and the confusion matrix; a denoiser or
    autoencoder by MSE, PSNR, SSIM and BCE between what it gives back and the images before the noise; a
    reader of lines by strings composed from the images.
    """
    from legible.evaluation.judges import JUDGES, Shown
    from legible.noise import NOISES, add_noise
    from legible.output import check_free
    from legible.seeds import rng_for

    noises = [NOISES.parse(text) for text in noise or ()]
    if pictures is not None:
        check_free(pictures, overwrite=overwrite)
    model = load_asked(card)
    found, predict = model.card, model.run
    size = size or "x".join(map(str, found.image_shape[1:])) if dataset and Path(dataset).exists() else size
    splits, name = load_data(dataset, layout, polarity, size)
    data = splits.named(split)
    check_classes(found, data, name)
    chain = "+".join(map(str, noises))
    noisy = data.as_found()
    if noises:
        rng = rng_for("test noise", name, chain, *[seed] * (seed > 0))
        noisy = replace(noisy, images=add_noise(noisy.images, rng, noises))
        say(f"noise: {chain}, each clipped to [0, 1]")
    if found.task != READS_LINES:  # which are composed from the images
        predict(noisy.images[:1000])  # the first batch pays for memory that later ones find ready
    shown = Shown(noisy, data.images, by_kind=data.noisy is not None)
    verdict = JUDGES[found.task](predict, shown)
    where = {"model": found.name, "dataset": name, "split": split, "noise": chain or "clean"}
    show_verdict(verdict, where, as_json=as_json)
    if pictures is not None:
        from legible.report.look import save_figures
        from legible.report.verdicts import verdict_figures

        drawn = save_figures(verdict_figures(shown, verdict, predict), pictures, overwrite=overwrite)
        say("drawn: " + ", ".join(map(str, drawn)))


def load_asked(card: str) -> Classifier | Restorer | LineModel:
    """The saved model to judge. Raises ModelError for one that is given no images."""
    from legible.apply.generator import Generator
    from legible.apply.saved import load

    model = load(card)
    if isinstance(model, Generator):
        raise ModelError(
            f"model {card!r} draws and is given no images; look at what it draws: legible generate."
        )
    return model


def check_classes(card: Card, data: Labelled, name: str) -> None:
    """Raise InputError where a model that reads and a dataset know other classes."""
    if card.task in ("classify", READS_LINES) and data.classes != card.classes:
        raise InputError(
            f"model {card.name!r} tells {len(card.classes)} classes ({', '.join(card.classes)}), "
            f"but {name} has {len(data.classes)} ({', '.join(data.classes)}). Give images of its own classes."
        )


def show_verdict(verdict: Verdict, where: dict[str, str], *, as_json: bool) -> None:
    """Print what was measured, as tables or as JSON."""
    if as_json:
        print_json({**where, **verdict.to_json()})
        return
    from legible.report.verdicts import verdict_tables

    title = f"{where['model']} on {where['dataset']} ({where['split']}), {where['noise']}"
    for table in verdict_tables(verdict, title=title, in_full=True):
        print_table(table)
