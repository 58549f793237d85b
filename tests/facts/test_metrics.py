"""The metrics of classifiers have their known values.

Source of the expected values: scikit-learn, SciPy, published figures, and sums by hand.
"""

import math
import statistics

import numpy as np
import pytest
from scipy import special, stats
from sklearn import calibration
from sklearn import metrics as sk

from legible.errors import ArgumentError, InputError
from legible.evaluation import metrics
from legible.softmax import log_softmax, softmax

N, K = 400, 7


@pytest.fixture
def answers(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Logits (N, K) that are mostly right, and labels (N,); class 6 has no images."""
    labels = rng.integers(0, K - 1, N)
    logits = rng.normal(size=(N, K)).astype(np.float32)
    logits[np.arange(N), labels] += 2
    return logits, labels


def test_softmax_and_its_logarithm_equal_scipy(answers):
    logits, _ = answers
    np.testing.assert_allclose(
        log_softmax(logits.astype(np.float64)), special.log_softmax(logits.astype(float), axis=1)
    )
    np.testing.assert_allclose(
        softmax(logits.astype(np.float64)), special.softmax(logits.astype(float), axis=1)
    )


def test_softmax_of_huge_logits_does_not_overflow():
    assert softmax(np.array([[1e4, 0.0, -1e4]], np.float32)).tolist() == [[1.0, 0.0, 0.0]]


def test_accuracy_equals_scikit_learn(answers):
    logits, labels = answers
    predicted = logits.argmax(axis=1)
    assert metrics.accuracy(labels, predicted) == sk.accuracy_score(labels, predicted)


def test_cross_entropy_equals_scikit_learn(answers):
    logits, labels = answers
    expected = sk.log_loss(labels, softmax(logits.astype(np.float64)), labels=range(K))
    assert metrics.cross_entropy(logits, labels) == pytest.approx(expected, rel=1e-9)


def test_cross_entropy_of_a_uniform_guess_is_the_logarithm_of_the_classes():
    assert metrics.cross_entropy(np.zeros((3, 10)), np.array([0, 4, 9])) == pytest.approx(math.log(10))


def test_confusion_matrix_equals_scikit_learn(answers):
    logits, labels = answers
    predicted = logits.argmax(axis=1)
    ours = metrics.confusion_matrix(labels, predicted, K)
    assert ours.tolist() == sk.confusion_matrix(labels, predicted, labels=range(K)).tolist()


def test_confusion_matrix_takes_bytes_without_overflow():
    """47 classes as in EMNIST: rows times columns exceeds a byte."""
    matrix = metrics.confusion_matrix(np.array([46, 46], np.uint8), np.array([46, 45], np.uint8), 47)
    assert (matrix[46, 46], matrix[46, 45], matrix.sum()) == (1, 1, 2)


def test_class_scores_equal_scikit_learn_even_for_a_class_without_images(answers):
    logits, labels = answers
    predicted = logits.argmax(axis=1)
    scores = metrics.per_class(metrics.confusion_matrix(labels, predicted, K))
    expected = sk.precision_recall_fscore_support(labels, predicted, labels=range(K), zero_division=0)
    for ours, theirs in zip(zip(*((s.precision, s.recall, s.f1, s.support) for s in scores)), expected):  # noqa: B905
        np.testing.assert_allclose(ours, theirs)


def test_a_class_never_predicted_scores_zero_without_a_warning():
    scores = metrics.per_class(np.array([[3, 0], [2, 0]]))
    assert (scores[1].precision, scores[1].recall, scores[1].f1, scores[1].support) == (0, 0, 0, 2)


@pytest.mark.parametrize(
    ("n_right", "n_total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_equals_newcombe_table_1(n_right, n_total, low, high):
    """R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3."""
    assert metrics.wilson_interval(n_right, n_total) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("n_right", [0, 1, 9_868, 9_999, 10_000])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_wilson_interval_equals_scipy(n_right, confidence):
    theirs = stats.binomtest(n_right, 10_000).proportion_ci(confidence, method="wilson")
    ours = metrics.wilson_interval(n_right, 10_000, confidence)
    assert ours == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert 0 <= ours[0] <= n_right / 10_000 <= ours[1] <= 1


def test_calibration_error_equals_a_sum_by_hand():
    """Two bins in the formula of Guo et al. 2017: of three images at 0.9 two are right, one at 0.6 is wrong.

    (3 * |2/3 - 0.9| + 1 * |0 - 0.6|) / 4 = (0.7 + 0.6) / 4 = 0.325
    """
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.6, 0.4]])
    labels = np.array([0, 0, 0, 1])
    assert metrics.calibration_error(probabilities, labels, n_bins=10) == pytest.approx(0.325)


def test_a_model_that_is_always_certain_and_right_is_perfectly_calibrated():
    assert metrics.calibration_error(np.eye(5), np.arange(5)) == 0


def test_reliability_bins_equal_scikit_learn(answers):
    logits, labels = answers
    probabilities = softmax(logits.astype(np.float64))
    right, sure = calibration.calibration_curve(
        probabilities.argmax(axis=1) == labels, probabilities.max(axis=1), n_bins=15
    )
    bins = metrics.reliability(probabilities, labels)
    np.testing.assert_allclose([b.accuracy for b in bins], right)
    np.testing.assert_allclose([b.confidence for b in bins], sure)
    assert sum(b.n_images for b in bins) == N
    assert all(b.low < b.confidence <= b.high for b in bins)


def test_a_confidence_on_a_bin_edge_belongs_to_the_lower_bin():
    """Guo et al. 2017: bins are ((m - 1) / M, m / M]."""
    [only] = metrics.reliability(np.array([[0.5, 0.5]]), np.array([0]), n_bins=2)
    assert (only.low, only.high) == (0.0, 0.5)


def test_mean_and_spread_equal_the_standard_library():
    values = [98.95, 99.18, 98.98]
    mean, std, n = metrics.mean_and_spread(values)
    assert (mean, std, n) == (
        pytest.approx(statistics.mean(values)),
        pytest.approx(statistics.stdev(values)),
        3,
    )


def test_one_value_has_a_mean_and_no_standard_deviation():
    assert metrics.mean_and_spread([0.5]) == (0.5, None, 1)


@pytest.mark.parametrize(
    ("measure", "error"),
    [
        (lambda: metrics.accuracy(np.array([], int), np.array([], int)), InputError),
        (lambda: metrics.accuracy(np.array([1, 2]), np.array([1])), InputError),
        (lambda: metrics.cross_entropy(np.zeros((2, 3)), np.array([0])), InputError),
        (lambda: metrics.confusion_matrix(np.array([3]), np.array([0]), 3), InputError),
        (lambda: metrics.confusion_matrix(np.array([0]), np.array([-1]), 3), InputError),
        (lambda: metrics.wilson_interval(5, 4), InputError),
        (lambda: metrics.wilson_interval(0, 0), InputError),
        (lambda: metrics.wilson_interval(1, 2, confidence=95), ArgumentError),
        (lambda: metrics.reliability(np.eye(2), np.array([0, 1]), n_bins=0), ArgumentError),
        (lambda: metrics.mean_and_spread([]), InputError),
    ],
)
def test_unusable_input_is_refused(measure, error):
    with pytest.raises(error):
        measure()
