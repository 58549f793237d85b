"""Data: images with labels, from a registered dataset or from the user's own files.

Datasets are registered in this folder's modules (digits.py, pages.py ...); folders.py reads users' own files.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from legible.choices import Layout, Polarity
from legible.data.fetch import Progress, fetch_file, is_available
from legible.data.folders import read_own_data
from legible.data.split import Labelled, Splits
from legible.errors import ArgumentError, InputError
from legible.images import resize_images
from legible.registry import Registry

DATASETS: Registry[Splits] = Registry("dataset", "legible datasets list", package="legible.data")


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

    Your own data: a folder of class folders, an IDX pair, or an .npz with images and labels; layout, polarity
    and grey determine how they are read, and seed splits off the parts that are missing. Or a folder of pairs
    of pages, dirty and clean (data.pages), which are cut into tiles of `size`.
    size: (height, width) to scale to. n_train: keep only the first n_train training images. progress: called
    during a download with the file's name, the bytes done and the bytes in total. Images are float32
    (N, C, H, W) in [0, 1], 1 = ink.
    Raises UnknownName (with similar names), InputError, ArgumentError.

        >>> import legible
        >>> splits = legible.load_dataset("digits-embedded")
        >>> splits.train.images.shape, splits.test.classes[:3]
        ((1197, 1, 28, 28), ('0', '1', '2'))
    """
    name = str(name_or_path)
    if name in DATASETS:
        if layout != "auto" or polarity != "auto":
            raise ArgumentError(f"layout and polarity are for your own data; those of {name!r} are known.")
        splits = _load_registered(name, size, progress)
    elif Path(name).exists():
        from legible.data import pages  # imports this module

        if pages.is_paired(Path(name)):
            splits = pages.read_own_pages(Path(name), size=size, seed=seed)
        else:
            splits = read_own_data(
                Path(name), layout=layout, polarity=polarity, size=size, grey=grey, seed=seed
            )
    elif Path(name).suffix or len(Path(name).parts) > 1:
        raise InputError(f"there is no file or folder {name}. Check the path.")
    else:
        splits = DATASETS.call(name)  # raises UnknownName with similar names
    if n_train is not None:
        splits = replace(splits, train=splits.train.first(n_train))
    return replace(splits, notes=(*splits.notes, _describe(splits)))


def fetch_dataset(name: str, *, progress: Progress | None = None) -> list[Path]:
    """Download a registered dataset's files if they are missing or damaged; return their paths.

    The list is empty for a dataset without files.
    """
    source = DATASETS.get(name).facts.get("remote")
    return [fetch_file(source, file, progress=progress).path for file in source.files] if source else []


def _load_registered(name: str, size: tuple[int, int] | None, progress: Progress | None) -> Splits:
    remote = DATASETS.get(name).facts.get("remote")
    if remote and progress and not is_available(remote):
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
