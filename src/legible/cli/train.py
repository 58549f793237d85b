"""`legible train`: from a dataset to a judged, saved model with its pictures."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from legible.cli import options
from legible.cli.screen import (
    EpochLines,
    counting,
    downloading,
    print_json,
    print_table,
    say,
    show_judgements,
    waiting,
)
from legible.errors import ArgumentError, InputError, OutputError
from legible.output import check_free

if TYPE_CHECKING:
    from legible.choices import Layout, Polarity
    from legible.data.split import Splits
    from legible.studies.plan import Run
    from legible.training.settings import Settings

EMBEDDED = "digits-embedded"
FEW_IMAGES, MOST_EPOCHS_FOR_ONE = 20_000, 20


Optimiser = Annotated[
    str | None,
    options.learning(metavar="NAME[:SETTINGS]", help="adam, adamw, muon or sgd:momentum=0.9,nesterov=yes."),
]
Schedule = Annotated[
    str | None,
    options.learning(metavar="NAME[:SETTINGS]", help="constant, one-cycle:warmup=0.2 or triangle."),
]
Augment = Annotated[
    list[str] | None,
    options.learning(
        metavar="NAME[:AMOUNT]", help="E.g. shift:2, rotation:10; may be repeated. 'none' for none."
    ),
]
NoiseOnce = Annotated[
    bool, options.noises("--noise-once", help="Draw the training noise once, not anew at every showing.")
]
TestNoise = Annotated[
    list[str] | None,
    options.noises(metavar="NAME[:AMOUNT]", help="Judge under this noise too; join several with '+'."),
]
HoldOut = Annotated[
    bool, options.judging(help="Hold out validation images and show their curve, or train on them too.")
]


def train(
    model: Annotated[str, typer.Argument(help="What to train, e.g. digits-fast (legible models list).")],
    dataset: options.Dataset = None,
    output: options.Output = None,
    epochs: Annotated[float | None, options.learning(help="Showings of every training image.")] = None,
    batch_size: Annotated[int | None, options.learning(help="Images per step.")] = None,
    optimiser: Optimiser = None,
    learning_rate: Annotated[float | None, options.learning(help="The peak of the schedule.")] = None,
    schedule: Schedule = None,
    weight_decay: Annotated[
        float | None, options.learning(help="Decoupled weight decay (adamw, muon).")
    ] = None,
    l2: Annotated[float | None, options.learning(help="Factor of the squared weights in the loss.")] = None,
    label_smoothing: Annotated[
        float | None, options.learning(help="Share of targets for all classes.")
    ] = None,
    augment: Augment = None,
    average: Annotated[float | None, options.learning(help="Decay per step of averaged weights.")] = None,
    precision: Annotated[str | None, options.learning(help="auto, float32 or bfloat16.")] = None,
    task: options.Task = None,
    noise: options.Noise = None,
    noise_once: NoiseOnce = False,
    test_noise: TestNoise = None,
    seed: Annotated[int, typer.Option(min=0, help="Of initial weights, order, augmentation and noise.")] = 0,
    hold_out: HoldOut = True,
    held_out: Annotated[int, options.judging(min=0, help="Hold out the last so many, not the usual.")] = 0,
    folds: Annotated[int, options.judging(help="Cross-validate on so many folds; no model is saved.")] = 0,
    layout: options.LayoutOf = "auto",
    polarity: options.PolarityOf = "auto",
    size: options.Size = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a training that was cut off.")] = False,
    overwrite: options.Overwrite = False,
    as_json: options.AsJson = False,
) -> None:
    """Train a classifier, denoiser or autoencoder, judge it on the test images, and save it with pictures.

    An autoencoder learns to take off the --noise; without noise, to give the image itself.
    Settings that you leave out follow the model's own recipe. Every epoch leaves a checkpoint in FOLDER.part;
    when all is done, FOLDER holds the model (card.json, weights.safetensors, model.onnx), judgement.json and
    pictures.
    """
    with waiting("starting PyTorch"):
        from legible.studies.plan import Run
    given = {
        "n_epochs": epochs, "batch_size": batch_size, "optimiser": optimiser, "learning_rate": learning_rate,
        "schedule": schedule, "weight_decay": weight_decay, "l2": l2, "label_smoothing": label_smoothing,
        "augment": None if augment is None else tuple(a for a in augment if a != "none"), "average": average,
        "precision": precision,
    }  # fmt: skip
    tests = tuple(dict.fromkeys(["+".join(noise or []) or "clean", *(test_noise or [])]))
    run = Run(
        model=model, task=task or "", settings=choose_settings(model, given), seed=seed,
        train_noise=tuple(noise or ()), fresh_noise=not noise_once, tests=tests,
        watch="validation" if hold_out else "nothing", n_held_out=held_out,
    )  # fmt: skip
    splits, name = load_data(dataset, layout, polarity, size)
    run = replace(run, dataset=name, settings=enough_epochs(run.settings, len(splits.train), epochs))
    if folds:
        cross_validate(run, splits, folds, as_json)
        return
    title = Path(name).name if dataset else name
    target = output or Path("runs") / f"{run.model.replace(':', '-').replace('=', '')}.{title}-seed{seed}"
    train_and_keep(run, splits, target, resume=resume, overwrite=overwrite, as_json=as_json)


def choose_settings(model: str, given: dict[str, Any]) -> Any:
    """The model's own recipe, with what the user gave instead."""
    from legible.studies.plan import recipe_of
    from legible.training.settings import Settings

    recipe = recipe_of(model).to_json()
    return Settings.of(recipe | {k: v for k, v in given.items() if v is not None})


