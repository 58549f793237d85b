"""`legible train`: train, evaluate and save a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from legible.cli import options
from legible.cli.screen import Screen, print_json, print_table, show_trained, waiting

if TYPE_CHECKING:
    from legible.runs.train import CrossValidation

Optimiser = Annotated[
    str | None,
    options.learning(
        "--optimiser",
        "--optimizer",
        metavar="NAME[:SETTINGS]",
        help="adam, adamw, muon or sgd:momentum=0.9,nesterov=yes.",
    ),
]
Schedule = Annotated[
    str | None,
    options.learning(metavar="NAME[:SETTINGS]", help="constant, one-cycle:warmup=0.2 or triangle."),
]
Augment = Annotated[
    list[str] | None,
    options.learning(
        metavar="NAME[:AMOUNT]", help="E.g. shift:2 or rotation:10; repeat it for several. 'none' for none."
    ),
]
NoiseOnce = Annotated[
    bool, options.noises("--noise-once", help="Add the training noise once, not anew in every epoch.")
]
TestNoise = Annotated[
    list[str] | None,
    options.noises(metavar="NAME[:AMOUNT]", help="Also evaluate with this noise; join several with '+'."),
]
HoldOut = Annotated[
    bool, options.evaluation(help="Hold out validation images and show their scores, or train on them too.")
]


def train(
    model: Annotated[str, typer.Argument(help="The model to train, e.g. digits-fast (legible models list).")],
    dataset: options.Dataset = None,
    output: options.Output = None,
    epochs: Annotated[float | None, options.learning(help="Passes over the training images.")] = None,
    batch_size: Annotated[int | None, options.learning(help="Images per step.")] = None,
    optimiser: Optimiser = None,
    learning_rate: Annotated[float | None, options.learning(help="The peak of the schedule.")] = None,
    schedule: Schedule = None,
    weight_decay: Annotated[
        float | None, options.learning(help="Decoupled weight decay (adamw, muon).")
    ] = None,
    l2: Annotated[float | None, options.learning(help="Factor of the squared weights in the loss.")] = None,
    label_smoothing: Annotated[
        float | None, options.learning(help="Share of each target spread over all classes.")
    ] = None,
    augment: Augment = None,
    average: Annotated[float | None, options.learning(help="Decay per step of averaged weights.")] = None,
    precision: Annotated[str | None, options.learning(help="auto, float32 or bfloat16.")] = None,
    task: options.Task = None,
    noise: options.Noise = None,
    noise_once: NoiseOnce = False,
    test_noise: TestNoise = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights, order, augmentation and noise.")] = 0,
    hold_out: HoldOut = True,
    held_out: Annotated[
        int, options.evaluation(min=0, help="Hold out this number of images, the last ones.")
    ] = 0,
    folds: Annotated[
        int, options.evaluation(help="Cross-validate with this number of folds; saves no model.")
    ] = 0,
    layout: options.LayoutOf = "auto",
    polarity: options.PolarityOf = "auto",
    size: options.Size = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume an interrupted training.")] = False,
    overwrite: options.Overwrite = False,
    as_json: options.AsJson = False,
) -> None:
    """Train a model, evaluate it on the test images, and save it with figures.

    An autoencoder learns to remove the --noise; without noise, to reconstruct its input.
    Settings that you leave out are those of the model's recipe. Every epoch saves a checkpoint in
    FOLDER.part; at the end, FOLDER has the model (card.json, weights.safetensors, model.onnx),
    evaluation.json and figures.
    """
    with waiting("starting PyTorch"):
        from legible.runs.provenance import this_command
        from legible.runs.train import CrossValidation
        from legible.runs.train import train as train_model
    given = {
        "n_epochs": epochs, "batch_size": batch_size, "optimiser": optimiser, "learning_rate": learning_rate,
        "schedule": schedule, "weight_decay": weight_decay, "l2": l2, "label_smoothing": label_smoothing,
        "augment": None if augment is None else tuple(a for a in augment if a != "none"), "average": average,
        "precision": precision,
    }  # fmt: skip
    with Screen() as screen:
        trained = train_model(
            model, dataset, output=output, settings={k: v for k, v in given.items() if v is not None},
            task=task or "", noise=noise or (), noise_once=noise_once, test_noise=test_noise or (), seed=seed,
            hold_out=hold_out, held_out=held_out, folds=folds, layout=layout, polarity=polarity,
            size=options.read_size(size), resume=resume, overwrite=overwrite, command=this_command(),
            progress=screen,
        )  # fmt: skip
    if isinstance(trained, CrossValidation):
        show_folds(trained, as_json=as_json)
        return
    show_trained(trained, as_json=as_json)


def show_folds(found: CrossValidation, *, as_json: bool) -> None:
    """Print each fold's held-out score, their mean and standard deviation."""
    if as_json:
        print_json(found.to_json())
        return
    from legible.evaluation.measures import MEASURES
    from legible.report.tables import Table

    measure = MEASURES[found.measure]
    rows = [[str(i + 1), measure.write(value)] for i, value in enumerate(found.folds)]
    rows.append(["mean", measure.write(found.mean, found.spread)])
    print_table(Table(["fold", f"held-out {measure.label}"], rows))
