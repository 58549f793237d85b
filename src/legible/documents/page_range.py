"""Pages chosen by their numbers, as `--pages` has them: 2, 1,3-5, 3- (to the last) or -4 (from the first)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from legible.errors import ArgumentError

_PART = re.compile(r"(\d*)(-?)(\d*)", re.ASCII)
_LAST = 10**9  # no file has so many pages


@dataclass(frozen=True)
class PageRange:
    """Page numbers, from 1, in ranges with both ends included. `number in pages` says if one is chosen."""

    ranges: tuple[tuple[int, int], ...]

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and any(first <= number <= last for first, last in self.ranges)

    def __str__(self) -> str:
        """The shortest text of it: equal choices have equal texts."""
        return ",".join(_write(first, last) for first, last in self.ranges)


def parse_pages(text: str) -> PageRange:
    """The pages that a text chooses, such as 2, 1,3-5, 3- or -4. Raises ArgumentError for another text."""
    return PageRange(tuple(_join(sorted(_parse(part.strip(), text) for part in text.split(",")))))


def _parse(part: str, text: str) -> tuple[int, int]:
    found = _PART.fullmatch(part.replace(" ", ""))
    if not found or not (found[1] or found[3]):
        raise ArgumentError(f"--pages takes numbers and ranges, such as 2, 1,3-5, 3- or -4, not {text!r}.")
    first = int(found[1] or 1)
    last = int(found[3] or _LAST) if found[2] else first
    if not (first and last):
        raise ArgumentError(f"--pages counts from 1, so there is no page 0 in {text!r}.")
    if last < first:
        raise ArgumentError(f"--pages: {part} ends before it begins. Write {last}-{first}.")
    return first, min(last, _LAST)


def _join(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted ranges, those joined that touch."""
    joined: list[tuple[int, int]] = []
    for first, last in ranges:
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def _write(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first}-" if last == _LAST else f"{first}-{last}"
