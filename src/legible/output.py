"""Write files and folders completely or not at all, and overwrite nothing unless asked."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from legible.errors import OutputError


def with_ending(path: Path, ending: str) -> Path:
    """A file name with an ending such as `.onnx`, appended unless it is there already."""
    return path if path.suffix == ending else path.with_name(path.name + ending)


def check_free(path: Path, *, overwrite: bool = False) -> None:
    """Raise OutputError if `path` exists already, unless overwrite."""
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists already. Choose another name, or add --overwrite to replace it.")


@contextmanager
def new_file(path: Path | str, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary path to write to, and rename it to `path` when the block ends without an error.

    Creates missing parent folders. If the block fails, the temporary file is removed and `path` is unchanged.
    Raises OutputError if the file exists (unless overwrite) or cannot be written.
    """
    path = Path(path)
    check_free(path, overwrite=overwrite)
    with _as_output_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix)
        os.close(handle)
    temporary = Path(name)
    try:
        with _as_output_error(path):
            yield temporary
            temporary.chmod(0o666 & ~_umask())
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def copy_file(source: Path, path: Path, *, overwrite: bool = False) -> None:
    """Copy a file, byte for byte, as new_file writes one. Raises OutputError like it."""
    with new_file(path, overwrite=overwrite) as temporary:
        shutil.copyfile(source, temporary)


@contextmanager
def new_folder(path: Path | str, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary folder to fill, and rename it to `path` when the block ends without an error.

    With overwrite, the old folder is renamed first and removed only after the new one is in its place. Raises
    OutputError like new_file.
    """
    path = Path(path)
    check_free(path, overwrite=overwrite)
    with _as_output_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        with _as_output_error(path):
            yield temporary
            temporary.chmod(0o777 & ~_umask())
            _put_in_place(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _put_in_place(temporary: Path, path: Path) -> None:
    if not path.exists():
        temporary.rename(path)
        return
    old = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.old."))
    aside = old / path.name
    try:
        path.rename(aside)
        temporary.rename(path)
    except OSError:
        if aside.exists():
            aside.rename(path)  # if this fails too, the old folder stays under its temporary name
        old.rmdir()
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _as_output_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"cannot write {path}: {reason}. Nothing was written; free some space or choose another path."
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def append_line(path: Path, line: str) -> None:
    """Append one line to a text file in a single write, flushed to the disk. Raises OutputError."""
    with _as_output_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
