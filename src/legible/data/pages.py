"""Scanned pages in pairs, dirty and clean: NoisyOffice with its partitions, and any folder of such pairs."""

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
from legible.errors import InputError
from legible.images import check_size
from legible.pictures import read_picture

KINDS = {"c": "coffee", "f": "folded", "p": "footprints", "w": "wrinkled"}
_PARTITIONS = ("TE", "TR", "VA")  # their order in the numbers of the contest's files
_SIZE = (420, 540)  # that of most pages; report B brings all to it
_TILE = (144, 272)  # four cover a page of 540 x 258, the size of the others, and six one of 540 x 420
_PAIRED = (  # names of the two folders of a pair, and what clean files have behind the dirty one's name
    ("dirty", "clean", ""),
    ("noisy", "clean", ""),
    ("train", "train_cleaned", ""),
    ("Originals", "GT", "_gt"),
)
N_HELD_OUT = 12  # pages of TR to choose on: three of the 18 fonts under each kind of noise
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
    """The files of a folder's pages in pairs, dirty and clean, by name.

    Two folders in it have one of these names: dirty (or noisy) and clean, train and train_cleaned,
    Originals and GT (there a clean file's name ends in _gt). Raises InputError where there are none, and for
    a dirty page without its clean one.
    """
    for dirty, clean, ending in _paired_folders(folder):
        twins = {file.stem: file for file in clean.iterdir()}
        dirty_files = sorted(file for file in dirty.iterdir() if not file.name.startswith("."))
        missing = [file for file in dirty_files if file.stem + ending not in twins]
        if missing:
            raise InputError(f"{missing[0]} has no clean page of its name in {clean}. Add it.")
        if dirty_files:
            return [(file, twins[file.stem + ending]) for file in dirty_files]
    names = " or ".join(f"{dirty} and {clean}" for dirty, clean, _ in _PAIRED)
    raise InputError(f"{folder} holds no pages in pairs: it needs two folders of pictures, {names}.")


def is_paired(folder: Path) -> bool:
    """Whether a folder has two folders of pages, dirty and clean."""
    return any(_paired_folders(folder))


def _paired_folders(folder: Path) -> Iterator[tuple[Path, Path, str]]:
    """The two folders, and what clean files have behind the dirty one's name."""
    for dirty, clean, ending in _PAIRED:
        if (folder / dirty).is_dir() and (folder / clean).is_dir():
            yield folder / dirty, folder / clean, ending


def read_pair(noisy: Path, clean: Path, *, kind: str = "page", partition: str = "") -> Pair:
    """Read one page, dirty and clean, in grey. Raises InputError naming the file."""
    pages = [_read_ink(file) for file in (noisy, clean)]
    if pages[0].shape != pages[1].shape:
        sizes = " and ".join("{1} x {0}".format(*page.shape) for page in pages)
        raise InputError(f"{noisy} and {clean} differ in size, {sizes} pixels: they are not the same page.")
    return Pair(noisy.stem, kind, partition, pages[0], pages[1])


def read_noisy_office(folder: Path | None = None) -> list[Pair]:
    """The pages of NoisyOffice whose clean form is known: TR and VA, 72 each, in their own sizes.

    folder: with train and train_cleaned, as the contest "Denoising Dirty Documents" gave them, else
    noisy-office in LEGIBLE_DATA. A page's number there tells its font, noise and partition.
    """
    folder = folder or _find_noisy_office()
    pairs = []
    for noisy, clean in sorted(find_pairs(folder), key=lambda files: _number(files[0])):
        partition = _PARTITIONS[(_number(noisy) - 1) % len(_PARTITIONS)]
        pairs.append(read_pair(noisy, clean, kind=_kind(noisy), partition=partition))
    return pairs


def read_unknown(kind: str, folder: Path | None = None) -> np.ndarray:
    """A page of TE, whose clean form is not known, under a kind of noise: (420, 540) float32, 1 = ink."""
    folder = (folder or _find_noisy_office()) / "test"
    for file in sorted(folder.iterdir(), key=_number):
        if _kind(file) == kind and (page := _read_ink(file)).shape == _SIZE:
            return page
    raise InputError(f"{folder} has no page of {_SIZE[1]} x {_SIZE[0]} pixels under noise {kind!r}.")


def _number(file: Path) -> int:
    if not file.stem.isdecimal():
        raise InputError(f"{file} is no page of NoisyOffice: their names are numbers from 1 to 216.")
    return int(file.stem)


