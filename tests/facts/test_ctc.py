"""CTC decoding and its probabilities are right.

Source of the expected values: sums over all paths, by hand, and PyTorch's loss.
"""

from itertools import product

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from legible.ctc import decode, greedy_decode, log_probabilities
from legible.seeds import rng_for


def collapse(path):
    """A path with repeats collapsed and blanks (0) removed."""
    return [b - 1 for a, b in zip((0, *path), path, strict=False) if b and b != a]


@pytest.mark.parametrize("text", [[], [0], [1, 0], [1, 1], [0, 1, 0]])
def test_the_probability_is_the_sum_over_all_alignments(text):
    """By hand: all paths of five time steps over two classes and the blank."""
    probabilities = rng_for("ctc").dirichlet(np.ones(3), size=5).T  # (3, 5)
    by_hand = sum(
        np.prod([probabilities[symbol, at] for at, symbol in enumerate(path)])
        for path in product(range(3), repeat=5)
        if collapse(path) == text
    )
    assert np.exp(log_probabilities(np.log(probabilities)[None], [text])[0]) == pytest.approx(by_hand)


def test_the_probability_equals_pytorchs_loss():
    rng = rng_for("ctc", 2)
    logits = rng.normal(0, 2, (6, 11, 30))
    texts = [rng.integers(0, 10, n).tolist() for n in (1, 2, 3, 5, 8, 4)]
    logs = torch.from_numpy(logits).log_softmax(1)
    loss = F.ctc_loss(
        logs.permute(2, 0, 1),
        torch.tensor([c + 1 for text in texts for c in text]),
        torch.full((6,), 30),
        torch.tensor([len(text) for text in texts]),
        reduction="none",
    )
    np.testing.assert_allclose(-log_probabilities(logs.numpy(), texts), loss.numpy(), rtol=1e-9)


def test_repeats_are_collapsed_unless_a_blank_separates_them():
    path = [0, 4, 4, 0, 4, 2, 0]
    logits = np.full((1, 5, 7), -9.0)
    logits[0, path, range(7)] = 9
    assert greedy_decode(logits) == [[3, 3, 1]]
    (line,) = decode(logits)
    assert line.classes == (3, 3, 1) and line.places == ((1, 3), (4, 5), (5, 6))
    assert line.probabilities[0].argmax() == 3 and np.exp(line.log_probability) > 0.99


def test_a_higher_temperature_lowers_the_probability():
    logits = rng_for("ctc", 3).normal(0, 4, (2, 11, 20))
    cold, warm = decode(logits), decode(logits, temperature=3.0)
    assert [line.classes for line in cold] == [line.classes for line in warm]
    assert all(a.log_probability > b.log_probability for a, b in zip(cold, warm, strict=True))


def test_a_line_of_blanks_is_empty():
    logits = np.full((1, 11, 8), -9.0)
    logits[0, 0] = 9
    (line,) = decode(logits)
    assert line.classes == () and line.log_probability == pytest.approx(0, abs=1e-5)
