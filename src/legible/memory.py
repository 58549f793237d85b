"""How this process asks the system for memory."""

from __future__ import annotations

import numpy as np


def keep_freed_memory() -> None:
    """Let the C library reuse the memory of temporary arrays instead of handing it back each time.

    glibc returns freed pieces above 128 KiB to the system, and each new one then costs page faults, until
    a larger piece has been freed once: it takes that size, at most 32 MiB, for its new limit. This one is
    never touched. Saves 30 to 50 % of the time of most noises (docs/log.md).
    """
    np.empty(2**25 - 2**16, np.uint8)
