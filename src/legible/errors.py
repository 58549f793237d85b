"""The errors that Legible raises, with their exit codes.

    LegibleError
    ├── ArgumentError     2  a setting is wrong
    │   └── UnknownName   2  no such model, noise, dataset, study ... (suggests near names)
    ├── InputError        3  a file, an array or a dataset cannot be used
    ├── ModelError        4  a saved model is missing or damaged, or a training diverged
    ├── MissingExtra      5  an optional part or a program is not installed
    ├── OutputError       6  a result cannot be written
    └── ResultsDiffer     7  measured results differ from what the docs claim

Each message says what happened, where, and what to do next. Only cli and web print them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """What the process returns to its caller."""

    OK = 0
    BUG = 1
    ARGUMENTS = 2
    INPUT = 3
    MODEL = 4
    MISSING = 5
    OUTPUT = 6
    RESULTS = 7
    INTERRUPTED = 130


class LegibleError(Exception):
    """The base class: errors that a user can understand and fix."""

    exit_code = ExitCode.BUG


class ArgumentError(LegibleError):
    """A setting is out of range, of the wrong kind, or contradicts another."""

    exit_code = ExitCode.ARGUMENTS


class UnknownName(ArgumentError):
    """No entry has this name; the message suggests similar names."""

    def __init__(self, kind: str, name: str, known: Iterable[str], list_command: str = "") -> None:
        by_lower = {one.lower(): one for one in known}
        near = [by_lower[n] for n in difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)]
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        where = (
            f" List: {list_command}" if list_command else f" Known: {', '.join(sorted(by_lower.values()))}."
        )
        super().__init__(f"no {kind} {name!r}.{hint}{where}")


class InputError(LegibleError):
    """A file, array or dataset cannot be used."""

    exit_code = ExitCode.INPUT


class ModelError(LegibleError):
    """A saved model is missing, damaged or unfit, or a training diverged."""

    exit_code = ExitCode.MODEL


class MissingExtra(LegibleError):
    """An optional part of the installation, or an external program, is missing."""

    exit_code = ExitCode.MISSING

    @classmethod
    def of(cls, extra: str, purpose: str) -> MissingExtra:
        """The error for a missing optional part, with the command that installs it."""
        return cls(f"{purpose} needs the {extra!r} extra. Install it: pip install 'legible[{extra}]'")


class OutputError(LegibleError):
    """A result cannot be written: no space, no permission, or a file exists already."""

    exit_code = ExitCode.OUTPUT


class ResultsDiffer(LegibleError):
    """Measured results differ from what the documents claim."""

    exit_code = ExitCode.RESULTS