def _kind(file: Path) -> str:
    """The noise of a page of NoisyOffice, which its number tells."""
    return list(KINDS.values())[(_number(file) - 1) // len(_PARTITIONS) % len(KINDS)]


def _read_ink(file: Path) -> np.ndarray:
    """A page (H, W) float32 in [0, 1], 1 = ink."""
    ink: np.ndarray = 1 - read_picture(file, grey=True)[..., 0] / np.float32(255)
    return ink


def _find_noisy_office() -> Path:
    root = os.environ.get("LEGIBLE_DATA")
    folder = Path(root).expanduser() / "noisy-office" if root else None
    if folder is None or not folder.is_dir():
        where = folder or "the folder that LEGIBLE_DATA names"
        raise InputError(
            f"NoisyOffice is not in {where}. Get train.zip and train_cleaned.zip of Kaggle's contest "
            "'Denoising Dirty Documents', unpack them in a folder noisy-office, and let LEGIBLE_DATA name "
            "the folder that it lies in."
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
    """Printed pages under coffee, folds, footprints and wrinkles, with the official partitions.

    Training and validation are TR, the test is VA: another text, and of coffee and footprints other sheets.
    All are brought to 540 x 420 pixels, as in report B.
    """
    pairs = read_noisy_office()
    known, test = (stack_pages([pair for pair in pairs if pair.partition == part]) for part in ("TR", "VA"))
    train, validation = hold_out_last(known, N_HELD_OUT)
    words = "NoisyOffice: training and validation from partition TR, the test is VA."
    return Splits("noisy-office", train, validation, test, (words,))


@DATASETS.register("noisy-office-random", **_FACTS)
def load_noisy_office_at_random() -> Splits:
    """The same pages split at random, as published figures have them: texts and sheets leak into the test."""
    train, validation, test = (stack_pages(part) for part in _split_at_random())
    words = "NoisyOffice, split at random: the test has texts and sheets of paper that the training has seen."
    return Splits("noisy-office-random", train, validation, test, (words,))


@DATASETS.register("noisy-office-tiles", **_FACTS | {"image_shape": (1, *_TILE), "n_images": 768})
def load_noisy_office_tiles() -> Splits:
    """The pages of `noisy-office-random` in their own sizes, cut into tiles of 272 x 144 that overlap."""
    parts = ([tile for pair in part for tile in cut_tiles(pair, _TILE)] for part in _split_at_random())
    train, validation, test = (label_pairs(tiles, tuple(KINDS.values())) for tiles in parts)
    words = "Tiles of NoisyOffice's pages, which are split at random: texts and sheets of paper leak."
    return Splits("noisy-office-tiles", train, validation, test, (words,))


def _split_at_random() -> list[list[Pair]]:
    """The pages for training, for validation and for the test, drawn at random from each kind of noise."""
    pairs = read_noisy_office()
    labels = np.array([list(KINDS.values()).index(pair.kind) for pair in pairs])
    known, test = draw_at_random(labels, _SHARE_AT_RANDOM, seed=0)
    train, validation = draw_at_random(labels[known], 0.1, seed=0)
    return [[pairs[i] for i in part] for part in (known[train], known[validation], test)]


def read_own_pages(folder: Path, *, size: tuple[int, int] | None = None, seed: int = 0) -> Splits:
    """The user's own pages in pairs, cut into tiles of `size` (height, width; 256 x 256 where none is given).

    Pages are split at random by `seed`, 15 % for validation and for the test each, so that no page has tiles
    in two of them. Raises InputError for fewer than three pages.
    """
    size = size or (256, 256)
    check_size(size)
    files = find_pairs(folder)
    if len(files) < 3:
        raise InputError(
            f"{folder} has {len(files)} pages in pairs; it takes three or more to learn and judge."
        )
    order = np.random.default_rng(seed).permutation(len(files))
    n = max(1, round(0.15 * len(files)))
    parts = [order[2 * n :], order[n : 2 * n], order[:n]]
    train, validation, test = (
        label_pairs([tile for i in sorted(part) for tile in cut_tiles(read_pair(*files[i]), size)], ("page",))
        for part in parts
    )
    words = (
        f"{folder}: {len(files)} pages in pairs, cut into tiles of {size[0]} x {size[1]} (height x width)."
    )
    return Splits(str(folder), train, validation, test, (words,))


def cut_tiles(pair: Pair, size: tuple[int, int]) -> Iterator[Pair]:
    """Cut a page into as few tiles (height, width) as cover it; they overlap evenly.

    A page that is smaller than a tile is filled up: the dirty one with its outermost pixels, the clean one
    with paper.
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
    """The pages, all scaled to 540 x 420 pixels, distorted where their sides differ."""
    scaled = [
        Pair(p.name, p.kind, p.partition, *(_scale(page) for page in (p.noisy, p.clean))) for p in pairs
    ]
    return label_pairs(scaled, classes)


def label_pairs(pairs: list[Pair], classes: tuple[str, ...]) -> Labelled:
    """Pages of one size in pairs, as a dataset keeps them; their class is the kind of their noise."""
    noisy, clean = (
        np.stack(pages)[:, None] for pages in ([p.noisy for p in pairs], [p.clean for p in pairs])
    )
    return Labelled(clean, np.array([classes.index(p.kind) for p in pairs], np.int64), classes, noisy)


def _scale(page: np.ndarray) -> np.ndarray:
    if page.shape == _SIZE:
        return page
    return cv2.resize(page, _SIZE[::-1], interpolation=cv2.INTER_LINEAR).clip(0, 1)
