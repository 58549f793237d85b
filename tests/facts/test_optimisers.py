"""Optimiser steps and schedules follow their formulas.

Source of the expected values: steps by hand, PyTorch, and the papers named in each test.
"""

import math

import numpy as np
import pytest
import torch
from torch import nn

from legible.errors import ArgumentError, UnknownName
from legible.training.loop import prepare
from legible.training.muon import orthogonalise
from legible.training.optimisers import OPTIMISERS, SCHEDULES, set_learning_rate, split_parameters
from legible.training.settings import Settings


def steps(spec: str, gradients: list[float], rate: float, decay: float = 0.0) -> list[float]:
    """The value of a single weight, which starts at 1, after each step."""
    weight = nn.Parameter(torch.ones(1, 1, dtype=torch.float64))
    bias = nn.Parameter(torch.ones(1, dtype=torch.float64))
    groups = [{"params": [weight], "weight_decay": decay}, {"params": [bias], "weight_decay": 0.0}]
    optimiser, found = OPTIMISERS.call(spec, groups), []
    for gradient in gradients:
        weight.grad, bias.grad = torch.full_like(weight, gradient), torch.zeros_like(bias)
        set_learning_rate(optimiser, rate)
        optimiser.step()
        found.append(weight.item())
    assert bias.item() == 1.0  # biases never decay
    return found


def test_sgd_steps_as_by_hand():
    """By hand: v = 0.9 v + g, w = w - 0.1 v; Nesterov's steps along g + 0.9 v."""
    assert steps("sgd:momentum=0.9", [2, 2], 0.1) == pytest.approx([1 - 0.2, 0.8 - 0.38])
    assert steps("sgd:0.9,nesterov=yes", [2, 2], 0.1) == pytest.approx(
        [1 - 0.38, 0.62 - 0.1 * (2 + 0.9 * 3.8)]
    )
    assert steps("sgd:momentum=0", [2, -1], 0.1) == pytest.approx([0.8, 0.9])


def test_adam_steps_as_by_hand():
    """Source: Kingma and Ba, 2015, algorithm 1, with gradients 2 and -1."""
    mean, square, weight, expected = 0.0, 0.0, 1.0, []
    for t, gradient in enumerate([2.0, -1.0], start=1):
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        weight -= 0.1 * (mean / (1 - 0.9**t)) / (math.sqrt(square / (1 - 0.999**t)) + 1e-7)
        expected.append(weight)
    assert steps("adam", [2, -1], 0.1) == pytest.approx(expected, rel=1e-6)
    assert expected[0] == pytest.approx(0.9)  # the first step equals the learning rate


def test_decoupled_decay_shrinks_the_weight_separately_from_the_step():
    """Source: Loshchilov and Hutter, 2019: w = (1 - rate * decay) w, then Adam's step."""
    assert steps("adamw", [0.0], 0.1, decay=0.5) == pytest.approx([0.95])
    assert steps("adamw", [2.0], 0.1, decay=0.5) == pytest.approx([0.95 - 0.1])


@pytest.mark.parametrize("optimiser", ["sgd:momentum=0", "sgd:momentum=0.9"])
def test_l2_adds_twice_its_factor_times_the_weight_to_the_gradient(optimiser):
    """By hand: the gradient of l2 * sum(w^2) is 2 * l2 * w; biases and norms are left out."""
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2 * 9, 3))
    state = prepare(model, Settings(optimiser=optimiser, l2=0.01))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    penalty = sum(0.01 * (p**2).sum() for p in model.parameters() if p.ndim > 1)
    wanted = torch.autograd.grad(penalty, [p for p in model.parameters() if p.ndim > 1])
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    set_learning_rate(state.optimiser, 0.5)
    state.optimiser.step()
    moved = {name: (before[name] - p.detach()) / 0.5 for name, p in model.named_parameters()}
    for name, gradient in zip(("0.weight", "3.weight"), wanted, strict=True):
        torch.testing.assert_close(moved[name], gradient)
        torch.testing.assert_close(moved[name], 0.02 * before[name])
    assert all(not moved[name].any() for name in ("0.bias", "1.weight", "1.bias", "3.bias"))


