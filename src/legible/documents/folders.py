"""Scans in files and folders, and where each goes: folders are searched and mirrored."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from legible.documents.formats import format_of, suffixes, written_name
from legible.documents.naming import choose_names, choose_view_names, label_folders
from legible.errors import ArgumentError, InputError

HIDDEN = "hidden"


@dataclass(frozen=True)
class Planned:
    """A scan and the file that it becomes.

    inner: the path of this file below the output folder. view: the same for pictures of its pages, without
    number and ending. usual: the path that it would have, were that not another scan's.
    """

    source: Path
    target: Path
    inner: Path
    view: Path
    usual: Path


@dataclass(frozen=True)
class Skipped:
    """A file or folder among the scans that is passed over, and why."""

    path: Path
    reason: str


@dataclass
class Found:
    """What a search found: scans, in order, and what it passed over."""

    scans: list[Path] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """The scans with the files that they become, and what was passed over."""

    files: list[Planned]
    skipped: list[Skipped]


def files_in(folder: Path) -> list[Path]:
    """All files of pages or pictures in a folder and below it, by their endings, sorted; no hidden ones."""
    return search(folder).scans


def search(folder: Path, *, results: Iterable[Path] = ()) -> Found:
    """The scans in a folder and below it, by their endings, and all that is none, both sorted.

    Hidden files and folders are passed over. results: folders of results, which are not searched.
    """
    found, outside = Found(), {each.resolve() for each in results}

    def note(error: OSError) -> None:
        found.skipped.append(Skipped(Path(error.filename), f"cannot be read: {error.strerror}"))

    for name, folders, files in os.walk(folder, onerror=note):
        here = Path(name)
        folders[:] = [each for each in folders if (here / each).resolve() not in outside]
        found.skipped += [Skipped(here / each, HIDDEN) for each in (*folders, *files) if each[0] == "."]
        folders[:] = [each for each in folders if each[0] != "."]
        links = [each for each in folders if (here / each).is_symlink()]
        found.skipped += [Skipped(here / each, "a link to a folder") for each in links]
        for file in (here / each for each in files if each[0] != "."):
            if reason := _why_not(file):
                found.skipped.append(Skipped(file, reason))
            else:
                found.scans.append(file)
    found.scans.sort()
    found.skipped.sort(key=lambda each: each.path)
    return found


def _why_not(file: Path) -> str:
    """Why a file is no scan; an empty text for a scan."""
    if not format_of(file):
        return f"unknown ending {file.suffix}" if file.suffix else "no ending"
    return "" if file.is_file() else "no file"


def plan_files(
    sources: Sequence[Path],
    output: Path,
    *,
    results: Iterable[Path] = (),
    made: Mapping[Path, Path] | None = None,
) -> Plan:
    """Say which file becomes which. output: a file for one scan, else a folder, where folders are mirrored.

    results: other folders of results; files there or in the output are never scans, even below a source.
    made: files below the output and the scans that they are of, from an earlier run: they keep their names.
    Where two scans would become one file, one of them gets a name that tells.

    Raises InputError for a source that does not exist or holds no scans; ArgumentError for an output that
    does not go with the sources, and where a scan would be written over.
    """
    for source in sources:
        if not source.exists():
            raise InputError(f"there is no file or folder {source}. Check the path.")
    if is_file_for_one(sources, output):
        inner = Path(output.name)
        files = [Planned(sources[0], output, inner, inner.with_suffix(""), inner)]
        _check_sources_stay(files)
        return Plan(files, [])
    wanted, skipped = _gather(sources, [output, *results])
    names = _name_all(wanted, made or {})
    views = choose_view_names(names)
    files = [
        Planned(source, output / inner, inner, view, usual)
        for (source, usual), inner, view in zip(wanted, names, views, strict=True)
    ]
    _check_sources_stay(files)
    return Plan(files, skipped)


def _gather(
    sources: Sequence[Path], results: Sequence[Path]
) -> tuple[list[tuple[Path, Path]], list[Skipped]]:
    """The scans with the paths that they are to have below the output, and what is passed over."""
    wanted: dict[Path, tuple[Path, Path]] = {}
    skipped: list[Skipped] = []
    labels = dict(
        zip(range(len(sources)), label_folders(sources) if len(sources) > 1 else [Path()], strict=True)
    )
    for n, source in enumerate(sources):
        if not source.is_dir():
            pairs = [(source, written_name(Path(source.name)))]
        else:
            found = search(source, results=[each for each in results if each.resolve() != source.resolve()])
            if not found.scans:
                raise InputError(f"{source} holds no scans: {', '.join(suffixes())}.")
            skipped += found.skipped
            pairs = [(scan, labels[n] / written_name(scan.relative_to(source))) for scan in found.scans]
        for scan, inner in pairs:
            if scan.absolute() in wanted:
                skipped.append(Skipped(scan, "given twice"))
            else:
                wanted[scan.absolute()] = (scan, inner)
    return list(wanted.values()), skipped


def _name_all(wanted: list[tuple[Path, Path]], made: Mapping[Path, Path]) -> list[Path]:
    """The path of each scan's file below the output. made: as for plan_files."""
    of_source = {source: inner for inner, source in made.items()}
    given = {
        source: inner
        for source, usual in wanted
        if (inner := of_source.get(source.absolute())) and inner.parent == usual.parent
    }

    def is_free(source: Path, inner: Path) -> bool:
        before = made.get(inner)  # of a scan that is gone, a file may be of the same scan in another place
        return before is None or before == source.absolute() or not before.exists()

    return choose_names(wanted, is_free, given)


def _check_sources_stay(files: Sequence[Planned]) -> None:
    scans = {each.source.resolve() for each in files}
    for each in files:
        if (target := each.target.resolve()) in scans:
            source = next(other.source for other in files if other.source.resolve() == target)
            raise ArgumentError(f"{source} would be written over. Choose another output.")


def is_file_for_one(sources: Sequence[Path], output: Path) -> bool:
    """Whether the output is a file for the only scan, else a folder. Raises ArgumentError if neither fits."""
    form = None if output.is_dir() else format_of(output)
    if form and form.written and len(sources) == 1 and not sources[0].is_dir():
        return True
    if output.is_file():
        raise ArgumentError(f"{output} is a file; several scans go into a folder. Name another place.")
    if form:
        endings = ", ".join(suffixes(written=True))
        raise ArgumentError(f"{output} would be a folder. Name a folder, or for one scan a file: {endings}.")
    return False
