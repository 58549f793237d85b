"""Load a saved model, whatever it does; read, clean and draw with those that ship."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from legible.apply.classifier import Classifier
from legible.apply.cleaner import Cleaner, CleanPage
from legible.apply.generator import Generator, in_turn
from legible.apply.line_model import LineModel
from legible.apply.reader import Reader
from legible.apply.reading import Reading
from legible.apply.restorer import Restorer
from legible.apply.runtime import load_decoder, load_runtime
from legible.cards import READS_LINES, find_card
from legible.choices import Mode, ReadMode
from legible.errors import ArgumentError, ModelError
from legible.prepare import SIDE_PX

CLEANER, LINES, DIGITS = "page-cleaner", "line-reader", "digits"
DENOISER, DRAWER = "digit-denoiser", "digit-drawer"


def load(name: str) -> Classifier | Restorer | Generator | LineModel:
    """Load a saved model by its name or folder (`legible models list`), ready to use.

    A classifier has `predict` and `name`, a denoiser or autoencoder `restore`, a generator `draw`,
    a reader of lines `spell`.
    Raises ModelError when there is none, with near names, or when it is damaged.
    """
    card = find_card(name)
    if card.task == "classify":
        return Classifier(card, load_runtime(card))
    if card.task == "restore":
        return Restorer(card, load_runtime(card))
    if card.task == "draw":
        return Generator(card, load_decoder(card))
    if card.task == READS_LINES:
        return LineModel(card, load_runtime(card))
    raise ModelError(f"{card.folder} holds a model for {card.task!r}, which this version does not know.")


def load_cleaner(model: str = CLEANER, *, n_cores: int | None = None, ahead: bool = True) -> Cleaner:
    """Load a saved restorer to clean pages with, on all cores or on n_cores. ahead: it will be used at once.

    Raises ModelError for a model that is not for grey images of any size.
    """
    card = find_card(model)
    if card.task != "restore" or not card.multiple or card.image_shape[0] != 1:
        raise ModelError(f"model {model!r} cleans no pages: that takes a restorer of grey images, any size.")
    return Cleaner(Restorer(card, load_runtime(card, n_cores=n_cores, ahead=ahead)))


def load_reader(lines: str = LINES, digits: str = DIGITS) -> Reader:
    """Load a saved line reader and a classifier of single digits, to read pictures with.

    Raises ModelError where they are not such.
    """
    of_lines, single = find_card(lines), find_card(digits)
    if of_lines.task != READS_LINES or single.task != "classify":
        raise ModelError(f"{lines!r} and {digits!r} are not a line reader and a classifier of digits.")
    if single.image_shape != (1, SIDE_PX, SIDE_PX) or single.classes != of_lines.classes:
        raise ModelError(f"models {lines!r} and {digits!r} do not read the same digits.")
    return Reader(
        LineModel(of_lines, load_runtime(of_lines, ahead=True)),
        Classifier(single, load_runtime(single, ahead=True)),
    )


def read(
    image: ArrayLike, *, mode: ReadMode = "auto", min_confidence: float | None = None,
    error_rate: float | None = None,
) -> Reading:  # fmt: skip
    """Read the handwritten digits in a picture; see Reader.read."""
    return _shipped_reader().read(image, mode=mode, min_confidence=min_confidence, error_rate=error_rate)


def clean(image: ArrayLike, *, mode: Mode = "grey") -> CleanPage:
    """Take stains, creases, shadows and bleed-through off a scanned page; see Cleaner.clean."""
    return _shipped_cleaner().clean(image, mode=mode)


def generate(
    digits: Sequence[str] = "0123456789", n: int | None = None, *, seed: int = 0, temperature: float = 1.0
) -> np.ndarray:
    """Draw digits that nobody has written: those asked for, as "2026" or ["7"]; n of them in turn if given.

    temperature: 0 to 2; below 1 the drawings are more usual, above 1 wilder. Equal seeds give equal drawings.
    Returns (N, 1, 28, 28) float32 in [0, 1], 1 = ink. Raises UnknownName for what is no digit.
    """
    drawer = _shipped_drawer()
    if not digits or (n is not None and n < 1):
        raise ArgumentError("there is nothing to draw: ask for one digit or more, as generate('7', 64) does.")
    asked = in_turn(digits, len(digits) if n is None else n)
    return drawer.draw(asked, np.random.default_rng(seed), temperature=temperature)


@lru_cache(maxsize=1)
def _shipped_reader() -> Reader:
    return load_reader()


@lru_cache(maxsize=1)
def _shipped_cleaner() -> Cleaner:
    return load_cleaner()


@lru_cache(maxsize=1)
def _shipped_drawer() -> Generator:
    drawer = load(DRAWER)
    assert isinstance(drawer, Generator)
    return drawer
