"""Muon: orthogonalised momentum for the matrices of a net; Adam for the rest."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_FIFTH_ORDER = (3.4445, -4.7750, 2.0315)  # Jordan et al. 2024: the steepest of the convergent polynomials
_MOST_ROWS, _BLOCK = 128, 64  # the time of an iteration is quadratic in the number of rows


class Muon(torch.optim.Optimizer):
    """Muon for every weight but the last; Adam for the last weight, biases and norms.

    A kernel (out, in, h, w) is treated as a matrix (out, in * h * w). Adam's learning rate is `rest` times
    Muon's.
    Source: Jordan et al., 2024, https://kellerjordan.github.io/posts/muon; step sizes are scaled as there.
    """

    def __init__(
        self, groups: list[dict[str, Any]], *, momentum: float, rest: float, n_iterations: int
    ) -> None:
        weights, others = groups[0]["params"], groups[1]["params"]
        decay = groups[0]["weight_decay"]
        matrices = {"params": weights[:-1], "weight_decay": decay, "orthogonal": True, "share": 1.0}
        plain = {"params": [*weights[-1:], *others], "weight_decay": 0.0, "orthogonal": False, "share": rest}
        defaults = {"lr": 1.0, "momentum": momentum, "n_iterations": n_iterations}
        super().__init__([group for group in (matrices, plain) if group["params"]], defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update the weights by one step along their gradients."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                if group["orthogonal"]:
                    self._step_orthogonal(parameter, group)
                else:
                    self._step_adam(parameter, group["lr"])

    def _step_orthogonal(self, parameter: Tensor, group: dict[str, Any]) -> None:
        gradient, memory = parameter.grad, self.state[parameter]
        assert gradient is not None
        if not memory:
            memory["momentum"] = torch.zeros_like(parameter)
        memory["momentum"].mul_(group["momentum"]).add_(gradient)
        ahead = gradient.add(memory["momentum"], alpha=group["momentum"])  # Nesterov
        matrix = ahead.reshape(len(ahead), -1)  # (out, in * h * w)
        update = orthogonalise(matrix, group["n_iterations"]).view_as(parameter)
        scale = math.sqrt(max(1.0, matrix.shape[0] / matrix.shape[1]))
        parameter.mul_(1.0 - group["lr"] * group["weight_decay"]).add_(update, alpha=-group["lr"] * scale)

    def _step_adam(
        self, parameter: Tensor, learning_rate: float, betas: tuple[float, float] = (0.9, 0.99)
    ) -> None:
        gradient, memory = parameter.grad, self.state[parameter]
        assert gradient is not None
        if not memory:
            memory["mean"], memory["square"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
            memory["step"] = torch.zeros(())
        memory["step"] += 1
        memory["mean"].lerp_(gradient, 1.0 - betas[0])
        memory["square"].mul_(betas[1]).addcmul_(gradient, gradient, value=1.0 - betas[1])
        n = memory["step"].item()
        size = (memory["square"] / (1.0 - betas[1] ** n)).sqrt_().add_(1e-8)
        parameter.addcdiv_(memory["mean"], size, value=-learning_rate / (1.0 - betas[0] ** n))


def orthogonalise(matrix: Tensor, n_iterations: int) -> Tensor:
    """Bring a matrix's singular values near 1 by Newton-Schulz iterations, without decomposing it.

    matrix: (rows, columns). More iterations bring them nearer; three are enough for training. If the shorter
    side has more than 128 rows, each block of 64 is orthogonalised on its own: faster, and as good for
    training.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    wide = matrix.T if tall else matrix
    if len(wide) > _MOST_ROWS:
        wide = torch.cat([_iterate(block, n_iterations) for block in torch.split(wide, _BLOCK)])
    else:
        wide = _iterate(wide, n_iterations)
    return wide.T if tall else wide


def _iterate(x: Tensor, n_iterations: int) -> Tensor:
    x = x / (x.norm() + 1e-7)
    a, b, c = _FIFTH_ORDER
    for _ in range(n_iterations):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x
