"""`legible evaluate`: judge a saved classifier on any images, under any noise, without PyTorch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from legible.cli import options
from legible.cli.screen import print_json, print_table, say
from legible.cli.train import load_data
from legible.errors import InputError


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
    """Judge a saved classifier: accuracy, loss, calibration, a table per class, the confusion matrix."""
    from legible.apply.runtime import load_runtime
    from legible.cards import find_card
    from legible.evaluation.measure import judge
    from legible.noise import NOISES, add_noise
    from legible.output import check_free
    from legible.seeds import rng_for

    found = find_card(card)
    noises = [NOISES.parse(text) for text in noise or ()]
    if pictures is not None:
        check_free(pictures, overwrite=overwrite)
    predict = load_runtime(found)
    size = size or "x".join(map(str, found.image_shape[1:])) if dataset and Path(dataset).exists() else size
    splits, name = load_data(dataset, layout, polarity, size, seed)
    data = splits.named(split)
    if data.classes != found.classes:
        raise InputError(
            f"model {found.name!r} tells {len(found.classes)} classes ({', '.join(found.classes)}), "
            f"but {name} has {len(data.classes)} ({', '.join(data.classes)}). Give images of its own classes."
        )
    chain = "+".join(map(str, noises))
    if noises:
        data = replace(
            data,
            images=add_noise(data.images, rng_for("test noise", name, chain, *[seed] * (seed > 0)), noises),
        )
        say(f"noise: {chain}, each clipped to [0, 1]")
    predict(data.images[:1000])  # the first batch pays for memory that later ones find ready
    judgement = judge(predict, data.images, data.labels, data.classes)
    if as_json:
        print_json(
            {
                "model": found.name,
                "dataset": name,
                "split": split,
                "noise": chain or "clean",
                **judgement.to_json(),
            }
        )
    else:
        from legible.report.tables import confusion_table, judgement_table, per_class_table

        title = f"{found.name} on {name} ({split}), {chain or 'clean'}"
        print_table(judgement_table(judgement, title=title))
        print_table(per_class_table(judgement))
        print_table(confusion_table(judgement))
    if pictures is not None:
        from legible.report.figures import judgement_figures, save_figures

        drawn = save_figures(judgement_figures(data, judgement), pictures, overwrite=overwrite)
        say("drawn: " + ", ".join(map(str, drawn)))
