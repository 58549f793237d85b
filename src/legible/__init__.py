"""Legible: makes ink readable.

    import legible

    legible.read("photo.jpg").text  # the digits in a picture
    legible.clean("scan.png").save("clean.png")  # a page without its stains, creases and shadows
    legible.generate(2026)  # (4, 1, 28, 28): new digits
    legible.train("digits-fast", "my-digits/", output="mine")  # a model of your own
    legible.evaluate("mine", "my-digits/").scores
    legible.load("mine").predict(images)  # (N, 10), the probability of each class
    legible.load_dataset("digits-embedded").test.images  # (360, 1, 28, 28)

Each name is imported when it is first used, so that `import legible` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from legible.cleaning.clean import clean as clean
    from legible.data import load_dataset as load_dataset
    from legible.generating.generate import generate as generate
    from legible.inference.saved import load as load
    from legible.reading.read import read as read
    from legible.runs.evaluate import evaluate as evaluate
    from legible.runs.train import train as train

    __version__: str

_HOMES = {
    "clean": "legible.cleaning.clean",
    "evaluate": "legible.runs.evaluate",
    "generate": "legible.generating.generate",
    "load": "legible.inference.saved",
    "load_dataset": "legible.data",
    "read": "legible.reading.read",
    "train": "legible.runs.train",
}
__all__ = ["__version__", "clean", "evaluate", "generate", "load", "load_dataset", "read", "train"]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        value: object = version("legible")
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'legible' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
