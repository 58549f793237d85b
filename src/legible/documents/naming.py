"""Names that tell files apart, where two would have the same one."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from legible.documents.formats import format_of


def fold(path: Path) -> str:
    """A path in the form in which two are compared; on some systems, A.png and a.png are one file."""
    return path.as_posix().casefold()


def choose_names(
    wanted: Sequence[tuple[Path, Path]], is_free: Callable[[Path, Path], bool], given: dict[Path, Path]
) -> list[Path]:
    """The path below the output folder for each scan, no two equal: its own name, or one that tells.

    wanted: scans, and the path that each is to have. Scans that keep their own name choose first, then the
    others, each in their order, so that equal scans get equal names. is_free: whether a scan may have a path.
    given: paths that scans were given by an earlier run; they keep them.
    """
    chosen = [given.get(source) for source, _ in wanted]
    taken = {fold(inner) for inner in chosen if inner is not None}
    own_first = sorted(range(len(wanted)), key=lambda i: wanted[i][0].name != wanted[i][1].name)
    for i in own_first:
        if chosen[i] is None:
            source, inner = wanted[i]
            chosen[i] = next(
                name
                for name in _candidates(source, inner)
                if fold(name) not in taken and is_free(source, name)
            )
            taken.add(fold(chosen[i] or inner))
    return [inner for inner in chosen if inner is not None]


def _candidates(source: Path, inner: Path) -> Iterator[Path]:
    """s.png; of s.bmp also s.bmp.png; of two of one name FOLDER-s.png; then s-2.png, s-3.png, ..."""
    yield inner
    if source.name != inner.name:
        yield inner.with_name(source.name + inner.suffix)
    elif source.absolute().parent.name != inner.parent.name:
        yield inner.with_name(f"{source.absolute().parent.name}-{inner.name}")
    yield from (inner.with_name(f"{inner.stem}-{n}{inner.suffix}") for n in itertools.count(2))


def choose_view_names(inners: Sequence[Path]) -> list[Path]:
    """For the pictures of each file: its path without the ending, or with it where others would be the same.

    A file that may have several pages has pictures NAME-001, NAME-002, ... which no other file may be called.
    """
    stems: dict[str, int] = {}
    numbered: set[str] = set()
    for inner in inners:
        stem = fold(inner.with_suffix(""))
        stems[stem] = stems.get(stem, 0) + 1
        numbered |= {found[1]} if (found := re.fullmatch(r"(.*)-\d{3,}", stem)) else set()
    return [_view_name(inner, stems, numbered) for inner in inners]


def _view_name(inner: Path, stems: dict[str, int], numbered: set[str]) -> Path:
    form, plain = format_of(inner), inner.with_suffix("")
    several = form is not None and form.pages != "one"
    clashes = stems[fold(plain)] > 1 or (several and fold(plain) in numbered)
    return inner if clashes else plain


def label_folders(folders: Sequence[Path]) -> list[Path]:
    """A name for each of several folders: its own, or one with its parent's name, or with a number."""
    chosen: list[Path] = []
    for folder in folders:
        taken = {fold(name) for name in chosen}
        whole = folder.resolve()
        names = _candidates(whole, Path(whole.name or "root"))
        chosen.append(next(name for name in names if fold(name) not in taken))
    return chosen
