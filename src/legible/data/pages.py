"""Pairs of scanned pages, dirty and clean: NoisyOffice with its partitions, and any folder of such pairs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from legible.data import DATASETS
from legible.data.split import Labelled, Splits, draw_at_random, hold_out_last
from legible.documents.pictures import read_picture
from legible.errors import InputError
from legible.images import check_size

KINDS = {"c": "coffee", "f": "folded", "p": "footprints", "w": "wrinkled"}
_PARTITIONS = ("TE", "TR", "VA")  # in the order of the contest's file numbers
_SIZE = (420, 540)  # (height, width) of most pages; report B scales all to it
_TILE = (144, 272)  # six cover a page of 540 x 420; four cover a page of 540 x 258, the size of the others
_PAIRED = (  # names of the dirty and the clean folder, and a suffix of clean files' names
    ("dirty", "clean", ""),
    ("noisy", "clean", ""),
    ("train", "train_cleaned", ""),
    ("Originals", "GT", "_gt"),
)
N_HELD_OUT = 12  # pages of TR for validation: three of the 18 fonts with each kind of noise
_SHARE_AT_RANDOM = 0.2


@dataclass(frozen=True, eq=False)
class Pair:
    """One page, dirty and clean: both (H, W) float32 in [0, 1], 1 = ink. kind: of its noise."""

    name: str
    kind: str
    partition: str
    noisy: np.ndarray
    clean: np.ndarray


def find_pairs(folder: Path) -> list[tuple[Path, Path]]:
    """The pairs of page files in a folder, dirty and clean, sorted by name.

    The folder has two subfolders: dirty (or noisy) and clean, train and train_cleaned, or Originals and GT
    (whose file names end in _gt). Raises InputError if there are none, or if a dirty page has no clean one.
    """
    for dirty, clean, ending in _paired_folders(folder):
        clean_files = {file.stem: file for file in clean.iterdir()}
        dirty_files = sorted(file for file in dirty.iterdir() if not file.name.startswith("."))
        missing = [file for file in dirty_files if file.stem + ending not in clean_files]
        if missing:
            raise InputError(f"{missing[0]} has no clean page of the same name in {clean}. Add it.")
        if dirty_files:
            return [(file, clean_files[file.stem + ending]) for file in dirty_files]
    names = " or ".join(f"{dirty} and {clean}" for dirty, clean, _ in _PAIRED)
    raise InputError(f"{folder} has no pairs of pages: it needs two folders of pictures, {names}.")


def is_paired(folder: Path) -> bool:
    """Whether a folder has two folders of pages, dirty and clean."""
    return any(_paired_folders(folder))


def _paired_folders(folder: Path) -> Iterator[tuple[Path, Path, str]]:
    """The dirty and the clean folder, and the suffix of clean files' names."""
    for dirty, clean, ending in _PAIRED:
        if (folder / dirty).is_dir() and (folder / clean).is_dir():
            yield folder / dirty, folder / clean, ending


def read_pair(noisy: Path, clean: Path, *, kind: str = "page", partition: str = "") -> Pair:
    """Read one page, dirty and clean, in grey. Raises InputError that names the file."""
    pages = [_read_ink(file) for file in (noisy, clean)]
    if pages[0].shape != pages[1].shape:
        sizes = " and ".join("{1} x {0}".format(*page.shape) for page in pages)
        raise InputError(f"{noisy} and {clean} differ in size, {sizes} pixels: they are not the same page.")
    return Pair(noisy.stem, kind, partition, pages[0], pages[1])


def read_noisy_office(folder: Path | None = None) -> list[Pair]:
    """The pages of NoisyOffice with a clean version: TR and VA, 72 each, in their own sizes.

    folder: with train and train_cleaned of the contest "Denoising Dirty Documents"; by default noisy-office
    in LEGIBLE_DATA. A page's number determines its font, noise and partition.
    """
    folder = folder or _find_noisy_office()
    pairs = []
    for noisy, clean in sorted(find_pairs(folder), key=lambda files: _number(files[0])):
        partition = _PARTITIONS[(_number(noisy) - 1) % len(_PARTITIONS)]
        pairs.append(read_pair(noisy, clean, kind=_kind(noisy), partition=partition))
    return pairs


