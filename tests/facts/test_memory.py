"""Memory that trainings free and ask for again."""

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
    """Page faults of filling a fresh array, which is freed."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.full(n_bytes, 1, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(not has_glibc, reason="only glibc can be told to keep freed memory")
def test_large_freed_pieces_are_used_again_within_the_context_only():
    with freed_memory_kept():
        first = faults_of_filling()
        again = faults_of_filling()
    after = faults_of_filling()
    assert again < first / 10
    assert after > 10 * again


@pytest.mark.skipif(not has_glibc, reason="only glibc can be told to keep freed memory")
def test_an_error_within_ends_the_context_too():
    with pytest.raises(KeyError), freed_memory_kept():
        raise KeyError
    faults_of_filling()
    assert faults_of_filling() > 10


@pytest.mark.skipif(not has_glibc, reason="only glibc can be told to keep freed memory")
def test_middling_pieces_are_used_again_after_the_context_too():
    with freed_memory_kept():
        pass
    faults_of_filling(2**24)
    assert faults_of_filling(2**24) < 4  # at least 8 where all is new, with the largest pages there are
