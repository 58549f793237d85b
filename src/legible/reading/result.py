"""What reading gives: the text of a picture, how sure it is, and where each digit stands."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from legible.images import Box
from legible.notebook import html_table, png

if TYPE_CHECKING:
    from PIL import Image

_DECIMALS = 5  # of a probability that mean something


@dataclass(frozen=True, slots=True)
class Digit:
    """One digit as read. box: left, top, right, bottom in pixels of the picture.

    confidence: that it is this one, 0 to 1. alternatives: the other digits, most probable first. possible:
    where a rate of errors was asked for, all that it may be at that rate.
    """

    name: str
    confidence: float
    box: Box
    alternatives: tuple[tuple[str, float], ...] = ()
    possible: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Its name, or all that it may be, as [49]."""
        return f"[{''.join(self.possible)}]" if len(self.possible) > 1 else self.name

    def to_json(self) -> dict[str, Any]:
        """The digit as plain values."""
        plain = {
            "digit": self.name,
            "confidence": round(self.confidence, _DECIMALS),
            "box": list(self.box),
            "alternatives": [[other, round(p, _DECIMALS)] for other, p in self.alternatives],
        }
        return {**plain, "possible": list(self.possible)} if self.possible else plain


@dataclass(frozen=True, slots=True)
class Line:
    """Digits that stand beside each other. confidence: that the whole line is right, 0 to 1.

    box: left, top, right, bottom in pixels of its page. page: of a file, counted from 1.
    """

    text: str
    confidence: float
    box: Box
    digits: tuple[Digit, ...]
    page: int = 1

    def to_json(self) -> dict[str, Any]:
        """The line as plain values."""
        digits = [digit.to_json() for digit in self.digits]
        confidence = round(self.confidence, _DECIMALS)
        plain = {"text": self.text, "confidence": confidence, "box": list(self.box), "digits": digits}
        return {**plain, "page": self.page} if self.page > 1 else plain


@dataclass(frozen=True, slots=True)
class Reading:
    """A picture's digits, line by line in reading order, page after page.

    reason: why there is no text; else empty. pictures: the pages that were read, as they were seen, (H, W) or
    (H, W, 3) bytes or 16-bit numbers.
    """

    lines: tuple[Line, ...]
    reason: str = ""
    pictures: tuple[np.ndarray, ...] = field(default=(), repr=False, compare=False)

    @property
    def text(self) -> str:
        """The digits of all lines, a space between two lines, a new line for each page with any."""
        pages = sorted({line.page for line in self.lines})
        return "\n".join(" ".join(line.text for line in self.lines if line.page == page) for page in pages)

    @property
    def confidence(self) -> float:
        """That all of it is right, 0 to 1; 0 where nothing was read."""
        return prod((line.confidence for line in self.lines), start=float(bool(self.lines)))

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Left, top, right, bottom of each line, in pixels of its page."""
        return tuple(line.box for line in self.lines)

    def to_json(self) -> dict[str, Any]:
        """The reading as plain values, as `legible read --json` prints it."""
        lines = [line.to_json() for line in self.lines]
        plain = {"text": self.text, "confidence": round(self.confidence, _DECIMALS), "lines": lines}
        return {**plain, "reason": self.reason} if self.reason else plain

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the picture with a box around each digit, and what it was read as, to a file.

        path: of any format that pages are written in; for several pages TIFF or PDF. Returns it. Raises
        OutputError where it exists already, ArgumentError for another format.
        """
        from legible.documents.document import write_document
        from legible.documents.page import Page

        pages = [Page(np.asarray(picture)) for picture in self.draw()]
        return write_document(Path(path), pages, overwrite=overwrite)

    def draw(self) -> list[Image.Image]:
        """Each page with a box around each digit, and above it what it was read as."""
        from legible.reading.overlay import draw_boxes

        drawn = []
        for number, pixels in enumerate(self.pictures, start=1):
            digits = [digit for line in self.lines if line.page == number for digit in line.digits]
            drawn.append(draw_boxes(pixels, [(d.box, d.label, d.confidence) for d in digits], self.reason))
        return drawn

    def _repr_html_(self) -> str:
        rows = [(line.text, f"{line.confidence:.1%}", str(line.box)) for line in self.lines]
        pictures = [b64encode(png(np.asarray(picture))).decode() for picture in self.draw()]
        shown = [f'<img src="data:image/png;base64,{picture}">' for picture in pictures]
        table = html_table(("text", "confidence", "left, top, right, bottom"), rows) if rows else self.reason
        return "".join(shown) + table


def join_pages(readings: Sequence[Reading]) -> Reading:
    """The readings of a file's pages as one."""
    lines = tuple(
        replace(line, page=number)
        for number, reading in enumerate(readings, start=1)
        for line in reading.lines
    )
    reasons = [reading.reason for reading in readings if reading.reason]
    pictures = tuple(picture for reading in readings for picture in reading.pictures)
    return Reading(lines, reasons[0] if reasons and not lines else "", pictures)
