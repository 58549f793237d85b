"""Images with their labels, and honest ways to hold some of them out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from legible.errors import ArgumentError, InputError, UnknownName
from legible.images import to_bytes
from legible.notebook import html_table, lay_out, png

PARTS = ("train", "validation", "test")
_N_SHOWN = 100  # images of a set, in a notebook


@dataclass(frozen=True, eq=False)
class Labelled:
    """Images that each belong to one class.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink. labels: (N,) int64, positions in `classes`.
    noisy: the same images with a noise that they came with, of the same shape; None where they have none.
    Raises InputError when these differ in number or shape, or a label names no class.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    noisy: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Refuse images and labels that do not belong together."""
        if len(self.images) != len(self.labels):
            raise InputError(f"there are {len(self.images):,} images but {len(self.labels):,} labels.")
        if self.noisy is not None and self.noisy.shape != self.images.shape:
            raise InputError(f"noisy images of {self.noisy.shape} go with clean ones of {self.images.shape}.")
        outside = (self.labels < 0) | (self.labels >= len(self.classes))
        if outside.any():
            index = int(np.argmax(outside))
            raise InputError(f"label {index} is {self.labels[index]}, of {len(self.classes)} classes.")

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.images)

    def _repr_png_(self) -> bytes | None:
        if not len(self) or self.images.shape[1] not in (1, 3):
            return None
        sheet = lay_out(to_bytes(1 - self.images[:_N_SHOWN]))
        return png(sheet if sheet.shape[2] == 3 else sheet[..., 0])

    def take(self, which: np.ndarray | slice) -> Labelled:
        """Those of the images, by their positions; a slice shares the memory."""
        noisy = None if self.noisy is None else self.noisy[which]
        return Labelled(self.images[which], self.labels[which], self.classes, noisy)

    def joined(self, other: Labelled) -> Labelled:
        """These images and then those of another set with the same classes, both noisy or neither."""
        images = np.concatenate([self.images, other.images])
        labels = np.concatenate([self.labels, other.labels])
        both = None if self.noisy is None or other.noisy is None else [self.noisy, other.noisy]
        return Labelled(images, labels, self.classes, None if both is None else np.concatenate(both))

    def as_found(self) -> Labelled:
        """The images with the noise that they came with; themselves where there is none."""
        return self if self.noisy is None else Labelled(self.noisy, self.labels, self.classes)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width in pixels of every image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def first(self, n: int) -> Labelled:
        """The first n images. Raises ArgumentError when there are fewer."""
        if not 1 <= n <= len(self):
            raise ArgumentError(f"cannot take {n:,} images: give a number from 1 to {len(self):,}.")
        return self.take(slice(n))


@dataclass(frozen=True, eq=False)
class Splits:
    """A dataset in its three parts: learn from one, choose on the next, read the last one once.

    words: what was found or decided while reading, one sentence each, for printing.
    """

    name: str
    train: Labelled
    validation: Labelled
    test: Labelled
    words: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self.train.classes

    def named(self, part: str) -> Labelled:
        """The part called train, validation, test or all. Raises UnknownName."""
        if part == "all":
            return self.train.joined(self.validation).joined(self.test)
        if part not in PARTS:
            raise UnknownName("part of a dataset", part, [*PARTS, "all"])
        return {"train": self.train, "validation": self.validation, "test": self.test}[part]

    def _repr_html_(self) -> str:
        parts = [self.named(part) for part in PARTS]
        sizes = [
            (part, f"{len(one):,}", str(one.image_shape)) for part, one in zip(PARTS, parts, strict=True)
        ]
        return html_table((self.name, "images", "channels, height, width"), sizes, figures=[1])

    @cached_property
    def data_hash(self) -> str:
        """Sixteen hex digits that differ when any image or label differs: they name the data in results."""
        digest = hashlib.sha256()
        for part in PARTS:
            labelled = self.named(part)
            digest.update(to_bytes(labelled.images).tobytes())
            if labelled.noisy is not None:
                digest.update(to_bytes(labelled.noisy).tobytes())
            digest.update(labelled.labels.tobytes())
        return digest.hexdigest()[:16]


def hold_out_last(labelled: Labelled, n: int) -> tuple[Labelled, Labelled]:
    """Keep the last n images for choosing: (the rest, the last n), without copying.

    For MNIST that is the usual rule: the last 10,000 training images. Raises ArgumentError unless both
    parts get an image.
    """
    if not 1 <= n < len(labelled):
        raise ArgumentError(f"cannot hold out {n:,} of {len(labelled):,} images: each part needs one.")
    return labelled.take(slice(-n)), labelled.take(slice(-n, None))


def split_at_random(labelled: Labelled, share: float, seed: int) -> tuple[Labelled, Labelled]:
    """Hold out a share of each class: (the rest, the held-out part), drawn as draw_at_random does."""
    rest, held_out = draw_at_random(labelled.labels, share, seed)
    return labelled.take(rest), labelled.take(held_out)


def draw_at_random(labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of a share of each class, drawn by seed: (all the others, the share), both shuffled.

    labels: (N,) the class of each. share: between 0 and 1. Of a class with two or more, each part gets at
    least one; a single one stays with the others. Raises ArgumentError for the share, InputError when nothing
    can be held out.
    """
    if not 0 < share < 1:
        raise ArgumentError(f"the share to hold out lies between 0 and 1, not {share:g}.")
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    held_out = np.zeros(len(labels), bool)  # by place in the shuffled order
    for label in np.unique(labels):
        members = np.flatnonzero(labels[order] == label)
        n = round(len(members) * share)
        held_out[members[: min(max(n, 1), len(members) - 1)]] = True
    if not held_out.any():
        raise InputError(f"{len(labels)} images are too few to hold some out: give two or more of a class.")
    return order[~held_out], order[held_out]


def folds(n_images: int, k: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Deal the images into k shuffled folds; give (training, held-out) positions, each fold held out once.

    Sizes differ by at most one. Raises ArgumentError unless 2 <= k <= n_images.
    """
    if not 2 <= k <= n_images:
        raise ArgumentError(f"cannot deal {n_images:,} images into {k} folds: choose from 2 to {n_images:,}.")
    parts = np.array_split(np.random.default_rng(seed).permutation(n_images), k)
    return ((np.concatenate(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(k))
