"""`legible generate`: new digits from a saved generator, without PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from legible.cards import find_card
from legible.choices import GENERATOR
from legible.cli import options
from legible.cli.screen import say
from legible.kinds import GENERATE

Output = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="PATH",
        help="FILE.png: one picture. FILE.npz: a labelled dataset. Else a folder of class folders.",
    ),
]  # fmt: skip


def generate(
    digit: Annotated[
        list[str] | None,
        typer.Option("--digit", help="Which digit, e.g. 7; may be repeated. All in turn if none."),
    ] = None,
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="How many in all.")] = 64,
    output: Output = Path("digits.png"),
    model: Annotated[str, typer.Option(help="A saved generator's name or folder.")] = GENERATOR,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal digits.")] = 0,
    temperature: Annotated[
        float, typer.Option(help="0 to 2: below 1 the more usual digits, above 1 wilder ones.")
    ] = 1.0,
    overwrite: options.Overwrite = False,
) -> None:
    """Generate new digits: as one picture, as a labelled dataset, or as a folder of pictures.

    A dataset or a folder can be trained and evaluated on: legible train digits-fast -d OUTPUT.
    """  # fmt: skip
    import numpy as np

    from legible.generating.files import check_ending, write_images
    from legible.inference.generator import Generator, in_turn
    from legible.output import check_free

    check_ending(output)
    check_free(output, overwrite=overwrite)
    generator = Generator.load(find_card(model, GENERATE))
    names = digit or list(generator.classes)
    asked = in_turn(names, number)
    images = generator.generate(asked, np.random.default_rng(seed), temperature=temperature)
    write_images(images, asked, generator.classes, output, overwrite=overwrite)
    say(f"generated {number:,} digits ({', '.join(names)}) with {generator.card.name}, seed {seed}")
    typer.echo(output)
