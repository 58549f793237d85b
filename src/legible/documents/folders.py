"""Scans in files and folders, and where each goes: folders are searched and mirrored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from legible.documents.formats import format_of, suffixes, written_name
from legible.errors import ArgumentError, InputError


@dataclass(frozen=True)
class Planned:
    """A scan and the file that it becomes. inner: the path of this file below the output folder."""

    source: Path
    target: Path
    inner: Path


def files_in(folder: Path) -> list[Path]:
    """All files of pages or pictures in a folder and below it, by their endings, sorted."""
    return [file for file in sorted(folder.rglob("*")) if format_of(file) and file.is_file()]


def plan_files(sources: Sequence[Path], output: Path, *, results: Iterable[Path] = ()) -> list[Planned]:
    """Say which file becomes which. output: a file for one scan, else a folder, where folders are mirrored.

    results: other folders of results; files there or in the output are never scans, even below a source.

    Raises InputError for a source that does not exist or holds no scans; ArgumentError for an output that
    does not go with the sources, and where two scans would become one file or one would be written over.
    """
    planned = list(_plan(sources, output, [output, *results]))
    seen: dict[Path, Path] = {}
    for each in planned:
        if each.target in seen:
            raise ArgumentError(
                f"{seen[each.target]} and {each.source} would both become {each.target}. "
                "Clean them into separate folders."
            )
        if each.target.resolve() == each.source.resolve():
            raise ArgumentError(f"{each.source} would be written over. Choose another output.")
        seen[each.target] = each.source
    return planned


def _plan(sources: Sequence[Path], output: Path, results: list[Path]) -> Iterator[Planned]:
    for source in sources:
        if not source.exists():
            raise InputError(f"there is no file or folder {source}. Check the path.")
    if _is_file_for_one(sources, output):
        yield Planned(sources[0], output, Path(output.name))
        return
    for source in sources:
        if not source.is_dir():
            inner = written_name(Path(source.name))
            yield Planned(source, output / inner, inner)
            continue
        outside = [folder.resolve() for folder in results if folder.resolve() != source.resolve()]
        scans = [file for file in files_in(source) if not any(map(file.resolve().is_relative_to, outside))]
        if not scans:
            raise InputError(f"{source} holds no scans: {', '.join(suffixes())}.")
        for scan in scans:
            inner = written_name(scan.relative_to(source))
            inner = source.name / inner if len(sources) > 1 else inner
            yield Planned(scan, output / inner, inner)


def _is_file_for_one(sources: Sequence[Path], output: Path) -> bool:
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
