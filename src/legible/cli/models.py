"""`legible models`: list, show, verify and export saved models, and list what can be trained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from legible.cards import (
    RUNS,
    SHIPPED,
    Card,
    card_folders,
    find_card,
    list_cards,
    open_card,
)
from legible.cli import options
from legible.cli.screen import counting, downloading, print_json, print_table, say, show_judgements
from legible.errors import ArgumentError, ModelError, UnknownName
from legible.output import check_free

app = typer.Typer(no_args_is_help=True, help="List, show, verify and export saved models.")
Name = Annotated[str, typer.Argument(help="A saved model's name or folder.")]
FORMATS = ("hdf5", "onnx")


@app.command("list")
def list_models(
    folder: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Also list the saved models in here.")
    ] = RUNS,
    as_json: options.AsJson = False,
) -> None:
    """List the saved models, those shipped and those in ./runs, and the models one can train."""
    from legible.evaluation.measures import say_score
    from legible.report.tables import Table

    cards = _open_sound([*card_folders(SHIPPED), *card_folders(folder)])
    trainable = _list_trainable()
    if as_json:
        print_json({"saved": [card.facts for card in cards], "trainable": trainable})
        return
    rows = [
        [card.name, str(card.folder), f"{card.facts['n_parameters']:,}", say_score(card.main_score)]
        for card in cards
    ]
    print_table(Table(["saved model", "folder", "parameters", "score"], rows))
    if trainable:
        print_table(Table(["to train", "what it is", "settings"], [list(row.values()) for row in trainable]))
    else:
        say("To list the models one can train, install the train extra: pip install 'legible[train]'")


def _open_sound(folders: list[Path]) -> list[Card]:
    """The cards of these folders; about a damaged one, words."""
    cards = []
    for folder in folders:
        try:
            cards.append(open_card(folder))
        except ModelError as error:
            say(str(error))
    return cards


def _list_trainable() -> list[dict[str, str]]:
    try:
        from legible.models import MODELS
    except ModuleNotFoundError:
        return []
    return [{"name": entry.name, "summary": entry.summary, "settings": entry.settings} for entry in MODELS]


@app.command("show")
def show_model(name: Name, as_json: options.AsJson = False) -> None:
    """Show what a saved model is, what it takes, what it was trained on and what it scored."""
    from legible.evaluation.measures import MEASURES
    from legible.report.tables import Table

    card = find_card(name)
    if as_json:
        print_json(card.facts)
        return
    facts, trained = card.facts, card.facts["trained"]
    channels, height, width = card.image_shape
    seconds, date = trained.get("seconds", 0), trained.get("date", "")
    rows = [
        ["folder", str(card.folder)],
        ["model", f"{facts['model']}, {facts['n_parameters']:,} parameters"],
        [
            "takes",
            f"images (N, {channels}, {height}, {width}) float32 in [0, 1], 1 = ink"
            + ", or of any other height and width" * (bool(card.multiple) and card.any_height)
            + ", or of any other width" * (bool(card.multiple) and not card.any_height),
        ],
        ["gives", facts["output"]],
        *([["classes", ", ".join(card.classes)]] if card.task == "classify" else []),
        ["trained by", trained.get("command", "")],
        ["on", f"{trained.get('n_images', 0):,} images in {seconds:.1f} s, {trained.get('machine', '')}"],
        ["made", f"{date} at commit {trained.get('commit') or 'unknown'}"],
    ]
    print_table(Table(["card", card.name], rows))
    measured = [name for name in MEASURES if name in card.main_score]
    columns = ["scored on", "split", "noise", "images", *(MEASURES[name].words for name in measured)]
    scores = [
        [s["dataset"], s["split"], s["noise"], f"{s['n_images']:,}",
         *(MEASURES[name].write(s[name]) for name in measured)]
        for s in facts["scores"]
    ]  # fmt: skip
    print_table(Table(columns, scores))


@app.command("verify")
def verify_model(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names or folders; all shipped ones if none.")
    ] = None,
) -> None:
    """Recompute hashes, parameter counts and one score of saved models; exit code 4 when one differs."""
    from legible.evaluation.verify import verify_card

    for card in [find_card(name) for name in names] if names else list(list_cards()):
        for sentence in verify_card(card):
            typer.echo(f"{card.name}: {sentence}")


@app.command("export")
def export_model(
    name: Name,
    form: Annotated[
        str, typer.Option("--format", help="hdf5 (a pair of JSON and HDF5, for Keras) or onnx.")
    ] = "hdf5",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; its ending is replaced.")
    ] = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Write a saved model in another format: architecture as JSON with weights as HDF5, or ONNX."""
    from legible.output import new_file, with_ending

    if form not in FORMATS:
        raise UnknownName("export format", form, FORMATS)
    card = find_card(name)
    stem = output or Path(card.name)
    if stem.is_dir():
        raise ArgumentError(f"{stem} is a folder; --output takes a file's name, like {stem / card.name}.")
    if form == "onnx":
        from legible.training.exchange import whole_network

        target = with_ending(stem, ".onnx")
        with new_file(target, overwrite=overwrite) as path:
            path.write_bytes(whole_network(card))
        typer.echo(target)
        return
    from legible.training.exchange import load_model
    from legible.training.keras_pair import save_pair

    for path in save_pair(load_model(card), card.image_shape, stem, overwrite=overwrite):
        typer.echo(path)


@app.command("join")
def join_models(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Saved models' names or folders.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where to.")],
    looks: Annotated[
        int,
        typer.Option(min=1, max=7, help="Looks of each: as it is, a pixel to each side, turned a little."),
    ] = 1,
    overwrite: options.Overwrite = False,
    as_json: options.AsJson = False,
) -> None:
    """Make one model of several trained apart: a committee, by the mean of their probabilities.

    They must have learnt from the same images. Its confidence is set on the held-out
    images, and it is judged on the test conditions of the first of them.
    """
    from legible.data import load_dataset
    from legible.studies.join import join_members, plan_committee
    from legible.studies.keep import keep_work
    from legible.studies.perform import judge_finished
    from legible.studies.provenance import this_command

    check_free(output, overwrite=overwrite)
    cards = [find_card(name) for name in names]
    run = plan_committee(cards, looks)
    with downloading() as progress:
        splits = load_dataset(run.dataset, progress=progress)
    work = join_members(run, cards, splits)
    with counting("judging") as counted:
        verdicts = judge_finished(work, counted, None)
    card = keep_work(work, verdicts, output, this_command(), overwrite=overwrite)
    show_judgements(verdicts, as_json)
    say(f"saved in {card.folder}: " + ", ".join(sorted(p.name for p in card.folder.iterdir())))
