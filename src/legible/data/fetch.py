"""Find a dataset's files, or download them: the only module that uses the network.

A file is searched in LEGIBLE_DATA/<dataset>/ (the user's own copy, never written to), then in the cache
(LEGIBLE_CACHE, else XDG_CACHE_HOME/legible, else ~/.cache/legible), then on each mirror. Its content is
always checked before it is used.
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

Check = Callable[[bytes], None]  # checks a file's uncompressed bytes, raises InputError with the reason
Progress = Callable[[str, int, int], None]  # file name, bytes done, bytes in total (0: unknown)

_TIMEOUT_S = 20
_BLOCK_BYTES = 1 << 16
_RANGE_NOT_SATISFIABLE = 416  # the server has no bytes beyond those already downloaded


@dataclass(frozen=True)
class Source:
    """A dataset's mirrors, and a check for each of its files.

    mirrors: URLs of folders, ending in a slash, tried in this order. files: name -> Check.
    """

    dataset: str
    mirrors: tuple[str, ...]
    files: Mapping[str, Check]


@dataclass(frozen=True)
class Fetched:
    """A file's uncompressed bytes and path; origin: a sentence about where it was found or downloaded."""

    content: bytes
    path: Path
    origin: str


def has_sha256(digest: str) -> Check:
    """A check that a file's uncompressed bytes have this SHA-256 (64 hex digits)."""

    def check(content: bytes) -> None:
        found = hashlib.sha256(content).hexdigest()
        if found != digest:
            raise InputError(f"its SHA-256 starts {found[:12]}, not {digest[:12]}")

    return check


def cache_folder() -> Path:
    """The folder for downloads."""
    if own := os.environ.get("LEGIBLE_CACHE"):
        return Path(own).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "legible"


def read_unpacked(path: Path) -> bytes:
    """Read a file, decompressed if it is gzip. Raises InputError that names the file."""
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path} is damaged or cannot be read: {reason}.") from error


def is_available(source: Source) -> bool:
    """Whether all files of a dataset are on this machine already (not whether they are undamaged)."""
    cached = cache_folder() / source.dataset
    return all(_find_own(source.dataset, name) or (cached / name).exists() for name in source.files)


def fetch_file(source: Source, name: str, *, progress: Progress | None = None) -> Fetched:
    """Get one file of a dataset: the user's own copy, the cached one, or a new download.

    A damaged cached file is replaced, which the returned `origin` mentions. Raises InputError for a damaged
    file in LEGIBLE_DATA, and if no mirror has the file; the message then says where to put it.
    """
    check = source.files[name]
    if own := _find_own(source.dataset, name):
        try:
            return Fetched(_read_checked(own, check), own, f"Read from {own.parent} (LEGIBLE_DATA).")
        except InputError as error:
            raise InputError(f"{error} Replace it, or remove it to have it downloaded.") from error
    cached = cache_folder() / source.dataset / name
    content, damage = _read_cached(cached, check)
    if content is None:
        with _locked(cached.parent):
            content, damage = _read_cached(cached, check)  # another process may have downloaded it meanwhile
            if content is None:
                content, url = _download(source, name, cached, progress)
                return Fetched(content, cached, f"{damage}Downloaded {url} to {cached.parent}.")
    return Fetched(content, cached, f"Read from {cached.parent} (cache).")


def _find_own(dataset: str, name: str) -> Path | None:
    """The user's own copy of a file, compressed or not."""
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


def _read_cached(cached: Path, check: Check) -> tuple[bytes | None, str]:
    """The cached bytes; or None, and a sentence about a damaged file."""
    try:
        return (_read_checked(cached, check), "") if cached.exists() else (None, "")
    except InputError as error:
        return None, f"{error} It was downloaded again. "


def _download(source: Source, name: str, cached: Path, progress: Progress | None) -> tuple[bytes, str]:
    """Download from the first mirror with an undamaged file, into the cache."""
    part = cached.with_name(name + ".part")
    failures = []
    for url in (mirror + name for mirror in source.mirrors):
        try:
            content = _download_from(url, part, source.files[name], progress)
        except (OSError, HTTPException, InputError) as error:  # URLError, HTTPError and timeouts are OSErrors
            failures.append(f"{url} ({_reason(error)})")
        else:
            os.replace(part, cached)
            return content, url
    raise InputError(
        f"cannot download {name} of {source.dataset}. Tried {'; '.join(failures)}. Without a network, put "
        f"{', '.join(source.files)} in {cached.parent}, or in a folder {source.dataset}/ inside the folder "
        "that the environment variable LEGIBLE_DATA is set to."
    )


def _download_from(url: str, part: Path, check: Check, progress: Progress | None) -> bytes:
    """Download the rest of `part`, and check the whole file; if its old beginning is wrong, start again."""
    resumed = part.exists()
    try:
        _append(url, part, progress)
        return _read_checked(part, check)
    except (HTTPError, InputError) as error:
        if isinstance(error, HTTPError) and error.code != _RANGE_NOT_SATISFIABLE:
            raise
        part.unlink(missing_ok=True)
        if not resumed:
            raise
    return _download_from(url, part, check, progress)


def _append(url: str, part: Path, progress: Progress | None) -> None:
    """Append the bytes that `part` lacks. After a failure the bytes so far are kept, to resume from."""
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
    """Yield a function that writes a block to `part`; write errors are raised as OutputError.

    new_file is not used here, since it would remove the partial file after an error.
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
def _locked(folder: Path) -> Iterator[None]:
    """Create the folder, and prevent other processes from downloading into it at the same time."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise _cannot_write(folder, error) from error
    with lock:
        if sys.platform != "win32":
            fcntl.flock(
                lock, fcntl.LOCK_EX
            )  # released by the system when the process ends, even if it is killed
        yield


def _reason(error: Exception) -> str:
    """Why a mirror failed, in a few words."""
    if isinstance(error, InputError):
        return "sent a damaged or different file"
    if isinstance(error, HTTPError):
        return f"answered {error.code} {error.reason}"
    return str(getattr(error, "reason", error))


def _cannot_write(folder: Path, error: OSError) -> OutputError:
    return OutputError(
        f"cannot write in {folder}: {error.strerror or error}. Free some space, or set the environment "
        "variable LEGIBLE_CACHE to another folder."
    )
