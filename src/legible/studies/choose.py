"""Choose the studies' lines by name, and make them smaller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from legible.errors import UnknownName
from legible.studies.study import QUICK_EPOCHS, STUDIES, Line, Study, shrink

Chosen = Sequence[tuple[str, Study, Sequence[Line]]]  # a study's name, the study, its chosen lines


def choose_lines(names: Sequence[str]) -> Chosen:
    """The studies and, in each, the lines with these names; all lines for no name.

    names: of studies (`a`), of rows (`B2.4`, `E3 ours`) or of groups of rows (`B2`, `E3`), in any case.
    Raises UnknownName with near names.
    """
    studies = {entry.name: entry.build() for entry in STUDIES}
    rows = {name for study in studies.values() for line in study.lines for name in names_of(line)}
    wanted = {name.lower() for name in names} or set(studies)
    for name in names:
        if name.lower() not in {*studies, *rows}:
            known = [*studies, *sorted(row for row in rows if " " not in row)]
            raise UnknownName("study or row", name, known)
    chosen = [
        (name, study, [line for line in study.lines if name in wanted or names_of(line) & wanted])
        for name, study in studies.items()
    ]
    return [(name, study, lines) for name, study, lines in chosen if lines]


def names_of(line: Line) -> set[str]:
    """The names that choose a line: `E3 ours` has its own and `e3`; `B2.4` has `b2.4` and `b2`."""
    row = line.row.split()[0].lower()
    return {line.row.lower(), row, row.partition(".")[0]}


def narrow(chosen: Chosen, *, quick: bool, n_seeds: int | None) -> Chosen:
    """The lines in their small version, if quick, or with at most n_seeds seeds of each run, if not None."""
    if quick:
        small = f" (small: the embedded digits, {QUICK_EPOCHS} epochs at most)"
        chosen = [(n, replace(s, title=s.title + small), list(map(shrink, lines))) for n, s, lines in chosen]
    if n_seeds is not None:
        chosen = [(n, s, [_with_seeds(line, n_seeds) for line in lines]) for n, s, lines in chosen]
    return chosen


def _with_seeds(line: Line, n_seeds: int) -> Line:
    return replace(line, runs=tuple(run for run in line.runs if run.seed < n_seeds))
