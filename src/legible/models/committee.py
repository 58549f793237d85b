"""Committees: classifiers that have learnt apart, each with one look or several, and their mean belief."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from legible.errors import ArgumentError
from legible.models import CLASSIFIER, MODELS, ImageShape
from legible.models.digits import STRONG

OTHER_LOOKS = (  # moved right and down by whole pixels, which leaves noise as it is; then turned by degrees
    (1, 0, 0.0),
    (-1, 0, 0.0),
    (0, 1, 0.0),
    (0, -1, 0.0),
    (0, 0, 8.0),
    (0, 0, -8.0),
)


class Committee(nn.Module):
    """Classifiers of one kind, by the mean of their probabilities.

    Images (N, C, H, W) to logits (N, K): the logarithm of their mean probabilities, by the temperature. When
    used, not while trained, each member looks `looks` times: at the image as it is and by OTHER_LOOKS.
    """

    temperature: Tensor
    places: Tensor

    def __init__(self, members: list[nn.Module], image_shape: ImageShape, looks: int) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.register_buffer("temperature", torch.ones(1))
        moves = [_matrix(look, image_shape) for look in OTHER_LOOKS[: looks - 1]]
        size = [len(moves), 1, *image_shape[1:]]
        places = F.affine_grid(torch.tensor(moves), size, align_corners=False) if moves else None
        self.register_buffer("places", places, persistent=False)  # (looks - 1, H, W, 2)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of the committee as one."""
        shown = images if self.training or self.places is None else self._look(images)
        beliefs = torch.stack([member(shown).float().softmax(1) for member in self.members])
        mean = beliefs.reshape(-1, images.shape[0], beliefs.shape[-1]).mean(0)  # over members and looks
        return mean.clamp_min(torch.finfo(torch.float32).tiny).log() / self.temperature

    def divide_outputs(self, number: float) -> None:
        """Divide the logits by a number, from now on."""
        self.temperature.mul_(number)

    def _look(self, images: Tensor) -> Tensor:
        """All looks at all images, (looks * N, C, H, W): the images first, then each other look at them."""
        n = (images.shape[0], -1, -1, -1)
        others = [
            F.grid_sample(images, place.expand(n), align_corners=False) for place in self.places.unbind()
        ]
        return torch.cat([images, *others])


def _matrix(look: tuple[int, int, float], image_shape: ImageShape) -> list[list[float]]:
    """Where each pixel of a moved and turned image comes from, as affine_grid wants it: sides are 2 long."""
    right, down, degrees = look
    _, height, width = image_shape
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [[cos, -sin, -2 * right / width], [sin, cos, -2 * down / height]]


@MODELS.register("committee", paper="ours", smallest=24, recipe=STRONG)
def build_committee(
    image_shape: ImageShape, n_classes: int, *, of: str = "digits-strong", n: int = 5, looks: int = 1
) -> nn.Module:
    """Classifiers, each with one look at the image or several, by the mean of their probabilities.

    of: the kinds of its members, joined by '+', their settings apart by ';'. n: how many of each. looks: 1
    to 7, also at the image a pixel further on each side, and turned by 8 degrees either way. Better made of
    members that were trained apart (`legible models join`) than trained as one.
    2,061,330 parameters for 28x28 grey pixels and ten classes. Smallest image: 24x24.
    """
    try:
        kinds = [MODELS.parse(kind) for kind in _kinds_in(of)]
    except ArgumentError as error:
        raise ArgumentError(f"model 'committee', of={of}: {error}") from error
    if any(MODELS.get(kind.name).facts.get("kind", CLASSIFIER) != CLASSIFIER for kind in kinds):
        raise ArgumentError(f"model 'committee' is of classifiers, not of {of!r}.")
    if n < 1:
        raise ArgumentError(f"model 'committee' has 1 member and more, not {n}.")
    if not 1 <= looks <= 1 + len(OTHER_LOOKS):
        raise ArgumentError(f"model 'committee' has 1 to {1 + len(OTHER_LOOKS)} looks, not {looks}.")
    members = [MODELS.call(kind, image_shape, n_classes) for kind in kinds for _ in range(n)]
    return Committee(members, image_shape, looks)


def committee_of(kinds: Sequence[str], looks: int) -> str:
    """The spec of a committee of members of these kinds, in that order."""
    alike = len(set(kinds)) == 1
    of = "+".join(kinds[:1] if alike else kinds).replace(",", ";")
    return f"committee:of={of},n={len(kinds) if alike else 1},looks={looks}"


def members_in(spec: str) -> list[str]:
    """The kinds of a committee's members, in their order; of another model, itself."""
    parsed = MODELS.parse(spec)
    if parsed.name != "committee":
        return [str(parsed)]
    settings = MODELS.get(parsed.name).defaults | dict(parsed.settings)
    return [kind for kind in _kinds_in(str(settings["of"])) for _ in range(int(settings["n"]))]


def _kinds_in(of: str) -> list[str]:
    return of.replace(";", ",").split("+")
