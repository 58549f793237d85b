"""The importance-weighted bound of a model with known likelihood: a line with Gaussian noise.

Source of the expected values: a linear model with Gaussian noise, whose likelihood has a closed form.
"""

import math

import numpy as np
import pytest

from legible.errors import ArgumentError, InputError, ModelError
from legible.evaluation.likelihood import Bound, importance_weighted_bound

SLOPE, NOISE = 1.5, 0.8  # z ~ N(0, 1), x = SLOPE z + noise of that standard deviation
VARIANCE = SLOPE**2 + NOISE**2  # so x ~ N(0, VARIANCE)
POSTERIOR = (SLOPE / VARIANCE, NOISE / math.sqrt(VARIANCE))  # z given x: mean / x, and standard deviation
NO_LABELS = np.zeros(40, np.int64)


@pytest.fixture
def points(rng) -> np.ndarray:
    """Forty values of x, each an image of one pixel."""
    return (math.sqrt(VARIANCE) * rng.standard_normal((40, 1, 1, 1))).astype(np.float32)


def log_normal(x: np.ndarray, std: float) -> np.ndarray:
    return -0.5 * np.square(x / std) - math.log(std) - 0.5 * math.log(2 * math.pi)


def negative_log_likelihoods(points: np.ndarray) -> np.ndarray:
    return -log_normal(points.ravel().astype(np.float64), math.sqrt(VARIANCE))


def importance_sampler(mean_factor: float, std: float, seed: int = 0):
    """log p(x, z) - log q(z | x) with q = N(mean_factor x, std^2)."""
    rng = np.random.default_rng(seed)

    def log_weights(images: np.ndarray, labels: np.ndarray, n_samples: int) -> np.ndarray:
        x = images.reshape(-1, 1).astype(np.float64)
        deviation = std * rng.standard_normal((len(x), n_samples))
        z = mean_factor * x + deviation
        return log_normal(x - SLOPE * z, NOISE) + log_normal(z, 1.0) - log_normal(deviation, std)

    return log_weights


def test_with_the_exact_posterior_one_sample_is_exact(points):
    bound = importance_weighted_bound(importance_sampler(*POSTERIOR), points, NO_LABELS, n_samples=1)
    exact = negative_log_likelihoods(points)
    assert bound.nats == pytest.approx(exact.mean(), abs=1e-9)
    assert bound.elbo_nats == pytest.approx(exact.mean(), abs=1e-9)
    assert bound.standard_error == pytest.approx(exact.std(ddof=1) / math.sqrt(40), abs=1e-9)
    assert (bound.n_images, bound.n_samples) == (40, 1)


def test_with_a_wrong_posterior_many_samples_approach_the_likelihood(points):
    bound = importance_weighted_bound(importance_sampler(0.3, 0.8), points, NO_LABELS, n_samples=3000)
    assert bound.nats == pytest.approx(negative_log_likelihoods(points).mean(), abs=0.01)


def test_more_samples_tighten_the_bound(points):
    """The gap at one sample is KL(q | posterior), in closed form."""
    factor, std, points = 0.3, 0.8, np.repeat(points, 50, axis=0)
    (exact_factor, exact_std), x = POSTERIOR, points.ravel().astype(np.float64)
    shift = (factor - exact_factor) * x
    gap = np.mean(0.5 * ((std**2 + shift**2) / exact_std**2 - 1) + math.log(exact_std / std))
    exact = negative_log_likelihoods(points).mean()
    found = [
        importance_weighted_bound(importance_sampler(factor, std), points, np.zeros(len(points)), n_samples=n)
        for n in (1, 5, 25, 500)
    ]
    nats = [bound.nats for bound in found]
    assert nats == sorted(nats, reverse=True) and nats[-1] == pytest.approx(exact, abs=0.01)
    assert found[-1].elbo_nats == pytest.approx(exact + gap, abs=0.01)
    assert found[0].elbo_nats == found[0].nats


@pytest.mark.parametrize("batch_size", [1, 7, 60, 100_000])
def test_the_bound_does_not_depend_on_the_batch_size(points, batch_size):
    """With a sampler that returns 120 fixed weights per image, in order."""
    known = 30 * np.random.default_rng(0).standard_normal((40, 120))
    given = np.zeros(40, np.int64)

    def log_weights(images: np.ndarray, labels: np.ndarray, n_samples: int) -> np.ndarray:
        rows = [known[i, given[i] : given[i] + n_samples] for i in labels]
        given[labels] += n_samples
        return np.array(rows)

    reported = []
    bound = importance_weighted_bound(
        log_weights, points, np.arange(40), n_samples=120, batch_size=batch_size,
        progress=lambda done, total: reported.append((done, total)),
    )  # fmt: skip
    assert reported == sorted(reported) and reported[-1] == (40, 40)
    assert (given == 120).all()  # each image got exactly its samples
    assert bound.nats == pytest.approx(-np.log(np.mean(np.exp(known), axis=1)).mean(), abs=1e-9)
    assert bound.elbo_nats == pytest.approx(-known.mean(), abs=1e-9)


def test_weights_beyond_the_range_of_exp_are_summed(points):
    bound = importance_weighted_bound(
        lambda images, labels, n: np.full((len(images), n), -5000.0, np.float32),
        points,
        NO_LABELS,
        n_samples=9,
    )
    assert bound.nats == pytest.approx(5000)


def test_the_bound_without_label_adds_the_log_of_the_number_of_classes():
    assert Bound(80.0, 0.1, 82.0, 10, 500).without_label(10) == pytest.approx(80 + math.log(10))


def test_unusable_input_is_refused_with_a_reason(points):
    with pytest.raises(InputError, match="40 and 3"):
        importance_weighted_bound(importance_sampler(*POSTERIOR), points, NO_LABELS[:3])
    with pytest.raises(InputError, match="0 and 0"):
        importance_weighted_bound(importance_sampler(*POSTERIOR), points[:0], NO_LABELS[:0])
    with pytest.raises(ArgumentError, match="n_samples"):
        importance_weighted_bound(importance_sampler(*POSTERIOR), points, NO_LABELS, n_samples=0)
    with pytest.raises(ModelError, match="image 0 is not finite"):
        importance_weighted_bound(lambda i, _, n: np.full((len(i), n), np.nan), points, NO_LABELS)