def test_only_weights_decay_not_biases_or_norms():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))
    decaying, others = split_parameters(model, 0.3)
    assert [p.ndim for p in decaying["params"]] == [4, 2] and decaying["weight_decay"] == 0.3
    assert [p.ndim for p in others["params"]] == [1, 1, 1, 1] and others["weight_decay"] == 0.0


@pytest.mark.parametrize("shape", [(32, 64), (64, 32), (48, 48), (16, 25)])
def test_orthogonalising_brings_the_singular_values_near_1_and_keeps_the_singular_vectors(shape):
    """Source: Jordan et al., 2024: five steps of the polynomial bring them into about 0.7 ... 1.2."""
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(shape, generator=generator)
    u, before, v = torch.linalg.svd(matrix, full_matrices=False)
    assert before.max() / before.min() > 2
    result = orthogonalise(matrix, 5)
    if shape[0] != shape[1]:  # a square matrix has singular values near 0, which take more steps
        values = torch.linalg.svdvals(result)
        assert values.min() > 0.65 and values.max() < 1.25
    turned = u.T @ result @ v.T  # in the basis of the singular vectors
    torch.testing.assert_close(turned, torch.diag(turned.diagonal()), atol=2e-4, rtol=0)
    torch.testing.assert_close(
        orthogonalise(matrix * 1000, 5), result, atol=1e-3, rtol=0
    )  # the scale has no effect
    torch.testing.assert_close(orthogonalise(matrix.T, 5), result.T, atol=1e-4, rtol=0)


def test_a_matrix_with_many_rows_is_orthogonalised_in_blocks_of_64():
    matrix = torch.randn((300, 400), generator=torch.Generator().manual_seed(0))
    result = orthogonalise(matrix, 5)
    for first in range(0, 300, 64):  # other blocks have no effect
        rows = slice(first, first + 64)
        torch.testing.assert_close(result[rows], orthogonalise(matrix[rows] * 7, 5), atol=1e-3, rtol=0)
    torch.testing.assert_close(orthogonalise(matrix.T, 5), result.T, atol=1e-4, rtol=0)


def test_muon_updates_matrices_and_adam_the_last_layer_biases_and_norms():
    """By hand: a first step of Muon is rate * orthogonalised gradient; of Adam, rate * 0.075 * sign."""
    model = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Linear(4, 3))
    optimiser = prepare(model, Settings(optimiser="muon:n_iterations=5")).optimiser
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    set_learning_rate(optimiser, 0.2)
    optimiser.step()
    moved = {name: before[name] - p.detach() for name, p in model.named_parameters()}
    torch.testing.assert_close(moved["0.weight"], 0.2 * orthogonalise(model[0].weight.grad, 5))
    for name in ("0.bias", "1.weight", "1.bias", "2.weight", "2.bias"):
        gradient = model.get_parameter(name).grad
        torch.testing.assert_close(moved[name], 0.2 * 0.075 * gradient.sign(), rtol=1e-3, atol=1e-6)


def test_muon_treats_a_kernel_as_a_matrix_and_scales_steps_of_tall_ones():
    """Source: Jordan et al., 2024: a step is scaled by sqrt(max(1, rows / columns))."""
    model = nn.Sequential(nn.Conv2d(1, 36, 3, bias=False), nn.Flatten(), nn.Linear(36, 2))
    optimiser = prepare(model, Settings(optimiser="muon", weight_decay=0.1)).optimiser
    before = model[0].weight.detach().clone()
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2))
    set_learning_rate(optimiser, 0.5)
    optimiser.step()
    step = before * (1 - 0.5 * 0.1) - model[0].weight.detach()
    expected = 0.5 * math.sqrt(36 / 9) * orthogonalise(model[0].weight.grad.reshape(36, 9), 3)
    torch.testing.assert_close(step.reshape(36, 9), expected)


