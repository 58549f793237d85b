"""Options that several commands share, with their help texts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from legible.choices import Layout, Polarity
from legible.documents.formats import spoken_names
from legible.errors import ArgumentError

Verb = TypeVar("Verb", bound=Callable[..., None])

# options with headings in the help
learning = partial(typer.Option, rich_help_panel="Training")
noises = partial(typer.Option, rich_help_panel="Noise")
evaluation = partial(typer.Option, rich_help_panel="Evaluation")
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
    yours(metavar="WORD", help="Layout of arrays: auto, channels-first or channels-last."),
]
PolarityOf = Annotated[
    Polarity,
    yours(metavar="WORD", help="auto, dark-on-light or light-on-dark."),
]
Size = Annotated[
    str | None,
    yours(metavar="HxW", help="Scale them to this height and width in pixels, e.g. 28x28."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Overwrite existing files.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON instead of tables.")]
AsJsonLines = Annotated[bool, typer.Option("--json", help="Print one line of JSON for each picture or page.")]
MaxMegapixels = Annotated[
    float, typer.Option(min=1, help="Refuse larger pictures, which could fill the memory.")
]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for results.")]
Noise = Annotated[
    list[str] | None,
    noises(
        "--noise", metavar="NAME[:AMOUNT]",
        help="Add noise to the images, e.g. gaussian:0.5; repeat it for several. Each clips to [0, 1].",
    ),
]  # fmt: skip
Task = Annotated[
    str | None,
    learning(
        metavar="NAME[:SETTINGS]",
        help="Another training task than the model's default, e.g. restore:mse or generate:samples=500.",
    ),
]


def with_formats(verb: Verb) -> Verb:
    """Fill in a command's help: {read} and {written} become the names of the formats read and written."""
    verb.__doc__ = (verb.__doc__ or "").format(read=spoken_names(), written=spoken_names("and", written=True))
    return verb


def read_size(text: str | None) -> tuple[int, int] | None:
    """Parse HxW, such as 28x28, as height and width in pixels; None gives None. Raises ArgumentError."""
    if text is None:
        return None
    height, cross, width = text.lower().partition("x")
    if not (cross and height.isdigit() and width.isdigit() and int(height) and int(width)):
        raise ArgumentError(f"--size is height x width in pixels, like 28x28, not {text!r}.")
    return int(height), int(width)
