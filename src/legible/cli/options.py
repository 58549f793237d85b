"""Options that several verbs share, each with its one help text."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from legible.choices import Layout, Polarity

# an option under a heading of its own in the help
learning = partial(typer.Option, rich_help_panel="How it learns")
noises = partial(typer.Option, rich_help_panel="Noise")
judging = partial(typer.Option, rich_help_panel="What it is judged on")
yours = partial(typer.Option, rich_help_panel="Your own pictures")

Dataset = Annotated[
    str | None,
    typer.Option(
        "--dataset", "-d", metavar="NAME|PATH",
        help="A dataset's name (legible datasets list), or your own: a folder of class folders, an IDX pair, "
        "an NPZ.",
    ),
]  # fmt: skip
LayoutOf = Annotated[
    Layout,
    yours(metavar="WORD", help="Of arrays: auto, channels-first, channels-last."),
]
PolarityOf = Annotated[
    Polarity,
    yours(metavar="WORD", help="auto, dark-on-light or light-on-dark."),
]
Size = Annotated[
    str | None,
    yours(metavar="HxW", help="Bring them to this size in pixels, e.g. 28x28."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there already.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON instead of tables.")]
AsJsonLines = Annotated[bool, typer.Option("--json", help="Print a line of JSON for each picture or page.")]
MaxMegapixels = Annotated[
    float, typer.Option(min=1, help="Refuse larger pictures: they may be meant to fill the memory.")
]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Where results go.")]
Noise = Annotated[
    list[str] | None,
    noises(
        "--noise", metavar="NAME[:AMOUNT]",
        help="Noise on the images, e.g. gaussian:0.5; may be repeated, in order. Each clips to [0, 1].",
    ),
]  # fmt: skip
Task = Annotated[
    str | None,
    learning(
        metavar="NAME[:SETTINGS]",
        help="What is learnt, if not the usual: restore:mse, draw:samples=500.",
    ),
]
