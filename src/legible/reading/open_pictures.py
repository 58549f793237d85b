"""Open many pictures to read, one bad one among them or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from legible.documents.document import open_document
from legible.documents.folders import files_in
from legible.documents.formats import suffixes
from legible.documents.given import visible_pixels
from legible.errors import InputError, LegibleError

_AT_ONCE, _PIXELS_AT_ONCE = 32, 20_000_000  # pictures of a batch; together at most, unless one alone has more


@dataclass(frozen=True, eq=False)
class Opened:
    """A picture, or the sentence why there is none. name: its file, and of several pages which."""

    name: str
    pixels: np.ndarray
    error: LegibleError | None = None


def find_pictures(sources: Iterable[Path]) -> Iterator[Path]:
    """The files named, and of folders all pictures in them. Raises InputError for an empty folder."""
    for source in sources:
        if not source.is_dir():
            yield source
            continue
        found = files_in(source)
        if not found:
            raise InputError(f"{source} holds no pictures: {', '.join(suffixes())}.")
        yield from found


def open_pictures(files: Iterable[Path], *, most_pixels: int) -> Iterator[list[Opened]]:
    """All pages of all files in batches, in order; with an error in the place of what cannot be opened."""
    batch: list[Opened] = []
    for file in files:
        for opened in _open(file, most_pixels):
            batch.append(opened)
            if len(batch) >= _AT_ONCE or sum(one.pixels.size for one in batch) >= _PIXELS_AT_ONCE:
                yield batch
                batch = []
    if batch:
        yield batch


def _open(file: Path, most_pixels: int) -> Iterator[Opened]:
    try:
        with open_document(file, most_pixels=most_pixels) as document:
            for number, page in enumerate(document, start=1):
                name = str(file) if document.n_pages == 1 else f"{file}:{number}"
                yield Opened(name, visible_pixels(page))
    except LegibleError as error:
        yield Opened(str(file), np.zeros((0, 0), np.uint8), error)
    except MemoryError:
        sentence = f"{file}: not enough memory for it. Give it smaller, or lower --max-megapixels."
        yield Opened(str(file), np.zeros((0, 0), np.uint8), InputError(sentence))
