"""Metrics of generated images have their known values.

Source of the expected values: closed forms, SciPy and scikit-learn, and real digits.
"""

import math

import numpy as np
import pytest
from scipy import linalg
from scipy.spatial.distance import pdist
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

from legible.errors import InputError
from legible.evaluation import generation_metrics as metrics


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """The 1,797 digits of scikit-learn, (N, 1, 8, 8) in [0, 1], and their labels."""
    data = load_digits()
    return (data.images / 16).astype(np.float32)[:, None], data.target


def with_moments(rng, mean: np.ndarray, covariance: np.ndarray, n: int = 50) -> np.ndarray:
    """n points with exactly this mean and (n - 1) covariance."""
    points = rng.standard_normal((n, len(mean)))
    points -= points.mean(axis=0)
    points = points @ linalg.inv(linalg.cholesky(np.cov(points, rowvar=False)))
    return points @ linalg.cholesky(covariance) + mean


def test_frechet_distance_of_normal_distributions_along_the_axes(rng):
    """|m1 - m2|^2 + sum (s1 - s2)^2, by hand: 3^2 + 4^2 + (1 - 2)^2 + (3 - 1)^2 = 30."""
    one = with_moments(rng, np.array([0.0, 0.0]), np.diag([1.0, 9.0]))
    other = with_moments(rng, np.array([3.0, 4.0]), np.diag([4.0, 1.0]), n=80)
    assert metrics.frechet_distance(one, other) == pytest.approx(30)


def test_frechet_distance_of_rotated_distributions_equals_scipy(rng):
    a, b = rng.standard_normal((2, 5, 5))
    first, second, shift = a @ a.T + np.eye(5), b @ b.T + 0.1 * np.eye(5), rng.standard_normal(5)
    expected = shift @ shift + np.trace(first + second - 2 * linalg.sqrtm(first @ second).real)
    one, other = with_moments(rng, shift, first), with_moments(rng, np.zeros(5), second)
    assert metrics.frechet_distance(one, other) == pytest.approx(expected)
    assert metrics.frechet_distance(other, one) == pytest.approx(expected)


def test_frechet_distance_of_a_set_to_itself_is_zero_even_with_constant_features(rng):
    features = np.hstack([rng.standard_normal((60, 4)), np.zeros((60, 3))]).astype(np.float32)
    assert metrics.frechet_distance(features, features[::-1]) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_of_one_feature_is_that_of_means_and_deviations(rng):
    one = with_moments(rng, np.array([1.0]), np.array([[4.0]]))
    other = with_moments(rng, np.array([0.0]), np.array([[9.0]]))
    assert metrics.frechet_distance(one, other) == pytest.approx(1 + 1)


def test_frechet_distance_refuses_different_widths_and_single_images():
    with pytest.raises(InputError, match=r"\(4, 3\) and \(4, 2\)"):
        metrics.frechet_distance(np.zeros((4, 3)), np.zeros((4, 2)))
    with pytest.raises(InputError, match="two images"):
        metrics.frechet_distance(np.zeros((1, 3)), np.zeros((4, 3)))


def test_images_are_read_as_requested_if_that_class_has_the_largest_logit():
    logits = np.array([[2.0, 1, 0], [0, 1, 0], [0, 1, 3], [4, 0, 0]])
    assert metrics.share_read_as_asked(logits, np.array([0, 1, 2, 2])) == 0.75


def test_spread_is_the_mean_distance_of_pairs_relative_to_real_images(digits):
    """Distances by SciPy; equally many of both in each class."""
    images, labels = digits
    made, made_labels = images[::2] * 0.5, labels[::2]
    found = metrics.measure_diversity(made, made_labels, images[1::2], labels[1::2])
    expected = []
    for label in range(10):
        ones, others = made[made_labels == label], images[1::2][labels[1::2] == label]
        n = min(len(ones), len(others))
        expected.append(pdist(ones[:n].reshape(n, -1)).mean() / pdist(others[:n].reshape(n, -1)).mean())
    np.testing.assert_allclose(found.spread_per_class, expected, rtol=1e-6)
    assert found.spread == pytest.approx(np.mean(expected)) and 0.4 < found.spread < 0.6


def test_real_digits_are_as_diverse_as_real_digits(digits):
    images, labels = digits
    found = metrics.measure_diversity(images[:900], labels[:900], images[900:1800], labels[900:1800])
    assert found.spread == pytest.approx(1, abs=0.05) and found.distinct > 0.9


def test_the_same_seven_every_time_has_no_diversity(digits):
    images, labels = digits
    seven = np.repeat(images[labels == 7][:1], 30, axis=0)
    found = metrics.measure_diversity(seven, np.full(30, 7), images, labels)
    assert (found.spread, found.distinct) == (0, 0) and found.spread_per_class == (0,)


def test_two_copies_of_every_image_are_not_distinct(digits):
    images, labels = digits
    sevens = images[labels == 7]
    found = metrics.measure_diversity(np.repeat(sevens[:40], 2, axis=0), np.full(80, 7), images, labels)
    assert found.distinct == 0 and found.spread == pytest.approx(1, abs=0.15)


def test_diversity_needs_two_images_of_each_and_different_real_ones(digits):
    images, labels = digits
    with pytest.raises(InputError, match="class 7 has 1 generated and 179 real"):
        metrics.measure_diversity(images[:1], np.array([7]), images, labels)
    with pytest.raises(InputError, match="class 7 are all equal"):
        metrics.measure_diversity(images[:5], np.full(5, 7), np.ones((5, 1, 8, 8)), np.full(5, 7))


@pytest.mark.parametrize("n_at_once", [1, 37, 500])
def test_nearest_neighbours_equal_scikit_learn(digits, n_at_once):
    images, _ = digits
    indices, distances = metrics.nearest_neighbours(images[:100], images[100:], n_at_once=n_at_once)
    search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(
        images[100:].reshape(-1, 64).astype(float)
    )
    expected, nearest = search.kneighbors(images[:100].reshape(-1, 64).astype(float))
    np.testing.assert_allclose(distances, expected[:, 0])
    np.testing.assert_array_equal(indices, nearest[:, 0])


def test_a_copy_is_found_at_distance_zero(digits):
    images, _ = digits
    indices, distances = metrics.nearest_neighbours(images[[40, 7]], images)
    assert indices.tolist() == [40, 7] and distances.tolist() == [0, 0]


def test_distances_are_over_all_pixels():
    _, distances = metrics.nearest_neighbours(np.zeros((1, 1, 3, 4)), np.full((2, 1, 3, 4), 0.5))
    assert distances[0] == pytest.approx(math.sqrt(12 * 0.25))


def test_neighbours_of_other_shapes_are_refused():
    with pytest.raises(InputError, match="one shape"):
        metrics.nearest_neighbours(np.zeros((2, 1, 8, 8)), np.zeros((2, 1, 8, 9)))
    with pytest.raises(InputError, match="one shape"):
        metrics.nearest_neighbours(np.zeros((2, 1, 8, 8)), np.zeros((0, 1, 8, 8)))
