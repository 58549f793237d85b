"""Data: images with labels, by a registered name or from the user's own files.

A dataset is registered in a catalogue (digits.py); folders.py reads what users bring.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from legible.choices import Layout, Polarity
from legible.data.fetch import Progress, fetch_file, is_at_hand
from legible.data.folders import read_own_data
from legible.data.split import Labelled, Splits
from legible.errors import ArgumentError, InputError
from legible.images import resize_images
from legible.registry import Registry

DATASETS: Registry[Splits] = Registry("dataset", "legible datasets list")

from legible.data import digits as digits  # noqa: E402  (these fill the catalogue)
from legible.data import page_tiles as page_tiles  # noqa: E402
from legible.data import pages as pages  # noqa: E402


def load_dataset(
    name_or_path: str | Path,
    *,
    layout: Layout = "auto",
    polarity: Polarity = "auto",
    size: tuple[int, int] | None = None,
    grey: bool = True,
    seed: int = 0,
    n_train: int | None = None,
    progress: Progress | None = None,
) -> Splits:
    """Load a dataset by its registered name, or your own data by its path, in three parts.

    Your own data: a folder of class folders, an IDX pair, or an .npz with images and labels; layout,
    polarity and grey say how to read them, and seed draws the parts that they do not come with. Or a folder
    of pages in pairs, dirty and clean (data.pages), cut into tiles of `size`.
    size: (height, width) to scale to. n_train: keep only the first so many training images. progress is
    told of downloads. Images come as float32 (N, C, H, W) in [0, 1], 1 = ink.
    Raises UnknownName (with near names), InputError, ArgumentError.
    """
    name = str(name_or_path)
    if name in DATASETS:
        if layout != "auto" or polarity != "auto":
            raise ArgumentError(f"layout and polarity are for your own data; those of {name!r} are known.")
        splits = _load_registered(name, size, progress)
    elif Path(name).exists():
        if pages.is_paired(Path(name)):
            splits = pages.read_own_pages(Path(name), size=size, seed=seed)
        else:
            splits = read_own_data(
                Path(name), layout=layout, polarity=polarity, size=size, grey=grey, seed=seed
            )
    elif Path(name).suffix or len(Path(name).parts) > 1:
        raise InputError(f"there is no file or folder {name}. Check the path.")
    else:
        splits = DATASETS.call(name)  # raises UnknownName with near names
    if n_train is not None:
        splits = replace(splits, train=splits.train.first(n_train))
    return replace(splits, words=(*splits.words, _describe(splits)))


def fetch_dataset(name: str, *, progress: Progress | None = None) -> list[Path]:
    """Make sure that a registered dataset's files are on this machine and sound; say where they lie.

    The list is empty for a dataset that needs no files of its own.
    """
    source = DATASETS.get(name).facts.get("remote")
    return [fetch_file(source, file, progress=progress).path for file in source.files] if source else []


def _load_registered(name: str, size: tuple[int, int] | None, progress: Progress | None) -> Splits:
    remote = DATASETS.get(name).facts.get("remote")
    if remote and progress and not is_at_hand(remote):
        fetch_dataset(name, progress=progress)
    splits = DATASETS.call(name)
    if size is None:
        return splits
    parts = (splits.train, splits.validation, splits.test)
    train, validation, test = (_resize(part, size) for part in parts)
    return replace(splits, train=train, validation=validation, test=test)


def _resize(part: Labelled, size: tuple[int, int]) -> Labelled:
    noisy = None if part.noisy is None else resize_images(part.noisy, size)
    return replace(part, images=resize_images(part.images, size), noisy=noisy)


def _describe(splits: Splits) -> str:
    channels, height, width = splits.train.images.shape[1:]
    return (
        f"{splits.name}: {len(splits.train):,} training, {len(splits.validation):,} validation and "
        f"{len(splits.test):,} test images, {channels} x {height} x {width} (channels x height x width), "
        f"{len(splits.classes)} classes."
    )
