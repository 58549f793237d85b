"""Optimisers and learning-rate schedules, each written as a spec: `sgd:momentum=0.9`, `one-cycle`."""

from __future__ import annotations

import math
from typing import Any

import torch

from legible.noise import check_setting
from legible.registry import Registry
from legible.training.muon import Muon

Groups = list[dict[str, Any]]
OPTIMISERS: Registry[torch.optim.Optimizer] = Registry("optimiser")
SCHEDULES: Registry[float] = Registry("schedule")


def split_parameters(model: torch.nn.Module, decay: float) -> Groups:
    """Two parameter groups: weights, with this weight decay, and biases and norms, without."""
    trained = [p for p in model.parameters() if p.requires_grad]
    weights = [p for p in trained if p.ndim > 1]
    others = [p for p in trained if p.ndim <= 1]
    return [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def set_learning_rate(optimiser: torch.optim.Optimizer, learning_rate: float) -> None:
    """Set the learning rate of every group for the next step, times the group's `share` if it has one."""
    for group in optimiser.param_groups:
        group["lr"] = learning_rate * group.get("share", 1.0)


@OPTIMISERS.register("sgd", decay="l2")
def make_sgd(groups: Groups, *, momentum: float = 0.9, nesterov: bool = False) -> torch.optim.Optimizer:
    """Stochastic gradient descent with momentum."""
    check_setting("optimiser 'sgd': momentum", momentum, 0, 1)
    return torch.optim.SGD(groups, lr=1.0, momentum=momentum, nesterov=nesterov, fused=True)


@OPTIMISERS.register("adam", decay="l2")
def make_adam(
    groups: Groups, *, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-7
) -> torch.optim.Optimizer:
    """Adam (Kingma and Ba, 2015); epsilon as in Keras, which the reports used."""
    _check_adam("adam", beta1, beta2, epsilon)
    return torch.optim.Adam(groups, lr=1.0, betas=(beta1, beta2), eps=epsilon, fused=True)


@OPTIMISERS.register("adamw", decay="weight_decay")
def make_adamw(
    groups: Groups, *, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
) -> torch.optim.Optimizer:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""
    _check_adam("adamw", beta1, beta2, epsilon)
    return torch.optim.AdamW(groups, lr=1.0, betas=(beta1, beta2), eps=epsilon, fused=True)


@OPTIMISERS.register("muon", decay="weight_decay")
def make_muon(
    groups: Groups, *, momentum: float = 0.8, rest: float = 0.075, n_iterations: int = 3
) -> torch.optim.Optimizer:
    """Orthogonalised momentum for the matrices; Adam for the output layer, biases and norms.

    rest: Adam's learning rate relative to that of the matrices.
    """
    check_setting("optimiser 'muon': momentum", momentum, 0, 1)
    check_setting("optimiser 'muon': rest", rest, 0, 100)
    check_setting("optimiser 'muon': n_iterations", n_iterations, 1, 100)
    return Muon(groups, momentum=momentum, rest=rest, n_iterations=n_iterations)


def _check_adam(name: str, beta1: float, beta2: float, epsilon: float) -> None:
    check_setting(f"optimiser {name!r}: beta1", beta1, 0, 0.999999)
    check_setting(f"optimiser {name!r}: beta2", beta2, 0, 0.999999)
    check_setting(f"optimiser {name!r}: epsilon", epsilon, 0, 1)


@SCHEDULES.register("constant")
def keep_constant(progress: float) -> float:
    """A constant learning rate."""
    return 1.0


@SCHEDULES.register("one-cycle")
def follow_one_cycle(progress: float, *, warmup: float = 0.2, final: float = 0.0) -> float:
    """Linear warm-up over the share `warmup` of all steps, then a cosine decay to `final`.

    progress: share of all steps done, in [0, 1]. final: as a share of the peak. Source: Smith and Topin,
    2018.
    """
    _check_shares("one-cycle", warmup, final)
    if progress < warmup:
        return progress / warmup
    done = (progress - warmup) / max(1.0 - warmup, 1e-9)
    return final + (1.0 - final) * 0.5 * (1.0 + math.cos(math.pi * min(done, 1.0)))


@SCHEDULES.register("triangle")
def follow_triangle(progress: float, *, warmup: float = 0.2, final: float = 0.0) -> float:
    """Linear warm-up over the share `warmup` of all steps, then a linear decay to `final`."""
    _check_shares("triangle", warmup, final)
    if progress < warmup or warmup == 1:
        return progress / warmup
    return final + (1.0 - final) * (1.0 - progress) / (1.0 - warmup)


def _check_shares(name: str, warmup: float, final: float) -> None:
    check_setting(f"schedule {name!r}: warmup", warmup, 0, 1)
    check_setting(f"schedule {name!r}: final", final, 0, 1)
