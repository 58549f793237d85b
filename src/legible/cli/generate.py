"""`legible generate`: new digits from a saved generator, without PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from legible.cli import options
from legible.cli.screen import say
from legible.errors import ArgumentError, ModelError

if TYPE_CHECKING:
    import numpy as np

DRAWER = "digit-drawer"  # apply.saved.DRAWER; its module is too heavy for a help text


Drawn = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="PATH",
        help="FILE.png: one picture. FILE.npz: a labelled dataset. Else a folder of class folders.",
    ),
]  # fmt: skip


def generate(
    digit: Annotated[
        list[str] | None,
        typer.Option("--digit", help="What to draw, e.g. 7; may be repeated. All in turn if none."),
    ] = None,
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="How many in all.")] = 64,
    output: Drawn = Path("digits.png"),
    model: Annotated[str, typer.Option(help="A saved generator's name or folder.")] = DRAWER,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal digits.")] = 0,
    temperature: Annotated[
        float, typer.Option(help="0 to 2: below 1 the more usual digits, above 1 wilder ones.")
    ] = 1.0,
    overwrite: options.Overwrite = False,
) -> None:
    """Draw new digits: as one picture, as a labelled dataset, or as files.

    What comes as a dataset or as files can be trained and judged on: legible train digits-fast -d OUTPUT.
    """  # fmt: skip
    import numpy as np

    from legible.apply.generator import Generator, in_turn
    from legible.apply.saved import load
    from legible.output import check_free

    check_ending(output)
    check_free(output, overwrite=overwrite)
    drawer = load(model)
    if not isinstance(drawer, Generator):
        raise ModelError(f"model {model!r} does not draw; it is there to {drawer.card.task}.")
    names = digit or list(drawer.classes)
    asked = in_turn(names, number)
    images = drawer.draw(asked, np.random.default_rng(seed), temperature=temperature)
    write_images(images, asked, drawer.classes, output, overwrite=overwrite)
    say(f"drew {number:,} digits ({', '.join(names)}) with {drawer.card.name}, seed {seed}")
    typer.echo(output)


def check_ending(output: Path) -> None:
    """Raise ArgumentError for a form that drawings are not written in, before any is drawn."""
    if output.suffix not in (".png", ".npz", ""):
        raise ArgumentError(f"{output}: drawings are written as .png, as .npz, or into a folder.")


def write_images(
    images: np.ndarray, names: list[str], classes: tuple[str, ...], output: Path, *, overwrite: bool
) -> None:
    """Write drawings in the form that the output's ending asks for."""
    from legible.apply.drawings import write_dataset, write_folder, write_sheet

    if output.suffix == ".png":
        write_sheet(images, output, overwrite=overwrite)
    elif output.suffix == ".npz":
        write_dataset(images, [classes.index(name) for name in names], output, overwrite=overwrite)
    else:
        write_folder(images, names, output, overwrite=overwrite)
