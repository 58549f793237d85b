"""Calibration finds the temperature of logits, and prediction sets keep their error rate.

Source of the expected values: the guarantee of split conformal prediction (Sadinle et al., 2019); logits
sharpened by a known factor.
"""

import numpy as np
import pytest

from legible.errors import ArgumentError
from legible.evaluation.calibrate import (
    class_loss,
    find_limits,
    fit_temperature,
    least_probability,
    text_loss,
)
from legible.seeds import rng_for
from legible.softmax import softmax


def guesses(n, rng, *, k=10):
    """Logits with true probabilities: the labels are drawn from them."""
    logits = rng.normal(0, 2.5, (n, k))
    probabilities = softmax(logits)
    return logits, np.array([rng.choice(k, p=row) for row in probabilities])


def test_the_temperature_of_overconfident_logits_is_found():
    logits, labels = guesses(20_000, rng_for("calibrate"))
    assert fit_temperature(class_loss(logits, labels)) == pytest.approx(1, abs=0.03)
    assert fit_temperature(class_loss(logits * 3, labels)) == pytest.approx(3, abs=0.1)
    assert fit_temperature(class_loss(logits / 2, labels)) == pytest.approx(0.5, abs=0.02)


def test_the_temperature_of_lines_is_found():
    """Lines with one time step: their text is one class or empty, a choice among K + 1."""
    logits, labels = guesses(4000, rng_for("calibrate lines"))
    texts = [[label - 1] if label else [] for label in labels.tolist()]
    batches = [(logits[i : i + 500, :, None] * 2, texts[i : i + 500]) for i in range(0, 4000, 500)]
    assert fit_temperature(text_loss(batches)) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("error_rate", [0.002, 0.01, 0.05, 0.2])
def test_prediction_sets_miss_the_right_class_at_most_at_the_guaranteed_rate(error_rate):
    """Sadinle et al., 2019: for any probabilities; here they are overconfident."""
    missed = []
    for repetition in range(40):
        rng = rng_for("conformal", repetition)
        logits, labels = guesses(1500, rng)
        probabilities = softmax(logits * 2)
        right = probabilities[np.arange(1500), labels]
        least = least_probability(np.sort(right[:1000]), error_rate)
        missed.append(np.mean(right[1000:] < least))
    spread = np.sqrt(error_rate * (1 - error_rate) * (1 / 1000 + 1 / 500) / 40)
    assert np.mean(missed) <= error_rate + 2.5 * spread
    assert np.mean(missed) >= error_rate - 1 / 1000 - 2.5 * spread  # and not much less often


def test_with_too_few_images_prediction_sets_contain_all_classes():
    assert least_probability(np.array([0.2, 0.5, 0.9]), 0.1) == 0
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        least_probability(np.array([0.5]), 1.0)


def test_the_rejection_threshold_accepts_99_percent():
    logits, labels = guesses(5000, rng_for("limits"))
    limits = find_limits(logits, labels)
    accepted = softmax(logits).max(1) >= limits["refuse_below"]
    assert accepted.mean() == pytest.approx(0.99, abs=0.001)
    rates, least = zip(*limits["sets"], strict=True)
    assert list(rates) == sorted(rates) and list(least) == sorted(least)
