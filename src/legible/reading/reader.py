"""Read digits in pictures: one, a line, or all that are on a page or photo. Needs no PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from legible.choices import ReadMode
from legible.ctc import DecodedLine
from legible.documents.given import page_of_array, visible_pixels
from legible.errors import ArgumentError
from legible.images import Box
from legible.inference.classifier import Classifier
from legible.inference.line_reader import LineReader
from legible.prepare import LINE_PX, prepare_digit, prepare_line, prepare_whole
from legible.reading.find import (
    Crop,
    NormalizedPage,
    bounds,
    find_components,
    find_lines,
    flatten_illumination,
    whole,
)
from legible.reading.result import Digit, Line, Reading

LINE_CONFIDENCE = 0.2  # rejection threshold of lines; that of single digits is in the classifier's card
_SURE_LINE = 0.5  # of lines on a page that may be one of words
_LINE_SHAPED = 1.3  # times as wide as high: what may be one line as a whole
_MOST_LINES = 400  # of a picture that are read; with more, most are not lines
_COMPONENTS_OF_ONE = 2  # of ink that a single digit may be in
_CLEARLY = 2.0  # times as many digits likely right
_PLACES_OF_A_PAGE, _SHARE_OF_DIGITS, _LONG_NUMBER = 8, 0.6, 3  # where most is words
_ALTERNATIVES = 3
NO_DIGIT = "no digit found"
BLANK = f"{NO_DIGIT}: the picture is blank"


@dataclass(frozen=True)
class Reader:
    """A saved line reader and a classifier of single digits, loaded once and ready for any picture.

    lines: None for a reader of single digits, or of whatever its classifier knows.
    """

    lines: LineReader | None
    digits: Classifier

    @property
    def classes(self) -> tuple[str, ...]:
        """What a digit can be."""
        return self.digits.classes

    def read(
        self,
        image: ArrayLike,
        *,
        mode: ReadMode = "auto",
        min_confidence: float | None = None,
        error_rate: float | None = None,
    ) -> Reading:
        """Read the digits in a picture.

        image: an array (H, W), (H, W, 3) or (H, W, 4), see documents.given.page_of_array; dark ink on light
        or light on dark. mode: digit, line, page, or auto to find out. min_confidence: 0 to 1; a line that is
        less sure is left out, and the reading says so; if not given, the rejection threshold of the
        classifier for single digits, and a fifth for lines. error_rate: for single digits, list all that each
        may be, so that of digits like MNIST's at most so many are not among them. Raises InputError,
        ArgumentError.
        """
        return self.read_all([image], mode=mode, min_confidence=min_confidence, error_rate=error_rate)[0]

    def read_all(
        self,
        images: Sequence[ArrayLike],
        *,
        mode: ReadMode = "auto",
        min_confidence: float | None = None,
        error_rate: float | None = None,
    ) -> list[Reading]:
        """Read many pictures, as `read` does, the lines of all together: quicker."""
        if mode not in get_args(ReadMode):
            raise ArgumentError(f"mode is one of {', '.join(get_args(ReadMode))}, not {mode!r}.")
        if min_confidence is not None and not 0 <= min_confidence <= 1:
            raise ArgumentError(f"min_confidence must lie between 0 and 1, not {min_confidence:g}.")
        least = None if error_rate is None else self.digits.least_probability(error_rate)
        if self.lines is None and mode != "digit":
            raise ArgumentError(f"without a line reader, the mode is digit, not {mode}.")
        seen = [visible_pixels(page_of_array(np.asarray(image))) for image in images]
        pages = [flatten_illumination(pixels) for pixels in seen]
        if mode == "digit":
            read = [[self._read_one(*each, least)] for each in zip(seen, pages, strict=True)]
        else:
            read = self._read_lines(pages, mode, least)
        return [
            replace(self._sum_up(page, lines, min_confidence), pictures=(pixels,))
            for pixels, page, lines in zip(seen, pages, read, strict=True)
        ]

    def _sum_up(self, picture: NormalizedPage, lines: list[Line], min_confidence: float | None) -> Reading:
        """The lines that are confident enough, or why there are none."""
        if picture.is_blank:
            return Reading((), BLANK)
        single = self.digits.rejection_threshold
        kept, unsure = list[Line](), list[Line]()
        for line in lines:
            usual = single if len(line.digits) == 1 else LINE_CONFIDENCE
            sure = line.confidence >= (usual if min_confidence is None else min_confidence)
            (kept if sure else unsure).append(line)
        unsure = [line for line in unsure if line.text]
        kept = [line for line in kept if line.text]
        if kept or not unsure:
            return Reading(tuple(kept), "" if kept else f"{NO_DIGIT}: what is there does not look like one")
        best = max(unsure, key=lambda line: line.confidence)
        return Reading((), doubt(best.text, best.confidence))

    def _read_lines(
        self, pictures: Sequence[NormalizedPage], mode: ReadMode, least: float | None
    ) -> list[list[Line]]:
        """The lines of each picture, sure or not."""
        crops = [choose_crops(picture, mode) for picture in pictures]
        assert self.lines is not None
        decoded = iter(self.lines.decode([prepare_line(crop.darkness) for found in crops for crop in found]))
        read = []
        for found in crops:
            lines = [self._make_line(crop, next(decoded), least) for crop in found]
            if mode == "auto" and len(lines) > 1 and not found[0].n_components:
                lines = _choose(lines[0], lines[1:])
            read.append(_without_words(lines))
        return read

    def _make_line(self, crop: Crop, decoded: DecodedLine, least: float | None) -> Line:
        """What was decoded in a crop; a single digit is read by the classifier, if it knows it."""
        is_small = 1 <= crop.n_components <= _COMPONENTS_OF_ONE
        if len(decoded.classes) == 1 or crop.n_components == 1 or (not decoded.classes and is_small):
            single = self._read_digit(crop, least)
            if len(decoded.classes) <= 1 or single.confidence >= self.digits.rejection_threshold:
                return single
        height, width = crop.ink.shape
        components = find_components(crop.ink)
        edges = _part(decoded.places, width * LINE_PX / height / 2)
        digits = tuple(
            self._make_digit(
                probabilities,
                crop.place(_tighten(components, (round(a * width), 0, round(b * width), height))),
            )
            for probabilities, (a, b) in zip(decoded.probabilities, edges, strict=True)
        )
        text = "".join(digit.name for digit in digits)
        around = bounds([digit.box for digit in digits]) if digits else crop.place((0, 0, width, height))
        return Line(text, float(np.exp(decoded.log_probability)) if text else 0.0, around, digits)

    def _read_one(self, pixels: np.ndarray, page: NormalizedPage, least: float | None) -> Line:
        """The one digit of a picture, or whatever a classifier of whole pictures knows."""
        if not self.digits.card.sees_whole_pictures:
            return self._read_digit(whole(page), least)
        height, width = pixels.shape[:2]
        probabilities = self.digits.predict(prepare_whole(pixels, self.digits.card.image_shape))[0]
        digit = self._make_digit(probabilities, (0, 0, width, height), least)
        return Line(digit.name, digit.confidence, digit.box, (digit,))

    def _read_digit(self, crop: Crop, least: float | None) -> Line:
        """The one digit in a crop, as the classifier reads it."""
        box, prepared = prepare_main_component(crop.ink)
        probabilities = self.digits.predict(prepared[None, None])[0]
        digit = self._make_digit(probabilities, crop.place(box), least)
        return Line(digit.name, digit.confidence, digit.box, (digit,))

    def _make_digit(self, probabilities: np.ndarray, box: Box, least: float | None = None) -> Digit:
        order = probabilities.argsort()[::-1]
        named = [(self.classes[i], float(probabilities[i])) for i in order[: 1 + _ALTERNATIVES]]
        may_be = () if least is None else [self.classes[i] for i in order if probabilities[i] >= least]
        return Digit(*named[0], box, tuple(named[1:]), tuple(may_be) or (named[0][0],) * (least is not None))


def choose_crops(picture: NormalizedPage, mode: ReadMode) -> list[Crop]:
    """What to read of a picture: all of it where it may be one line, then what was found in it."""
    if picture.is_blank:
        return []
    height, width = picture.ink.shape
    found = [] if mode == "line" else find_lines(picture)[:_MOST_LINES]
    as_one = mode == "line" or (mode == "auto" and (width > _LINE_SHAPED * height or not found))
    return [whole(picture)] * as_one + found


def prepare_main_component(ink: np.ndarray) -> tuple[Box, np.ndarray]:
    """The box of the one digit in ink (H, W), and the digit (28, 28) as classifiers see it."""
    left, top, right, bottom = box = main_component(ink)
    return box, prepare_digit(ink[top:bottom, left:right])


def main_component(ink: np.ndarray) -> Box:
    """The box of the largest piece of ink (H, W), and of what is near it and not much smaller."""
    height, width = ink.shape
    components = find_components(ink)
    if not components:
        return 0, 0, width, height
    first = max(components, key=_area)
    near = 0.4 * max(first[2] - first[0], first[3] - first[1])
    kept = [piece for piece in components if _area(piece) > 0.1 * _area(first) and _gap(piece, first) < near]
    left, top, right, bottom = bounds(kept)
    return max(0, left - 1), max(0, top - 1), min(width, right + 1), min(height, bottom + 1)


def _choose(as_one: Line, parts: list[Line]) -> list[Line]:
    """The picture as one line, or what was found in it, if that is clearly more."""
    return parts if _worth(parts) > _CLEARLY * _worth([as_one]) else [as_one]


def _worth(lines: list[Line]) -> float:
    """How many digits are likely right; lines of one digit, as specks make them, count if alone."""
    numbers = [line for line in lines if len(line.text) > 1]
    return sum(line.confidence * len(line.text) for line in numbers or lines)


def _without_words(lines: list[Line]) -> list[Line]:
    """Of a page on which most isn't digits, only longer numbers: a single letter l looks like a one."""
    n_read = sum(line.confidence >= _SURE_LINE for line in lines)
    if len(lines) < _PLACES_OF_A_PAGE or n_read > _SHARE_OF_DIGITS * len(lines):
        return lines
    return [line for line in lines if len(line.text) >= _LONG_NUMBER]


