"""`legible evaluate`: evaluate a saved model on any images, with any noise, without PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from legible.cli import options
from legible.cli.screen import Screen, print_json, print_table, say


def evaluate(
    card: Annotated[str, typer.Argument(help="A saved model's name or folder (legible models list).")],
    dataset: options.Dataset = None,
    noise: options.Noise = None,
    split: Annotated[str, typer.Option(help="Which images: test, validation, train or all.")] = "test",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the noise.")] = 0,
    layout: options.LayoutOf = "auto",
    polarity: options.PolarityOf = "auto",
    size: options.Size = None,
    pictures: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write figures into this folder.")
    ] = None,
    overwrite: options.Overwrite = False,
    as_json: options.AsJson = False,
) -> None:
    """Evaluate a saved model on images with labels or clean versions.

    Without --dataset, on the dataset that it was trained on. Results are, for a classifier, accuracy, loss,
    calibration error, a table of classes and the confusion matrix; for a denoiser or autoencoder, MSE, PSNR,
    SSIM and BCE between its output and the clean images; for a line reader, the share of strings read
    correctly, which are composed from the images.
    """
    from legible.output import check_free
    from legible.runs.evaluate import evaluate as evaluate_model

    if pictures is not None:
        check_free(pictures, overwrite=overwrite)
    with Screen() as screen:
        found = evaluate_model(
            card, dataset, noise=noise or (), split=split, seed=seed, layout=layout, polarity=polarity,
            size=options.read_size(size), progress=screen,
        )  # fmt: skip
    if as_json:
        print_json(found.to_json())
    else:
        for table in found.tables():
            print_table(table)
    if pictures is not None:
        from legible.report.look import save_figures

        paths = save_figures(found.figures(), pictures, overwrite=overwrite)
        say("written: " + ", ".join(map(str, paths)))
