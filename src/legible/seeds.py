"""Independent, reproducible random streams, derived from words and numbers.

Initial weights, batch order, augmentation and test noise each have their own stream, so that changing one
does not change another, and any epoch can be replayed without the ones before it.
"""

from __future__ import annotations

import zlib

import numpy as np


def rng_for(*words: str | int) -> np.random.Generator:
    """A random generator for these words; equal words give equal streams on all machines."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([_number(w) for w in words])))


def seed_for(*words: str | int) -> int:
    """A seed in [0, 2**63) for libraries that need a number."""
    return int(rng_for(*words).integers(2**63))


def _number(word: str | int) -> int:
    return word if isinstance(word, int) else zlib.crc32(word.encode())