def _part(places: Sequence[tuple[float, float]], n_places: float) -> list[tuple[float, float]]:
    """From where to where along a line each digit goes, in shares of its length, half-way to the next."""
    middles = [(start + end) / 2 for start, end in places]
    if not middles:
        return []
    step = min([b - a for a, b in pairwise(middles)], default=n_places)
    crops = [(a + b) / 2 for a, b in pairwise(middles)]
    edges = [max(0.0, middles[0] - step), *crops, min(n_places, middles[-1] + step)]
    return [(min(1.0, a / n_places), min(1.0, b / n_places)) for a, b in pairwise(edges)]


def _tighten(components: Sequence[Box], box: Box) -> Box:
    """A box shrunk to the components of ink whose centres are in it, or else which it touches."""
    left, _, right, _ = box
    inside = [piece for piece in components if left <= (piece[0] + piece[2]) / 2 < right]
    inside = inside or [piece for piece in components if piece[0] < right and piece[2] > left]
    if not inside:
        return box
    around = bounds(inside)
    return max(left, around[0]), around[1], min(right, around[2]), around[3]


def doubt(text: str, confidence: float) -> str:
    """Why a reading that is not sure enough is refused."""
    share = "less than 1 %" if confidence < 0.01 else f"only {confidence * 100:.0f} %"
    return f"{NO_DIGIT}: it looks most like {text}, but that is {share} sure"


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _gap(one: Box, other: Box) -> int:
    """How far two boxes are apart, across or down, whichever is more; below 0 where they overlap."""
    across = max(one[0], other[0]) - min(one[2], other[2])
    down = max(one[1], other[1]) - min(one[3], other[3])
    return max(across, down)
