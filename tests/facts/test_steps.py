"""A long evaluation reports how far it is, and gives the same outputs.

Source of the expected values: by hand.
"""

import numpy as np

from legible.runs.carry_out import part_of
from legible.runs.steps import N_AT_ONCE, report_progress


def test_outputs_are_the_same_and_progress_comes_in_order(rng):
    images, reported = rng.random((2 * N_AT_ONCE + 5, 1, 2, 2)).astype(np.float32), []
    answer = report_progress(lambda some: some.mean((2, 3)), lambda *at: reported.append(at))
    np.testing.assert_array_equal(answer(images), images.mean((2, 3)))
    assert reported == [(1000, 2005), (2000, 2005), (2005, 2005)]


def test_parts_are_reported_as_one():
    reported = []
    for number in range(3):
        part_of(lambda *at: reported.append(at), number, 3)(10, 10)
    assert reported == [(10, 30), (20, 30), (30, 30)]
