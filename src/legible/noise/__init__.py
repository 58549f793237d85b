"""Noise: pure NumPy functions `(images, rng, *, amount...) -> images`, apart from data and model.

A noise is registered in a catalogue (pixels.py, blurs.py, geometry.py, paper.py ...) and written as a spec,
`gaussian:0.5`. Its first setting is the amount. Facts: `none` is the amount that changes nothing (absent
where there is none); `is_random=False` marks a noise that is the same at every draw.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from legible.errors import ArgumentError
from legible.registry import Registry, Spec

NOISES: Registry[np.ndarray] = Registry("noise", "legible noise list")
CLEAN = "clean"


def check_setting(name: str, value: float, low: float, high: float) -> None:
    """Raise ArgumentError unless low <= value <= high (so NaN is refused too)."""
    if not low <= value <= high:
        raise ArgumentError(f"{name} must lie between {low:g} and {high:g}, not {value!r}.")


from legible.noise import pixels as pixels  # noqa: E402, I001  (these fill the catalogue, in this order)
from legible.noise import blurs as blurs, geometry as geometry, mixed as mixed  # noqa: E402
from legible.noise import paper as paper, scans as scans  # noqa: E402


def add_noise(images: np.ndarray, rng: np.random.Generator, noises: Iterable[Spec | str]) -> np.ndarray:
    """Put several noises on the images, one after the other, in the order given.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out:
    every noise clips its result to [0, 1].
    """
    for noise in noises:
        images = NOISES.call(noise, images, rng)
    return images


def canonical_chain(chain: str) -> str:
    """A chain of noises as rows name it: `gaussian:0.5` becomes `gaussian:std=0.5`, nothing `clean`."""
    return "+".join(split_chain(chain)) or CLEAN


def split_chain(chain: str) -> list[str]:
    """The canonical specs of a chain: none for `clean`, else those joined by '+'."""
    return [] if chain == CLEAN else [str(NOISES.parse(part)) for part in chain.split("+") if part]
