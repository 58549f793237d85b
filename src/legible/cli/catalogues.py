"""`legible datasets` and `legible noise`: list, download and show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from legible.cli import options
from legible.cli.screen import Screen, print_json, print_table, say

datasets = typer.Typer(no_args_is_help=True, help="List and download datasets.")
noises = typer.Typer(no_args_is_help=True, help="List and show noises.")


@datasets.command("list")
def list_datasets(as_json: options.AsJson = False) -> None:
    """List the available datasets. To use your own data, give its path instead of a name."""
    from legible.data import DATASETS
    from legible.report.tables import Table

    if as_json:
        plain = {e.name: {k: v for k, v in e.facts.items() if k != "remote"} for e in DATASETS}
        print_json([{"name": e.name, "summary": e.summary, **plain[e.name]} for e in DATASETS])
        return
    print_table(Table(["dataset", "description", "licence"],
                      [[e.name, e.summary, str(e.facts.get("licence", ""))] for e in DATASETS]))  # fmt: skip


@datasets.command("fetch")
def fetch_datasets(
    names: Annotated[list[str], typer.Argument(help="Names, e.g. mnist fashion-mnist.")],
) -> None:
    """Download datasets into the cache and check them; files already there are not downloaded again."""
    from legible.data import DATASETS, fetch_dataset

    for name in names:
        DATASETS.get(name)
    for name in names:
        with Screen() as screen:
            paths = fetch_dataset(name, progress=screen.download)
        for path in paths:
            typer.echo(path)
        say(f"{name}: {len(paths)} files, checked" if paths else f"{name} is included")


@noises.command("list")
def list_noises(as_json: options.AsJson = False) -> None:
    """List the noises with their settings. Write a noise as NAME:AMOUNT or NAME:SETTING=VALUE,..."""
    from legible.noise import NOISES
    from legible.report.tables import Table

    if as_json:
        print_json([{"name": e.name, "summary": e.summary, "settings": e.defaults} for e in NOISES])
        return
    rows = [[entry.name, entry.summary, entry.settings] for entry in NOISES]
    print_table(Table(["noise", "description", "settings and defaults"], rows))


@noises.command("show")
def show_noise(
    specs: Annotated[
        list[str] | None, typer.Argument(help="Noises, e.g. gaussian:0.5; default: all.")
    ] = None,
    dataset: options.Dataset = "digits-embedded",
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The PNG to write.")] = Path(
        "noise.png"
    ),
    seed: Annotated[int, typer.Option(min=0, help="Seed of the noise.")] = 0,
    overwrite: options.Overwrite = False,
) -> None:
    """Write a PNG of digits with each noise, one row per noise."""
    from legible.data.choose import choose_dataset
    from legible.noise import NOISES, add_noise
    from legible.report.figures import noise_gallery, save_figure
    from legible.seeds import rng_for

    chosen = [str(NOISES.parse(text)) for text in specs or NOISES.names()]
    with Screen() as screen:
        splits, _ = choose_dataset(dataset, progress=screen)
    clean = splits.test.images[:10]
    rows = {"clean": clean} | {
        name: add_noise(clean, rng_for("shown noise", name, seed), [name]) for name in chosen
    }
    save_figure(noise_gallery(rows), output, overwrite=overwrite)
    typer.echo(output)
