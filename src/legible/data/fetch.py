"""Find a dataset's files, or download them: the one place that talks to the network.

A file is looked for in LEGIBLE_DATA/<dataset>/ (the user's own copy, never written to), then in the
cache (LEGIBLE_CACHE, else XDG_CACHE_HOME/legible, else ~/.cache/legible), then on each mirror. Whatever
was found is checked by its content before it is used.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from legible.errors import InputError, OutputError

if sys.platform != "win32":
    import fcntl

Check = Callable[[bytes], None]  # takes a file's uncompressed bytes, raises InputError with what is wrong
Progress = Callable[[str, int, int], None]  # file name, bytes done, bytes in total (0: not known)

_TIMEOUT_S = 20
_BLOCK_BYTES = 1 << 16
_RANGE_NOT_THERE = 416  # the server has nothing after what we have already


@dataclass(frozen=True)
class Source:
    """Where a dataset's files come from, and how each one is checked.

    mirrors: addresses of folders, ending in a slash, tried in this order. files: name -> Check.
    """

    dataset: str
    mirrors: tuple[str, ...]
    files: Mapping[str, Check]


@dataclass(frozen=True)
class Fetched:
    """A file's uncompressed bytes, where it lies, and how it came there, in words."""

    content: bytes
    path: Path
    words: str


def has_sha256(digest: str) -> Check:
    """Make the check that a file's uncompressed bytes have this SHA-256 (64 hex digits)."""

    def check(content: bytes) -> None:
        found = hashlib.sha256(content).hexdigest()
        if found != digest:
            raise InputError(f"its SHA-256 starts {found[:12]}, not {digest[:12]}")

    return check


def cache_folder() -> Path:
    """The folder that keeps downloads."""
    if own := os.environ.get("LEGIBLE_CACHE"):
        return Path(own).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "legible"


def read_unpacked(path: Path) -> bytes:
    """Read a file, unpacked if it is gzip. Raises InputError naming the file."""
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path} is damaged or cannot be read: {reason}.") from error


def is_at_hand(source: Source) -> bool:
    """Whether all files of a dataset are on this machine already (not whether they are sound)."""
    kept = cache_folder() / source.dataset
    return all(_find_own(source.dataset, name) or (kept / name).exists() for name in source.files)


def fetch_file(source: Source, name: str, *, progress: Progress | None = None) -> Fetched:
    """Get one file of a dataset: the user's own copy, the cached one, or a fresh download.

    A damaged cached file is replaced, and named in the words of the answer. Raises InputError for a
    damaged file in LEGIBLE_DATA, and when no mirror can give the file: then it says what to put where.
    """
    check = source.files[name]
    if own := _find_own(source.dataset, name):
        try:
            return Fetched(_read_checked(own, check), own, f"Read from {own.parent} (LEGIBLE_DATA).")
        except InputError as error:
            raise InputError(f"{error} Replace it, or remove it to have it downloaded.") from error
    kept = cache_folder() / source.dataset / name
    content, damage = _read_kept(kept, check)
    if content is None:
        with _alone_in(kept.parent):
            content, damage = _read_kept(kept, check)  # somebody else may have fetched it meanwhile
            if content is None:
                content, url = _download(source, name, kept, progress)
                return Fetched(content, kept, f"{damage}Downloaded {url} to {kept.parent}.")
    return Fetched(content, kept, f"Read from {kept.parent} (cache).")


def _find_own(dataset: str, name: str) -> Path | None:
    """The user's own copy of a file, packed or unpacked."""
    root = os.environ.get("LEGIBLE_DATA")
    if not root:
        return None
    folder = Path(root).expanduser() / dataset
    return next((p for p in (folder / name, folder / name.removesuffix(".gz")) if p.exists()), None)


def _read_checked(path: Path, check: Check) -> bytes:
    content = read_unpacked(path)
    try:
        check(content)
    except InputError as error:
        raise InputError(f"{path} is damaged or another file: {error}.") from error
    return content


