"""`legible models`: list, show, verify, export and join saved models, and list models to train."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from legible.cards import RUNS, SHIPPED, Card, card_folders, find_card, list_cards, open_card
from legible.cli import options
from legible.cli.screen import Screen, print_json, print_table, say, show_trained
from legible.errors import ArgumentError, ModelError, UnknownName

app = typer.Typer(no_args_is_help=True, help="List, show, verify and export saved models.")
Name = Annotated[str, typer.Argument(help="A saved model's name or folder.")]
FORMATS = ("hdf5", "onnx")


@app.command("list")
def list_models(
    folder: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Also list the saved models in this folder.")
    ] = RUNS,
    as_json: options.AsJson = False,
) -> None:
    """List the saved models (included ones and those in ./runs) and the models that you can train."""
    from legible.evaluation.measures import say_score
    from legible.report.tables import Table

    cards = _open_undamaged([*card_folders(SHIPPED), *card_folders(folder)])
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
        rows = [list(row.values()) for row in trainable]
        print_table(Table(["model to train", "description", "settings"], rows))
    else:
        say("To list the models that you can train, install the train extra: pip install 'legible[train]'")


def _open_undamaged(folders: list[Path]) -> list[Card]:
    """The cards of these folders; prints a sentence about each damaged one."""
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
    """Show a saved model: its input and output, its training and its scores."""
    from legible.evaluation.measures import MEASURES
    from legible.report.tables import Table
    from legible.runs.provenance import describe_commit

    card = find_card(name)
    if as_json:
        print_json(card.facts)
        return
    facts, trained = card.facts, card.facts["trained"]
    seconds, date = trained.get("seconds", 0), trained.get("date", "")
    rows = [
        ["folder", str(card.folder)],
        ["model", f"{card.model}, {facts['n_parameters']:,} parameters"],
        ["input", _describe_input(card)],
        ["output", card.kind.output],
        *([["classes", ", ".join(card.classes)]] if card.classes else []),
        ["trained with", trained.get("command", "")],
        [
            "trained on",
            f"{trained.get('n_images', 0):,} images in {seconds:.1f} s, {trained.get('machine', '')}",
        ],
        ["date", f"{date}, commit: {describe_commit(trained.get('commit', ''))}"],
    ]
    print_table(Table(["card", card.name], rows))
    measured = [name for name in MEASURES if any(name in score for score in facts["scores"])]
    columns = ["evaluated on", "split", "noise", "images", *(MEASURES[name].label for name in measured)]
    scores = [
        [s["dataset"], s["split"], s["noise"], f"{s['n_images']:,}",
         *(MEASURES[name].write(s[name]) if name in s else "" for name in measured)]
        for s in facts["scores"]
    ]  # fmt: skip
    print_table(Table(columns, scores))


def _describe_input(card: Card) -> str:
    channels, height, width = card.image_shape
    if card.n_latents:
        return f"standard normal latents (N, {card.n_latents}), class weights (N, {len(card.classes)})"
    any_size = ", or any other height and width" if card.any_height else ", or any other width"
    shape = f"images (N, {channels}, {height}, {width}) float32 in [0, 1], 1 = ink"
    return shape + any_size * bool(card.multiple)


@app.command("verify")
def verify_model(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names or folders; default: all included models.")
    ] = None,
) -> None:
    """Recompute hashes, parameter counts and one score of saved models; exit code 4 if one differs."""
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
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="File to write; its ending is replaced."),
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
        raise ArgumentError(f"{stem} is a folder; --output needs a file name, such as {stem / card.name}.")
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
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write.")],
    views: Annotated[
        int,
        typer.Option(min=1, max=7, help="Test-time augmentation: number of views of each image."),
    ] = 1,
    overwrite: options.Overwrite = False,
    as_json: options.AsJson = False,
) -> None:
    """Join several trained classifiers into one model, an ensemble that averages their probabilities.

    They must have been trained on the same images. The ensemble's confidence is calibrated on the held-out
    images, and it is evaluated on the first model's test sets.
    """
    from legible.runs.ensemble import join
    from legible.runs.provenance import this_command

    with Screen() as screen:
        joined = join(
            names, output, views=views, overwrite=overwrite, command=this_command(), progress=screen
        )
    show_trained(joined, as_json=as_json)
