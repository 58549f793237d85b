"""Load the images for `legible train` and `legible evaluate`, with defaults."""

from __future__ import annotations

from pathlib import Path

from legible.choices import Layout, Polarity
from legible.data import load_dataset
from legible.data.split import Splits
from legible.errors import InputError, OutputError
from legible.progress import Progress

USUAL, EMBEDDED = "mnist", "digits-embedded"


def choose_dataset(
    dataset: str | Path | Splits | None,
    *,
    layout: Layout = "auto",
    polarity: Polarity = "auto",
    size: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> tuple[Splits, str]:
    """The images, and their name for rows and cards; without a name MNIST, or the embedded digits offline.

    dataset: a name, a path, or loaded images. Your own files are always split in the same way, whatever the
    training's seed, so that no model's training images are in another one's test. Raises as load_dataset
    does.
    """
    progress = progress or Progress()
    if isinstance(dataset, Splits):
        return dataset, dataset.name
    if dataset is not None:
        splits = load_dataset(
            dataset, layout=layout, polarity=polarity, size=size, progress=progress.download
        )
        progress.say(*splits.notes)
        return splits, str(dataset)
    try:
        splits, name = load_dataset(USUAL, size=size, progress=progress.download), USUAL
    except (InputError, OutputError) as error:  # no network, or no space for the download
        progress.say(str(error), f"Using {EMBEDDED} instead: 1,797 small real digits that are included.")
        splits, name = load_dataset(EMBEDDED, size=size), EMBEDDED
    progress.say(*splits.notes)
    return splits, name