def _read_kept(kept: Path, check: Check) -> tuple[bytes | None, str]:
    """The cached bytes; or None, and what to say about a damaged file."""
    try:
        return (_read_checked(kept, check), "") if kept.exists() else (None, "")
    except InputError as error:
        return None, f"{error} It was fetched again. "


def _download(source: Source, name: str, kept: Path, progress: Progress | None) -> tuple[bytes, str]:
    """Download from the first mirror that gives a sound file; put it in the cache."""
    part = kept.with_name(name + ".part")
    failures = []
    for url in (mirror + name for mirror in source.mirrors):
        try:
            content = _download_from(url, part, source.files[name], progress)
        except (OSError, HTTPException, InputError) as error:  # URLError, HTTPError and timeouts are OSErrors
            failures.append(f"{url} ({_reason(error)})")
        else:
            os.replace(part, kept)
            return content, url
    raise InputError(
        f"cannot download {name} of {source.dataset}. Tried {'; '.join(failures)}. Without a network, put "
        f"{', '.join(source.files)} in {kept.parent}, or in a folder {source.dataset}/ inside the folder "
        "that the variable LEGIBLE_DATA names."
    )


def _download_from(url: str, part: Path, check: Check, progress: Progress | None) -> bytes:
    """Download what `part` still lacks, and check the whole; if the old beginning is bad, start afresh."""
    resumed = part.exists()
    try:
        _append(url, part, progress)
        return _read_checked(part, check)
    except (HTTPError, InputError) as error:
        if isinstance(error, HTTPError) and error.code != _RANGE_NOT_THERE:
            raise
        part.unlink(missing_ok=True)
        if not resumed:
            raise
    return _download_from(url, part, check, progress)


def _append(url: str, part: Path, progress: Progress | None) -> None:
    """Append to `part` what the server has after it. What came before a failure stays, to go on from."""
    done = part.stat().st_size if part.exists() else 0
    request = Request(url, headers={"User-Agent": "legible", **({"Range": f"bytes={done}-"} if done else {})})
    try:
        answer = urlopen(request, timeout=_TIMEOUT_S)
    except HTTPError as error:
        error.close()
        raise
    with answer, _writing_to(part, answer.status == 206) as write:
        done = done if answer.status == 206 else 0
        length = int(answer.headers.get("Content-Length", 0))
        total = done + length if length else 0
        while block := answer.read(_BLOCK_BYTES):
            write(block)
            done += len(block)
            if progress:
                progress(part.name.removesuffix(".part"), done, total)
    if done < total:
        raise ConnectionError(f"the connection broke after {done:,} of {total:,} bytes")


@contextmanager
def _writing_to(part: Path, append: bool) -> Iterator[Callable[[bytes], None]]:
    """Give a function that writes a block to `part`; a full disk is an OutputError, unlike a bad network.

    The file is not made by new_file: its beginning has to stay when the download breaks off.
    """

    def write(block: bytes) -> None:
        try:
            while block:
                block = block[file.write(block) :]
        except OSError as error:
            raise _cannot_write(part.parent, error) from error

    try:
        file = part.open("ab" if append else "wb", buffering=0)
    except OSError as error:
        raise _cannot_write(part.parent, error) from error
    with file:
        yield write


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Make the folder, and keep other processes from downloading into it at the same time."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise _cannot_write(folder, error) from error
    with lock:
        if sys.platform != "win32":
            fcntl.flock(lock, fcntl.LOCK_EX)  # let go by the system when the process ends, however it ends
        yield


def _reason(error: Exception) -> str:
    """Why a mirror failed, in few words."""
    if isinstance(error, InputError):
        return "sent a damaged or different file"
    if isinstance(error, HTTPError):
        return f"answered {error.code} {error.reason}"
    return str(getattr(error, "reason", error))


def _cannot_write(folder: Path, error: OSError) -> OutputError:
    return OutputError(
        f"cannot write in {folder}: {error.strerror or error}. Free some room, or name "
        "another folder in the variable LEGIBLE_CACHE."
    )