def enough_epochs(settings: Settings, n_train: int, asked: float | None) -> Settings:
    """The settings, with more epochs where images are few and the number of epochs was not asked for.

    A recipe's epochs are meant for tens of thousands of images; of a thousand, one epoch is five steps.
    """
    if asked is not None or n_train >= FEW_IMAGES:
        return settings
    n_epochs = math.ceil(settings.n_epochs * min(FEW_IMAGES / n_train, MOST_EPOCHS_FOR_ONE))
    say(f"few training images: {n_epochs} epochs instead of {settings.n_epochs} (--epochs says how many)")
    return replace(settings, n_epochs=n_epochs)


def load_data(name: str | None, layout: Layout, polarity: Polarity, size: str | None) -> tuple[Splits, str]:
    """The images to train and judge with; when none are named MNIST, or the embedded digits without it.

    Your own are dealt into parts in one way, whatever the training's seed: what one model learnt from
    is never another one's test.
    """
    from legible.data import load_dataset

    shape = read_size(size)
    if name is None:
        try:
            with downloading() as progress:
                splits, name = load_dataset("mnist", size=shape, progress=progress), "mnist"
        except (InputError, OutputError) as error:  # no network, or no room to keep what it gives
            say(str(error), f"Going on with the {EMBEDDED} dataset, 1,797 small real digits, instead.")
            splits, name = load_dataset(EMBEDDED, size=shape), EMBEDDED
    else:
        with downloading() as progress:
            splits = load_dataset(name, layout=layout, polarity=polarity, size=shape, progress=progress)
    say(*splits.words)
    return splits, name


def read_size(text: str | None) -> tuple[int, int] | None:
    """Height and width from HxW. Raises ArgumentError."""
    if text is None:
        return None
    height, cross, width = text.lower().partition("x")
    if not (cross and height.isdigit() and width.isdigit() and int(height) and int(width)):
        raise ArgumentError(f"--size takes height x width in pixels, like 28x28, not {text!r}.")
    return int(height), int(width)


def train_and_keep(
    run: Run, splits: Splits, target: Path, *, resume: bool, overwrite: bool, as_json: bool
) -> None:
    """Train with a checkpoint per epoch, judge, and put the finished folder in its place."""
    from legible.evaluation.measures import duration
    from legible.studies import runner
    from legible.studies.keep import keep_work
    from legible.studies.perform import judge_finished
    from legible.studies.provenance import this_command

    check_free(target, overwrite=overwrite)
    part = target.with_name(target.name + ".part")
    if part.exists() and not resume:
        if not overwrite:
            raise OutputError(f"an unfinished training lies in {part}. Add --resume to go on with it, or "
                              "--overwrite to start anew.")  # fmt: skip
        shutil.rmtree(part)
    checkpoint = part / "checkpoint.safetensors"
    work = runner.begin(run, splits, checkpoint)
    n_done = work.state.n_epochs_done
    if run.train_noise:
        how = "drawn anew at every showing" if run.fresh_noise else "drawn once"
        say(f"noise: {' + '.join(run.train_noise)}, each clipped to [0, 1], {how}")
    say(f"training {run.model} (seed {run.seed})" + (f", after epoch {n_done}" if n_done else ""))
    lines = EpochLines(run.settings.n_epochs)
    try:
        for record in runner.advance(work, checkpoint):
            lines.show(record)
    except KeyboardInterrupt:
        say(f"interrupted after epoch {work.state.n_epochs_done} of {run.settings.n_epochs}; go on with:",
            f"  {this_command()} --resume" + " --overwrite" * target.exists())  # fmt: skip
        raise
    say(f"trained in {duration(sum(r['seconds'] for r in work.history))}")
    with counting("judging") as progress:
        judgements = judge_finished(work, progress, checkpoint)
    with waiting("saving"):
        card = keep_work(work, judgements, target, this_command(), overwrite=overwrite)
    shutil.rmtree(part, ignore_errors=True)
    show_judgements(judgements, as_json)
    say(f"saved in {card.folder}: " + ", ".join(sorted(p.name for p in card.folder.iterdir())))


def cross_validate(run: Run, splits: Splits, n_folds: int, as_json: bool) -> None:
    """Train once per fold and print each fold's held-out accuracy (or error), their mean and their spread."""
    from legible.evaluation.measures import HEADLINES, MEASURES
    from legible.evaluation.metrics import mean_and_spread
    from legible.report.tables import Table
    from legible.studies import runner
    from legible.studies.plan import over_folds

    name = HEADLINES[run.does]
    measure, values = MEASURES[name], []
    for one in over_folds(replace(run, watch="nothing"), n_folds):
        work = runner.begin(one, splits)
        lines = EpochLines(run.settings.n_epochs, f"fold {one.fold + 1}/{n_folds}  ")
        for record in runner.advance(work):
            lines.show(record)
        values.append(runner.conclude(work)[one.tests[0]].scores[name])
    mean, spread, _ = mean_and_spread(values)
    if as_json:
        print_json({"measure": name, "folds": values, "mean": mean, "spread": spread})
        return
    rows = [[str(i + 1), measure.write(value)] for i, value in enumerate(values)]
    print_table(Table(["fold", f"held-out {measure.words}"], [*rows, ["mean", measure.write(mean, spread)]]))
