"""Long judging tells how far it is, and answers the same."""

import numpy as np

from legible.studies.progress import N_AT_ONCE, part_of, telling


def test_answers_are_the_same_and_told_of_in_order(rng):
    images, told = rng.random((2 * N_AT_ONCE + 5, 1, 2, 2)).astype(np.float32), []
    answer = telling(lambda some: some.mean((2, 3)), lambda done, total: told.append((done, total)))
    np.testing.assert_array_equal(answer(images), images.mean((2, 3)))
    assert told == [(1000, 2005), (2000, 2005), (2005, 2005)]


def test_parts_are_told_as_one():
    told = []
    for number in range(3):
        part_of(lambda done, total: told.append((done, total)), number, 3)(10, 10)
    assert told == [(10, 30), (20, 30), (30, 30)]
