"""Trainings reuse the memory that they free.

Source of the expected values: the page faults that the system counts for this process.
"""

from __future__ import annotations

import ctypes
import resource
import sys

import numpy as np
import pytest

from legible.memory import freed_memory_kept

N_BYTES = 2**27
has_glibc = sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallopt")


def faults_of_filling(n_bytes: int = N_BYTES) -> int:
    """Page faults of filling a new array, which is then freed."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.full(n_bytes, 1, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(not has_glibc, reason="only glibc can keep freed memory")
def test_large_freed_blocks_are_reused_only_within_the_context():
    with freed_memory_kept():
        first = faults_of_filling()
        again = faults_of_filling()
    after = faults_of_filling()
    assert again < first / 10
    assert after > 10 * again


@pytest.mark.skipif(not has_glibc, reason="only glibc can keep freed memory")
def test_an_error_ends_the_context():
    with pytest.raises(KeyError), freed_memory_kept():
        raise KeyError
    faults_of_filling()
    assert faults_of_filling() > 10


@pytest.mark.skipif(not has_glibc, reason="only glibc can keep freed memory")
def test_medium_blocks_are_reused_after_the_context_too():
    with freed_memory_kept():
        pass
    faults_of_filling(2**24)
    assert faults_of_filling(2**24) < 4  # new memory would cost at least 8, even with the largest pages