def read_test_page(kind: str, folder: Path | None = None) -> np.ndarray:
    """A page of TE, which has no clean version, with a kind of noise: (420, 540) float32, 1 = ink."""
    folder = (folder or _find_noisy_office()) / "test"
    for file in sorted(folder.iterdir(), key=_number):
        if _kind(file) == kind and (page := _read_ink(file)).shape == _SIZE:
            return page
    raise InputError(f"{folder} has no page of {_SIZE[1]} x {_SIZE[0]} pixels under noise {kind!r}.")


def _number(file: Path) -> int:
    if not file.stem.isdecimal():
        raise InputError(f"{file} is not a page of NoisyOffice: their names are numbers from 1 to 216.")
    return int(file.stem)


def _kind(file: Path) -> str:
    """The noise of a page of NoisyOffice, from its number."""
    return list(KINDS.values())[(_number(file) - 1) // len(_PARTITIONS) % len(KINDS)]


def _read_ink(file: Path) -> np.ndarray:
    """A page (H, W) float32 in [0, 1], 1 = ink."""
    ink: np.ndarray = 1 - read_picture(file, grey=True)[..., 0] / np.float32(255)
    return ink


def _find_noisy_office() -> Path:
    root = os.environ.get("LEGIBLE_DATA")
    folder = Path(root).expanduser() / "noisy-office" if root else None
    if folder is None or not folder.is_dir():
        where = folder or "the folder LEGIBLE_DATA, which is not set"
        raise InputError(
            f"NoisyOffice is not in {where}. Get train.zip and train_cleaned.zip of Kaggle's contest "
            "'Denoising Dirty Documents', unpack them in a folder noisy-office, and set the environment "
            "variable LEGIBLE_DATA to the folder that contains it."
        )
    return folder


_FACTS: dict[str, Any] = {
    "n_classes": 4,
    "image_shape": (1, *_SIZE),
    "n_images": 144,
    "licence": "CC BY 4.0",
    "source": "M. J. Castro-Bleda et al.: The NoisyOffice Database, The Computer Journal, 2019",
    "size_bytes": 0,
    "folder": "noisy-office",
    "small": "pages-small",
}


@DATASETS.register("noisy-office", **_FACTS)
def load_noisy_office() -> Splits:
    """Printed pages with coffee stains, folds, footprints and wrinkles, in the official partitions.

    Training and validation are TR; the test is VA, which has another text, and other sheets with coffee and
    footprints. All are scaled to 540 x 420 pixels, as in report B.
    """
    pairs = read_noisy_office()
    known, test = (stack_pages([pair for pair in pairs if pair.partition == part]) for part in ("TR", "VA"))
    train, validation = hold_out_last(known, N_HELD_OUT)
    note = "NoisyOffice: training and validation from partition TR, the test is VA."
    return Splits("noisy-office", train, validation, test, (note,))


@DATASETS.register("noisy-office-random", **_FACTS)
def load_noisy_office_at_random() -> Splits:
    """The same pages split at random, as for most published figures: texts and sheets leak into the test."""
    train, validation, test = (stack_pages(part) for part in _split_at_random())
    note = "NoisyOffice, split at random: texts and sheets of paper of the test are in the training set too."
    return Splits("noisy-office-random", train, validation, test, (note,))


@DATASETS.register("noisy-office-tiles", **_FACTS | {"image_shape": (1, *_TILE), "n_images": 768})
def load_noisy_office_tiles() -> Splits:
    """The pages of `noisy-office-random` in their own sizes, cut into overlapping tiles of 272 x 144."""
    parts = ([tile for pair in part for tile in cut_tiles(pair, _TILE)] for part in _split_at_random())
    train, validation, test = (label_pairs(tiles, tuple(KINDS.values())) for tiles in parts)
    note = "Tiles of NoisyOffice's pages, split at random: texts and sheets of paper leak into the test."
    return Splits("noisy-office-tiles", train, validation, test, (note,))


def _split_at_random() -> list[list[Pair]]:
    """The pages for training, validation and test, drawn at random from each kind of noise."""
    pairs = read_noisy_office()
    labels = np.array([list(KINDS.values()).index(pair.kind) for pair in pairs])
    known, test = draw_at_random(labels, _SHARE_AT_RANDOM, seed=0)
    train, validation = draw_at_random(labels[known], 0.1, seed=0)
    return [[pairs[i] for i in part] for part in (known[train], known[validation], test)]


def read_own_pages(folder: Path, *, size: tuple[int, int] | None = None, seed: int = 0) -> Splits:
    """The user's own pairs of pages, cut into tiles of `size` (height, width), by default 256 x 256.

    Pages are split at random by `seed`, with 15 % each for validation and test, so that no page has tiles in
    two parts. Raises InputError for fewer than three pages.
    """
    size = size or (256, 256)
    check_size(size)
    files = find_pairs(folder)
    if len(files) < 3:
        raise InputError(
            f"{folder} has {len(files)} pairs of pages, too few to train and evaluate: give three or more."
        )
    order = np.random.default_rng(seed).permutation(len(files))
    n = max(1, round(0.15 * len(files)))
    parts = [order[2 * n :], order[n : 2 * n], order[:n]]
    train, validation, test = (
        label_pairs([tile for i in sorted(part) for tile in cut_tiles(read_pair(*files[i]), size)], ("page",))
        for part in parts
    )
    note = f"{folder}: {len(files)} pairs of pages, cut into tiles of {size[0]} x {size[1]} (height x width)."
    return Splits(str(folder), train, validation, test, (note,))


def cut_tiles(pair: Pair, size: tuple[int, int]) -> Iterator[Pair]:
    """Cut a page into the fewest tiles (height, width) that cover it, with equal overlaps.

    A page smaller than a tile is padded: the dirty one with its edge pixels, the clean one with paper.
    """
    margins = [(0, max(0, side - n)) for side, n in zip(size, pair.clean.shape, strict=True)]
    noisy, clean = np.pad(pair.noisy, margins, mode="edge"), np.pad(pair.clean, margins)
    tops, lefts = (
        np.linspace(0, n - side, -(-n // side)).astype(int) for n, side in zip(clean.shape, size, strict=True)
    )
    for top in tops:
        for left in lefts:
            part = np.s_[top : top + size[0], left : left + size[1]]
            yield Pair(f"{pair.name} {top} {left}", pair.kind, pair.partition, noisy[part], clean[part])


def stack_pages(pairs: list[Pair], classes: tuple[str, ...] = tuple(KINDS.values())) -> Labelled:
    """The pages, all scaled to 540 x 420 pixels, whatever their aspect ratio."""
    scaled = [
        Pair(p.name, p.kind, p.partition, *(_scale(page) for page in (p.noisy, p.clean))) for p in pairs
    ]
    return label_pairs(scaled, classes)


def label_pairs(pairs: list[Pair], classes: tuple[str, ...]) -> Labelled:
    """Pairs of pages of one size as a dataset; their class is the kind of their noise."""
    noisy, clean = (
        np.stack(pages)[:, None] for pages in ([p.noisy for p in pairs], [p.clean for p in pairs])
    )
    return Labelled(clean, np.array([classes.index(p.kind) for p in pairs], np.int64), classes, noisy)


def _scale(page: np.ndarray) -> np.ndarray:
    if page.shape == _SIZE:
        return page
    return cv2.resize(page, _SIZE[::-1], interpolation=cv2.INTER_LINEAR).clip(0, 1)
