"""Generate digits with the shipped generator, or with a saved one of your own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from legible.cards import find_card
from legible.choices import GENERATOR
from legible.errors import ArgumentError
from legible.inference.generator import Generator, in_turn
from legible.kinds import GENERATE


def generate(
    digits: int | str | Sequence[int | str] = "0123456789",
    n: int | None = None,
    *,
    seed: int = 0,
    temperature: float = 1.0,
    model: str = GENERATOR,
) -> np.ndarray:
    """Generate images of new digits.

    digits: those asked for, as 2026, "2026" or ["7", 3]. n: how many, the digits in turn; if None, each once.
    temperature: 0 to 2; below 1 the images are more usual, above 1 wilder. Equal seeds give equal images.
    model: a saved generator. Returns (N, 1, 28, 28) float32 in [0, 1], 1 = ink. Raises UnknownName for
    anything that isn't a digit, ArgumentError, ModelError.

        >>> import legible
        >>> legible.generate(2026).shape
        (4, 1, 28, 28)
    """
    asked = [str(digits)] if isinstance(digits, int) else list(map(str, digits))
    names = [*asked[0]] if isinstance(digits, int) else asked
    if not names or (n is not None and n < 1):
        raise ArgumentError("nothing to generate: ask for one digit or more, as generate('7', 64) does.")
    generator = _loaded_generator(model)
    asked = in_turn(names, len(names) if n is None else n)
    return generator.generate(asked, np.random.default_rng(seed), temperature=temperature)


@lru_cache(maxsize=2)
def _loaded_generator(model: str) -> Generator:
    return Generator.load(find_card(model, GENERATE))
