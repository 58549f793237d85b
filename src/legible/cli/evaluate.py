"""`legible evaluate`: judge a saved model on any images, under any noise, without PyTorch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from legible.cards import READS_LINES
from legible.cli import options
from legible.cli.screen import print_json, print_table, say
from legible.cli.train import load_data
from legible.errors import InputError, ModelError


def evaluate(
    card: Annotated[str, typer.Argument(help="A saved model's name or folder (legible models list).")],
    dataset: options.Dataset = None,
    noise: options.Noise = None,
    split: Annotated[str, typer.Option(help="Which images: test, validation, train or all.")] = "test",
    seed: Annotated[int, typer.Option(help="Of the noise, and of the split of your own data.")] = 0,
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
    from legible.apply.generator import Generator
    from legible.apply.saved import load
    from legible.evaluation.judges import JUDGES, Shown
    from legible.noise import NOISES, add_noise
    from legible.output import check_free
    from legible.seeds import rng_for

    noises = [NOISES.parse(text) for text in noise or ()]
    if pictures is not None:
        check_free(pictures, overwrite=overwrite)
    model = load(card)
    if isinstance(model, Generator):
        raise ModelError(
            f"model {card!r} draws and is given no images; look at what it draws: legible generate."
        )
    found, predict = model.card, model.run
    size = size or "x".join(map(str, found.image_shape[1:])) if dataset and Path(dataset).exists() else size
    splits, name = load_data(dataset, layout, polarity, size, seed)
    data = splits.named(split)
    if found.task == "classify" and data.classes != found.classes:
        raise InputError(
            f"model {found.name!r} tells {len(found.classes)} classes ({', '.join(found.classes)}), "
            f"but {name} has {len(data.classes)} ({', '.join(data.classes)}). Give images of its own classes."
        )
    clean, chain, found_noisy = data.images, "+".join(map(str, noises)), data.noisy is not None
    data = data.as_found()
    if noises:
        data = replace(
            data,
            images=add_noise(data.images, rng_for("test noise", name, chain, *[seed] * (seed > 0)), noises),
        )
        say(f"noise: {chain}, each clipped to [0, 1]")
    if found.task != READS_LINES:  # which are composed from the images
        predict(data.images[:1000])  # the first batch pays for memory that later ones find ready
    shown = Shown(data, clean, by_kind=found_noisy)
    verdict = JUDGES[found.task](predict, shown)
    if as_json:
        print_json(
            {
                "model": found.name,
                "dataset": name,
                "split": split,
                "noise": chain or "clean",
                **verdict.to_json(),
            }
        )
    else:
        from legible.report.verdicts import verdict_tables

        title = f"{found.name} on {name} ({split}), {chain or 'clean'}"
        for table in verdict_tables(verdict, title=title, in_full=True):
            print_table(table)
    if pictures is not None:
        from legible.report.look import save_figures
        from legible.report.verdicts import verdict_figures

        drawn = save_figures(verdict_figures(shown, verdict, predict), pictures, overwrite=overwrite)
        say("drawn: " + ", ".join(map(str, drawn)))
