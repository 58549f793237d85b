"""Legible: makes ink readable.

    import legible

    digits = legible.load_dataset("digits-embedded").test
    noisy = legible.add_noise(digits.images, numpy.random.default_rng(0), ["gaussian:0.5"])
    model = legible.load("runs/digits-fast.mnist-seed0")
    model.predict(noisy)  # (N, 10), the probability of each class
    legible.read(photo).text  # the digits in a picture (H, W) or (H, W, 3) of bytes
    legible.clean(scan).image  # a page without its stains, creases and shadows
    legible.generate("2026")  # (4, 1, 28, 28): new digits

Each name is imported when it is first used, so that `import legible` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from legible.apply.saved import clean as clean
    from legible.apply.saved import generate as generate
    from legible.apply.saved import load as load
    from legible.apply.saved import read as read
    from legible.data import load_dataset as load_dataset
    from legible.errors import LegibleError as LegibleError
    from legible.images import from_array as from_array
    from legible.noise import add_noise as add_noise

_HOMES = {
    "LegibleError": "legible.errors",
    "add_noise": "legible.noise",
    "clean": "legible.apply.saved",
    "from_array": "legible.images",
    "generate": "legible.apply.saved",
    "load": "legible.apply.saved",
    "load_dataset": "legible.data",
    "read": "legible.apply.saved",
}
__all__ = ["LegibleError", "add_noise", "clean", "from_array", "generate", "load", "load_dataset", "read"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'legible' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
