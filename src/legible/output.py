"""Write results so that nothing is ever half-written, and nothing is overwritten unasked."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from legible.errors import OutputError


def with_ending(path: Path, ending: str) -> Path:
    """A file's name with an ending, as `.onnx`: added where it is not there; other points are kept."""
    return path if path.suffix == ending else path.with_name(path.name + ending)


def check_free(path: Path, *, overwrite: bool = False) -> None:
    """Raise OutputError if something is at `path` already and we were not asked to replace it."""
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists already. Choose another name, or add --overwrite to replace it.")


@contextmanager
def new_file(path: Path | str, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary path to write to; rename it to `path` when the block ends well.

    Folders above are made. If the block fails, the temporary file is removed and `path` is untouched.
    Raises OutputError when the file exists (unless overwrite) or cannot be written.
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


@contextmanager
def new_folder(path: Path | str, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary folder to fill; rename it to `path` when the block ends well.

    With overwrite, the old folder is set aside first and removed only after the new one stands in its
    place. Raises OutputError as new_file does.
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
            aside.rename(path)  # should this fail too, what was there stays set aside
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
            f"cannot write {path}: {reason}. Nothing was left there; free some room or choose another place."
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def append_line(path: Path, line: str) -> None:
    """Add one line to a text file in a single write that reaches the disk. Raises OutputError."""
    with _as_output_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