@pytest.mark.parametrize(
    ("schedule", "points"),
    [
        ("constant", {0.01: 1, 0.5: 1, 1: 1}),
        ("one-cycle", {0.1: 0.5, 0.2: 1, 0.6: 0.5, 1: 0}),
        ("one-cycle:warmup=0.5,final=0.1", {0.25: 0.5, 0.5: 1, 0.75: 0.55, 1: 0.1}),
        ("one-cycle:warmup=0", {0.0: 1, 0.25: 0.5 + math.sqrt(0.125), 1: 0}),
        ("triangle", {0.1: 0.5, 0.2: 1, 0.4: 0.75, 0.6: 0.5, 1: 0}),
        ("triangle:warmup=0.5,final=0.2", {0.25: 0.5, 0.5: 1, 0.75: 0.6, 1: 0.2}),
        ("one-cycle:warmup=1", {0.5: 0.5, 1: 1}),
        ("triangle:warmup=1", {0.5: 0.5, 1: 1}),
    ],
)
def test_schedules_have_the_expected_values(schedule, points):
    """By hand: linear up to 1 at the end of the warm-up, then a cosine or a line down to the final share."""
    found = [SCHEDULES.call(schedule, progress) for progress in points]
    np.testing.assert_allclose(found, list(points.values()), atol=1e-12)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"optimiser": "adm"}, "Did you mean 'adam'"),
        ({"optimiser": "sgd:momentum=-1"}, "'sgd': momentum must lie between 0 and 1"),
        ({"optimiser": "adam:beta1=1"}, "'adam': beta1 must lie"),
        ({"optimiser": "sgd:momentum=0,nesterov=yes"}, "Nesterov"),
        ({"optimiser": "muon:n_iterations=0"}, "n_iterations must lie"),
        ({"optimiser": "muon", "l2": 1e-4}, "'muon' takes weight_decay, not l2"),
        ({"optimiser": "adam", "weight_decay": 0.1}, "'adam' takes l2, not weight_decay"),
        ({"schedule": "one-cicle"}, "Did you mean 'one-cycle'"),
        ({"schedule": "one-cycle:warmup=5"}, "'one-cycle': warmup must lie between 0 and 1"),
        ({"schedule": "triangle:final=-1"}, "'triangle': final must lie"),
        ({"augment": ("shift:500",)}, "max_px must lie between 0 and 100"),
        ({"learning_rate": 1e9}, "learning_rate must lie between 1e-09 and 100"),
        ({"learning_rate": math.nan}, "learning_rate must lie"),
        ({"n_epochs": 0}, "n_epochs must lie"),
        ({"batch_size": 0}, "batch_size must lie"),
        ({"label_smoothing": 1}, "label_smoothing must lie"),
        ({"precision": "float16"}, "no precision 'float16'"),
    ],
)
def test_settings_out_of_range_are_refused_before_any_work(settings, words):
    with pytest.raises(ArgumentError, match=words):
        prepare(nn.Linear(2, 2), Settings(**settings))


def test_settings_have_a_canonical_form_and_are_read_back():
    settings = Settings(n_epochs=3.0, optimiser="sgd:.9", augment=("shift:1", "rotation"))
    assert settings == Settings(
        n_epochs=3, optimiser="sgd:momentum=0.90", augment=("shift:max_px=1", "rotation")
    )
    assert Settings.of(settings.to_json()) == settings and isinstance(settings.n_epochs, int)
    with pytest.raises(UnknownName, match=r"no training setting .epochs.\. Did you mean .n_epochs."):
        Settings.of({"epochs": 3})
    assert Settings.of({"optimizer": "muon"}) == Settings(optimiser="muon")
