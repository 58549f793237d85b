"""QuantizedLinear computes in integers.

Source of the expected values: the same arithmetic with PyTorch and NumPy.
"""

import numpy as np
import pytest
import torch

from legible.models.layers import QuantizedLinear


@pytest.fixture
def layer() -> QuantizedLinear:
    torch.manual_seed(0)
    return QuantizedLinear(40, 30)


def test_a_quantized_layer_sums_products_of_integers(layer, rng):
    """In integers: round(255 x / peak) times round(63 w / the row's largest), then scaled back."""
    layer.eval().peak.fill_(5.0)
    numbers = rng.uniform(0, 6, (7, 40)).astype(np.float32)  # some above the peak
    weights = layer.weight.detach().numpy().astype(np.float64)
    steps = np.abs(weights).max(1) / 63
    whole = np.rint(np.minimum(numbers / 5, 1) * 255).astype(np.int64)
    sums = whole @ np.rint(weights / steps[:, None]).astype(np.int64).T
    by_hand = sums * (5 / 255) * steps + layer.bias.detach().numpy()
    with torch.no_grad():
        np.testing.assert_allclose(layer(torch.from_numpy(numbers)), by_hand, atol=1e-4)


def test_a_quantized_layer_approximates_the_float_layer(layer, rng):
    numbers = torch.from_numpy(rng.uniform(0, 8, (50, 40)).astype(np.float32))
    with torch.no_grad():
        exact, answer = torch.nn.functional.linear(numbers, layer.weight, layer.bias), layer.eval()(numbers)
    error = (answer - exact).square().mean() / exact.var()
    assert 0 < error < 1e-3


def test_training_computes_in_floats_and_tracks_the_largest_input(layer):
    numbers = torch.rand(50, 40, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.functional.linear(numbers, layer.weight, layer.bias)
    for _ in range(200):
        answer = layer.train()(numbers * 3)
    torch.testing.assert_close(layer(numbers), expected)
    answer.sum().backward()  # and the gradient goes through
    assert layer.weight.grad.abs().sum() > 0
    assert layer.peak.item() == pytest.approx(2.8 * numbers.max().item(), rel=1e-3)  # 0.9 * 3 + 0.1
