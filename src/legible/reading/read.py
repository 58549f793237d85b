"""Read the digits in pictures of any form, with the shipped readers or with saved ones of your own."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, overload

import numpy as np

from legible.cards import find_card
from legible.choices import DIGIT_READER, LINE_READER, ReadMode
from legible.documents.given import File, Given, open_given, split_batch, visible_pixels
from legible.errors import ModelError
from legible.inference.classifier import Classifier
from legible.inference.line_reader import LineReader
from legible.inference.runtime import load_runtime
from legible.kinds import CLASSIFY, READ_LINES
from legible.reading.reader import Reader
from legible.reading.result import Reading, join_pages


@overload
def read(
    picture: File, *, mode: ReadMode = ..., min_confidence: float | None = ...,
    error_rate: float | None = ..., line_model: str = ..., digit_model: str = ...,
) -> Reading: ...  # fmt: skip
@overload
def read(
    picture: list[Any] | tuple[Any, ...], *, mode: ReadMode = ..., min_confidence: float | None = ...,
    error_rate: float | None = ..., line_model: str = ..., digit_model: str = ...,
) -> list[Reading]: ...  # fmt: skip
@overload
def read(
    picture: np.ndarray, *, mode: ReadMode = ..., min_confidence: float | None = ...,
    error_rate: float | None = ..., line_model: str = ..., digit_model: str = ...,
) -> Any: ...  # fmt: skip
def read(
    picture: Given | list[Any] | tuple[Any, ...], *, mode: ReadMode = "auto",
    min_confidence: float | None = None, error_rate: float | None = None,
    line_model: str = LINE_READER, digit_model: str = DIGIT_READER,
) -> Reading | list[Reading]:  # fmt: skip
    """Read the handwritten digits in a picture, or in all pages of a file.

    picture: a path; the bytes of a file; a picture that Pillow opened; an array (H, W), (H, W, 3) or
    (H, W, 4) of bytes, 16-bit numbers or floats in [0, 1], the highest white; or a list of these, or an array
    (N, C, H, W), which give a list of readings. Dark ink on light or light on dark.
    mode: digit, line, page, or auto to find out. min_confidence: 0 to 1; what is less sure is left out, and
    the reading says so. error_rate: for single digits, list all that each may be, so that of digits like
    MNIST's at most so many are not among them. line_model, digit_model: saved models; with mode digit, the
    second may be a classifier of anything, and the first is not used.
    Raises InputError, ArgumentError, ModelError.

        >>> import legible
        >>> reading = legible.read(legible.generate("7")[0])
        >>> reading.text, reading.confidence > 0.9
        ('7', True)
    """
    batch = split_batch(picture)
    documents = [open_given(one) for one in ([picture] if batch is None else batch)]
    pixels = [[visible_pixels(page) for page in pages] for pages in documents]
    reader = load_reader("" if mode == "digit" else line_model, digit_model)
    readings = iter(
        reader.read_all(
            [page for pages in pixels for page in pages],
            mode=mode, min_confidence=min_confidence, error_rate=error_rate,
        )
    )  # fmt: skip
    joined = [join_pages([next(readings) for _ in pages]) for pages in pixels]
    return joined[0] if batch is None else joined


@lru_cache(maxsize=2)
def load_reader(lines: str = LINE_READER, digits: str = DIGIT_READER) -> Reader:
    """Load a saved line reader and a classifier of single digits, to read pictures with.

    lines: empty for none: such a reader reads single digits, or whatever its classifier knows.
    Raises ModelError where they are not such.
    """
    single = find_card(digits, CLASSIFY)
    classifier = Classifier(single, load_runtime(single, ahead=True))
    if not lines:
        return Reader(None, classifier)
    of_lines = find_card(lines, READ_LINES)
    if single.sees_whole_pictures or single.classes != of_lines.classes:
        raise ModelError(
            f"models {lines!r} and {digits!r} do not read the same digits. To read single pictures "
            f"with {digits!r}, choose mode digit (--mode digit)."
        )
    return Reader(LineReader(of_lines, load_runtime(of_lines, ahead=True)), classifier)
