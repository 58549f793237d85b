"""`legible tour`: a short example of everything the program does, in a minute, as one HTML page."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from legible.cli import options
from legible.cli.screen import say, waiting
from legible.errors import ArgumentError
from legible.output import check_free


def tour(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.html", help="The page to write.")
    ] = Path("tour.html"),
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal tours.")] = 0,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    overwrite: options.Overwrite = False,
) -> None:
    """See all features on included data: train a network, add and remove noise, read, clean, generate.

    Takes less than a minute, offline. Writes one page with all pictures and figures, and the commands for
    each step.
    """
    if output.suffix.lower() != ".html":
        raise ArgumentError(f"{output}: the tour is an HTML page; give a name such as tour.html.")
    check_free(output, overwrite=overwrite)
    started, chapters = time.perf_counter(), []
    with waiting("starting PyTorch"):
        from legible.evaluation.measures import duration
        from legible.report.story import write_story
        from legible.tour import take_tour
    for stop in take_tour(seed):
        chapters.append(stop)
        say(f"{len(chapters)}. {stop.title}: {stop.text}")
    took = duration(time.perf_counter() - started)
    lead = f"A short example of everything that `legible` does: made in {took} by `legible tour`."
    write_story("A tour of Legible", lead, chapters, output, overwrite=overwrite)
    say(f"made in {took}; open it in a browser")
    typer.echo(output)
    if open_page:
        import webbrowser

        webbrowser.open(output.resolve().as_uri())
