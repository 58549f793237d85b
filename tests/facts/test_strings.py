"""Strings of digits that are composed, and pictures without a digit."""

import numpy as np
import pytest

from legible.apply.saved import load
from legible.data.not_digits import draw_not_digits
from legible.data.pens import Hand, print_words, vary_digits, write_digit
from legible.data.split import Labelled
from legible.data.strings import (
    MOST_PX,
    N_DIGITS,
    compose_lines,
    compose_string,
    draw_lengths,
    gather_zeros,
    write_digits,
)
from legible.evaluation.measure_lines import edit_distance, judge_lines
from legible.prepare import LINE_PX
from legible.seeds import rng_for

NAMES = tuple("0123456789")


@pytest.fixture(scope="module")
def digits():
    """Digits of MNIST's form, (60, 28, 28), that the shipped model draws."""
    return load("digit-drawer").draw(list("0123456789" * 6), rng_for("strings"))[:, 0]


LABELS = np.tile(np.arange(10), 6)


@pytest.mark.parametrize("n", [0, 1, 4, 10])
def test_a_string_is_a_line_of_its_height_the_same_for_the_same_state(digits, n):
    for seed in range(8):
        line, again = (
            compose_string(digits[:n], LABELS[:n].tolist(), rng_for("string", seed)) for _ in range(2)
        )
        assert line.shape[0] == LINE_PX and 8 <= line.shape[1] <= MOST_PX
        assert line.dtype == np.float32 and line.min() >= 0 and line.max() <= 1
        np.testing.assert_array_equal(line, again)


def test_lines_use_every_digit_once(digits):
    lines, texts = compose_lines(digits, LABELS, rng_for("lines"))
    assert sorted(label for text in texts for label in text) == sorted(LABELS.tolist())
    assert len(lines) == len(texts) and all(line.shape[0] == LINE_PX for line in lines)


def test_most_of_the_zeros_stand_beside_others():
    labels = rng_for("zeros").integers(0, 10, 2000)
    gathered = labels[gather_zeros(labels, rng_for("gather"))]
    assert sorted(gathered) == sorted(labels)
    beside = [((row[1:] == 0) & (row[:-1] == 0)).sum() for row in (labels, gathered)]
    assert beside[1] > 2 * beside[0]


def test_batches_hold_strings_of_about_one_length():
    for seed in range(20):
        lengths = draw_lengths(100, rng_for("lengths", seed))
        assert sum(lengths) == 100
        assert any(low <= min(lengths[:-1]) and max(lengths) <= high for low, high in N_DIGITS)


def test_a_hand_writes_digits_of_its_height(digits):
    rng = rng_for("hand")
    for digit, label in zip(digits[:20], LABELS, strict=False):
        ink = write_digit(digit, int(label), Hand(30, 0.1, 0, 0, 0, 0), 30, rng)
        assert 20 <= ink.shape[0] <= 42 and ink.max() > 0.5


def test_some_hands_write_zeros_in_one_go(digits):
    labels = [5, 0, 0, 0, 7]
    apart, joined = (
        write_digits(digits[labels], labels, Hand(30, 0, 0, 0.1, 0, 0, chains=chains), rng_for("zeros", 4))[0]
        for chains in (0.0, 1.0)
    )
    wide = [max(ink.shape[1] for ink, _, _ in pieces) for pieces in (apart, joined)]
    assert wide[1] > 1.5 * wide[0]


def test_printed_words_are_of_their_height_and_about_as_long_as_asked():
    short, long = ([print_words(px, 24, rng_for("words", seed)) for seed in range(8)] for px in (40, 400))
    assert all(10 <= len(ink) <= 72 and ink.max() > 0.5 for ink in short + long)
    assert np.mean([ink.shape[1] for ink in long]) > 2 * np.mean([ink.shape[1] for ink in short])


def test_only_ones_and_sevens_take_foreign_forms(digits):
    varied = vary_digits(digits, LABELS, rng_for("forms"))
    is_other = np.abs(varied - digits).max((1, 2)) > 0.2
    assert set(LABELS[is_other].tolist()) == {1, 7} and varied.shape == digits.shape


def test_pictures_without_a_digit_are_pictures_each_another(digits):
    pictures = draw_not_digits(64, digits, rng_for("others"))
    assert pictures.shape == (64, 1, 28, 28) and pictures.dtype == np.float32
    assert pictures.min() >= 0 and pictures.max() <= 1
    assert len(np.unique(pictures.reshape(64, -1), axis=0)) > 55  # of blanks there may be two alike
    np.testing.assert_array_equal(pictures, draw_not_digits(64, digits, rng_for("others")))


@pytest.mark.parametrize(
    ("one", "other", "errors"),
    [("", "", 0), ("12", "", 2), ("12", "12", 0), ("123", "23", 1), ("4711", "1741", 2)],
)
def test_the_edit_distance_counts_by_hand(one, other, errors):
    assert edit_distance(one, other) == edit_distance(other, one) == errors


def test_a_reader_that_sleeps_reads_nothing(digits):
    data = Labelled(digits[:, None], LABELS, NAMES)
    nothing = np.zeros((11, 9))
    nothing[0] = 9
    asleep = judge_lines(lambda lines: np.stack([nothing] * len(lines)), data)
    assert asleep.strings_right == 0 and asleep.digit_error_rate == 1 and asleep.falsely_read == 0
    assert asleep.n_digits == 60 and asleep.n_images >= 6 and asleep.loss_nats > 1


def test_names_of_classes_may_be_words(digits):
    """A line is read by its classes: the names are for people."""
    words = tuple(f"kind {n}" for n in range(10))
    nothing = np.zeros((11, 9))
    nothing[0] = 9
    asleep = judge_lines(
        lambda lines: np.stack([nothing] * len(lines)), Labelled(digits[:, None], LABELS, words)
    )
    assert asleep.digit_error_rate == 1 and asleep.n_digits == 60
    assert any(line.text.startswith("kind ") for line in asleep.samples)
