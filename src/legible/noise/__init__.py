"""Noise: pure NumPy functions `(images, rng, *, amount...) -> images`, independent of data and model.

Each noise is registered in one of this folder's modules (pixels.py, blurs.py, geometry.py, paper.py ...) and
written as a spec, `gaussian:0.5`. Its first setting is the amount. Facts of an entry: `none` is the amount
that changes nothing (absent if no amount does); `is_random=False` marks a deterministic noise.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from legible.errors import ArgumentError
from legible.registry import Registry, Spec
from legible.seeds import rng_for

NOISES: Registry[np.ndarray] = Registry("noise", "legible noise list", package="legible.noise")
CLEAN = "clean"


def check_setting(name: str, value: float, low: float, high: float) -> None:
    """Raise ArgumentError unless low <= value <= high (so NaN is refused too)."""
    if not low <= value <= high:
        raise ArgumentError(f"{name} must lie between {low:g} and {high:g}, not {value!r}.")


def add_noise(images: np.ndarray, rng: np.random.Generator, noises: Iterable[Spec | str]) -> np.ndarray:
    """Apply several noises to the images, one after the other, in the order given.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out:
    every noise clips its result to [0, 1].
    """
    for noise in noises:
        images = NOISES.call(noise, images, rng)
    return images


def add_fixed_noise(
    images: np.ndarray, chain: str, *, stream: str, dataset: str, seeds: tuple[int, ...] = ()
) -> np.ndarray:
    """Put a chain of noises on the images, the same at every call with the same words: test noise, for one.

    images: as add_noise takes them. chain: specs joined by '+', or `clean`. stream, dataset, seeds: what the
    noise depends on besides the chain.
    """
    noises = split_chain(chain)
    return add_noise(images, rng_for(stream, dataset, "+".join(noises), *seeds), noises) if noises else images


def canonical_chain(chain: str) -> str:
    """A chain of noises as result rows store it: `gaussian:0.5` becomes `gaussian:std=0.5`, "" `clean`."""
    return "+".join(split_chain(chain)) or CLEAN


def split_chain(chain: str) -> list[str]:
    """The canonical specs of a chain joined by '+'; an empty list for `clean`."""
    return [] if chain == CLEAN else [str(NOISES.parse(part)) for part in chain.split("+") if part]
