"""What reading gives: the text of a picture, how sure it is, and where each digit stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from legible.apply.find import Box
from legible.notebook import html_table

_WORTH = 5  # decimals of a probability that are worth telling


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
        told = {
            "digit": self.name,
            "confidence": round(self.confidence, _WORTH),
            "box": list(self.box),
            "alternatives": [[other, round(odds, _WORTH)] for other, odds in self.alternatives],
        }
        return {**told, "possible": list(self.possible)} if self.possible else told


@dataclass(frozen=True, slots=True)
class Line:
    """Digits that stand beside each other. confidence: that the whole line is right, 0 to 1."""

    text: str
    confidence: float
    box: Box
    digits: tuple[Digit, ...]

    def to_json(self) -> dict[str, Any]:
        """The line as plain values."""
        digits = [digit.to_json() for digit in self.digits]
        confidence = round(self.confidence, _WORTH)
        return {"text": self.text, "confidence": confidence, "box": list(self.box), "digits": digits}


@dataclass(frozen=True, slots=True)
class Reading:
    """A picture's digits, line by line in reading order.

    reason: why there is no text; else empty.
    """

    lines: tuple[Line, ...]
    reason: str = ""

    @property
    def text(self) -> str:
        """The digits of all lines, a space between two lines; empty where nothing was read."""
        return " ".join(line.text for line in self.lines)

    @property
    def confidence(self) -> float:
        """That all of it is right, 0 to 1; 0 where nothing was read."""
        answer = float(bool(self.lines))
        for line in self.lines:
            answer *= line.confidence
        return answer

    def _repr_html_(self) -> str:
        rows = [(line.text, f"{line.confidence:.1%}", str(line.box)) for line in self.lines]
        return html_table(("text", "confidence", "left, top, right, bottom"), rows) if rows else self.reason

    def to_json(self, file: str) -> dict[str, Any]:
        """The reading as plain values, as `legible read --json` prints it of a file."""
        lines = [line.to_json() for line in self.lines]
        confidence = round(self.confidence, _WORTH)
        told = {"file": file, "text": self.text, "confidence": confidence, "lines": lines}
        return {**told, "reason": self.reason} if self.reason else told
