"""Images with their labels, and ways to split them."""

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
_N_SHOWN = 100  # images of a dataset shown in a notebook


@dataclass(frozen=True, eq=False)
class Labelled:
    """Images with a class each.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink. labels: (N,) int64, indices into `classes`.
    noisy: for datasets with noise of their own, the noisy versions of the images, of the same shape; else
    None. Raises InputError if these differ in number or shape, or a label is not an index of a class.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    noisy: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Check numbers, shapes and labels."""
        if len(self.images) != len(self.labels):
            raise InputError(f"there are {len(self.images):,} images but {len(self.labels):,} labels.")
        if self.noisy is not None and self.noisy.shape != self.images.shape:
            raise InputError(
                f"noisy images of shape {self.noisy.shape} and clean ones {self.images.shape} differ."
            )
        outside = (self.labels < 0) | (self.labels >= len(self.classes))
        if outside.any():
            index = int(np.argmax(outside))
            raise InputError(f"label {index} is {self.labels[index]}, not 0 to {len(self.classes) - 1}.")

    def __len__(self) -> int:
        """The number of images."""
        return len(self.images)

    def _repr_png_(self) -> bytes | None:
        if not len(self) or self.images.shape[1] not in (1, 3):
            return None
        sheet = lay_out(to_bytes(1 - self.images[:_N_SHOWN]))
        return png(sheet if sheet.shape[2] == 3 else sheet[..., 0])

    def take(self, which: np.ndarray | slice) -> Labelled:
        """Some of the images, by index; a slice shares the memory."""
        noisy = None if self.noisy is None else self.noisy[which]
        return Labelled(self.images[which], self.labels[which], self.classes, noisy)

    def joined(self, other: Labelled) -> Labelled:
        """These images followed by others with the same classes, both with noisy versions or neither."""
        images = np.concatenate([self.images, other.images])
        labels = np.concatenate([self.labels, other.labels])
        both = None if self.noisy is None or other.noisy is None else [self.noisy, other.noisy]
        return Labelled(images, labels, self.classes, None if both is None else np.concatenate(both))

    def as_input(self) -> Labelled:
        """The images as a model's input: the dataset's noisy versions if it has them, else the images."""
        return self if self.noisy is None else Labelled(self.noisy, self.labels, self.classes)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width in pixels of every image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def first(self, n: int) -> Labelled:
        """The first n images. Raises ArgumentError if there are fewer."""
        if not 1 <= n <= len(self):
            raise ArgumentError(f"cannot take {n:,} images: give a number from 1 to {len(self):,}.")
        return self.take(slice(n))


@dataclass(frozen=True, eq=False)
class Splits:
    """A dataset in three parts: train on the first, choose on the second, and use the test only once.

    notes: sentences for the user about what was found and decided while reading.
    """

    name: str
    train: Labelled
    validation: Labelled
    test: Labelled
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self.train.classes

    def named(self, part: str) -> Labelled:
        """The part named train, validation, test or all. Raises UnknownName."""
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
        """Sixteen hex digits, a hash of all images and labels, which identify the data in results."""
        digest = hashlib.sha256()
        for part in PARTS:
            labelled = self.named(part)
            digest.update(to_bytes(labelled.images).tobytes())
            if labelled.noisy is not None:
                digest.update(to_bytes(labelled.noisy).tobytes())
            digest.update(labelled.labels.tobytes())
        return digest.hexdigest()[:16]


def hold_out_last(labelled: Labelled, n: int) -> tuple[Labelled, Labelled]:
    """Hold out the last n images: (the rest, the last n), without copying.

    The usual validation set of MNIST is the last 10,000 training images. Raises ArgumentError unless both
    parts have an image.
    """
    if not 1 <= n < len(labelled):
        raise ArgumentError(f"cannot hold out {n:,} of {len(labelled):,} images: each part needs one.")
    return labelled.take(slice(-n)), labelled.take(slice(-n, None))


def split_at_random(labelled: Labelled, share: float, seed: int) -> tuple[Labelled, Labelled]:
    """Hold out a random share of each class: (the rest, the held-out part); see draw_at_random."""
    rest, held_out = draw_at_random(labelled.labels, share, seed)
    return labelled.take(rest), labelled.take(held_out)


def draw_at_random(labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a random share of each class by seed: (indices of the others, of the share), both shuffled.

    labels: (N,) the class of each. share: between 0 and 1. A class with two or more has at least one in each
    part; a single one stays with the others. Raises ArgumentError for the share, InputError if nothing can be
    held out.
    """
    if not 0 < share < 1:
        raise ArgumentError(f"the share to hold out lies between 0 and 1, not {share:g}.")
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    held_out = np.zeros(len(labels), bool)  # by index in the shuffled order
    for label in np.unique(labels):
        members = np.flatnonzero(labels[order] == label)
        n = round(len(members) * share)
        held_out[members[: min(max(n, 1), len(members) - 1)]] = True
    if not held_out.any():
        raise InputError(f"{len(labels)} images are too few to hold some out: give two or more per class.")
    return order[~held_out], order[held_out]


def folds(n_images: int, k: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Shuffle the images into k folds; yield (training, held-out) indices, each fold held out once.

    Sizes differ by at most one. Raises ArgumentError unless 2 <= k <= n_images.
    """
    if not 2 <= k <= n_images:
        raise ArgumentError(f"cannot split {n_images:,} images into {k} folds: choose 2 to {n_images:,}.")
    parts = np.array_split(np.random.default_rng(seed).permutation(n_images), k)
    return ((np.concatenate(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(k))
