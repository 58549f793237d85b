"""Committees: several classifiers that have learnt apart, and the mean of what they believe."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from legible.errors import ArgumentError
from legible.models import CLASSIFIER, MODELS, ImageShape
from legible.models.digits import STRONG


class Committee(nn.Module):
    """Classifiers of one kind, by the mean of their probabilities.

    Images (N, C, H, W) to logits (N, K): the logarithm of their mean probabilities, by the temperature.
    """

    temperature: Tensor

    def __init__(self, members: list[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.register_buffer("temperature", torch.ones(1))

    def forward(self, images: Tensor) -> Tensor:
        """Logits of the committee as one."""
        means = torch.stack([member(images).float().softmax(1) for member in self.members]).mean(0)
        return means.clamp_min(torch.finfo(torch.float32).tiny).log() / self.temperature

    def divide_outputs(self, number: float) -> None:
        """Divide the logits by a number, from now on."""
        self.temperature.mul_(number)


@MODELS.register("committee", paper="ours", smallest=23, recipe=STRONG)
def build_committee(
    image_shape: ImageShape, n_classes: int, *, of: str = "digits-strong", n: int = 5
) -> nn.Module:
    """Several classifiers of one kind, by the mean of their probabilities.

    of: the members' kind, its settings apart by ';'. n: how many, 2 and more. Better made of members that
    were trained apart (`legible models join`) than trained as one.
    2,061,330 parameters for 28x28 grey pixels and ten classes. Smallest image: 23x23.
    """
    try:
        member = MODELS.parse(of.replace(";", ","))
    except ArgumentError as error:
        raise ArgumentError(f"model 'committee', of={of}: {error}") from error
    if n < 2 or MODELS.get(member.name).facts.get("kind", CLASSIFIER) != CLASSIFIER:
        raise ArgumentError(f"a committee is of 2 classifiers and more, not of {n} times {of!r}.")
    return Committee([MODELS.call(member, image_shape, n_classes) for _ in range(n)])


def committee_of(member: str, n: int) -> str:
    """The spec of a committee of so many of these."""
    return f"committee:of={member.replace(',', ';')},n={n}"
