"""Memory allocation of this process, and the memory that is free."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_MMAP_MAX = -1, -3, -4  # glibc's names, from its malloc.h
_DEFAULT_MMAP_MAX, _LARGEST_THRESHOLD = 65536, 2**25


def keep_freed_memory() -> None:
    """Let the C library reuse the memory of temporary arrays instead of returning it to the system.

    glibc returns freed blocks above 128 KiB to the system, so that each new one costs page faults, until a
    larger block is freed: its size, up to 32 MiB, becomes the new limit. The block allocated and freed here
    is never touched. Saves 30 to 50 % of the time of most noises (docs/log.md).
    """
    np.empty(_LARGEST_THRESHOLD - 2**16, np.uint8)


def return_freed_memory() -> None:
    """Return memory that the C library has kept to the system; does nothing without glibc."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if libc is not None and hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Keep freed memory blocks of any size within the context, and return them to the system at its end.

    For trainings, whose steps free and allocate the same large blocks: halves the time of nets on pages
    (docs/log.md). Does nothing without glibc.
    """
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if libc is None or not hasattr(libc, "mallopt"):
        yield
        return
    libc.mallopt(_M_MMAP_MAX, 0)
    libc.mallopt(_M_TRIM_THRESHOLD, -1)  # never
    try:
        yield
    finally:
        libc.mallopt(_M_MMAP_MAX, _DEFAULT_MMAP_MAX)
        libc.mallopt(
            _M_MMAP_THRESHOLD, _LARGEST_THRESHOLD
        )  # replaces keep_freed_memory, which has no effect now
        libc.mallopt(_M_TRIM_THRESHOLD, 2 * _LARGEST_THRESHOLD)
        libc.malloc_trim(0)


def free_memory() -> int | None:
    """The bytes that this process can still allocate, on the machine or in its container; None if unknown."""
    found = [n for n in (_free_of_machine(), _free_of_container()) if n is not None]
    return min(found, default=None)


def _free_of_machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    sizes = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    return sizes[0] if sizes else None


def _free_of_container() -> int | None:
    """The free memory in this process's control group (version 2)."""
    try:
        root = Path("/sys/fs/cgroup")
        limit, used = (root / "memory.max").read_text().strip(), (root / "memory.current").read_text()
        return int(limit) - int(used) if limit.isdigit() else None
    except (OSError, ValueError):
        return None
