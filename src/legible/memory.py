"""How this process asks the system for memory."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_MMAP_MAX = -1, -3, -4  # glibc's names, from its malloc.h
_DEFAULT_MMAP_MAX, _LARGEST_THRESHOLD = 65536, 2**25


def keep_freed_memory() -> None:
    """Let the C library reuse the memory of temporary arrays instead of handing it back each time.

    glibc returns freed pieces above 128 KiB to the system, and each new one then costs page faults, until
    a larger piece has been freed once: it takes that size, at most 32 MiB, for its new limit. This one is
    never touched. Saves 30 to 50 % of the time of most noises (docs/log.md).
    """
    np.empty(_LARGEST_THRESHOLD - 2**16, np.uint8)


def hand_back_memory() -> None:
    """Give the system what the C library holds of freed memory; does nothing where it is not glibc."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if libc is not None and hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Keep freed pieces of any size while the context lasts, and hand all of them back at its end.

    For trainings, whose every step frees and asks for the same large pieces: halves the time of nets on
    pages (docs/log.md). Does nothing where the C library is not glibc.
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
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGEST_THRESHOLD)  # as keep_freed_memory, which works no longer
        libc.mallopt(_M_TRIM_THRESHOLD, 2 * _LARGEST_THRESHOLD)
        libc.malloc_trim(0)
