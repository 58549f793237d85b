"""Ensembles: several classifiers, with or without test-time augmentation, as one model."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from legible.errors import ArgumentError
from legible.models import MODELS, ImageShape, kind_of
from legible.models.digits import STRONG

EXTRA_VIEWS = (  # pixels right and down (whole, so that noise stays as it is), degrees of rotation
    (1, 0, 0.0),
    (-1, 0, 0.0),
    (0, 1, 0.0),
    (0, -1, 0.0),
    (0, 0, 8.0),
    (0, 0, -8.0),
)


class Ensemble(nn.Module):
    """Classifiers whose probabilities are averaged, over members and over views of the image.

    Images (N, C, H, W) to logits (N, K): the logarithm of the mean probabilities, divided by the temperature.
    Test-time augmentation: in evaluation mode each member sees `views` views, the image as it is and the
    first EXTRA_VIEWS; in training mode only the image.
    """

    temperature: Tensor
    places: Tensor

    def __init__(self, members: list[nn.Module], image_shape: ImageShape, views: int) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.register_buffer("temperature", torch.ones(1))
        moves = [_matrix(view, image_shape) for view in EXTRA_VIEWS[: views - 1]]
        size = [len(moves), 1, *image_shape[1:]]
        places = F.affine_grid(torch.tensor(moves), size, align_corners=False) if moves else None
        self.register_buffer("places", places, persistent=False)  # (views - 1, H, W, 2)

    def forward(self, images: Tensor) -> Tensor:
        """The ensemble's logits (N, K)."""
        shown = images if self.training or self.places is None else self.all_views(images)
        probabilities = torch.stack([member(shown).float().softmax(1) for member in self.members])
        mean = probabilities.reshape(-1, images.shape[0], probabilities.shape[-1]).mean(0)
        return mean.clamp_min(torch.finfo(torch.float32).tiny).log() / self.temperature

    def divide_outputs(self, number: float) -> None:
        """Divide all future logits by a number."""
        self.temperature.mul_(number)

    def all_views(self, images: Tensor) -> Tensor:
        """All views of all images, (views * N, C, H, W): the images first, then view by view."""
        n = (images.shape[0], -1, -1, -1)
        others = [
            F.grid_sample(images, place.expand(n), align_corners=False) for place in self.places.unbind()
        ]
        return torch.cat([images, *others])


def _matrix(view: tuple[int, int, float], image_shape: ImageShape) -> list[list[float]]:
    """The 2x3 matrix of a shift and rotation for affine_grid, in whose units each side has length 2."""
    right, down, degrees = view
    _, height, width = image_shape
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [[cos, -sin, -2 * right / width], [sin, cos, -2 * down / height]]


@MODELS.register("ensemble", paper="this project", smallest=24, recipe=STRONG)
def build_ensemble(
    image_shape: ImageShape, n_classes: int, *, of: str = "digits-strong", n: int = 5, views: int = 1
) -> nn.Module:
    """Classifiers whose probabilities are averaged, over members and over views of the image.

    of: the members' models, joined by '+', with their settings separated by ';'. n: number of each.
    views: 1 to 7; more than 1 is test-time augmentation: the image itself, shifted by one pixel to each side,
    and rotated by 8 degrees either way. Members that are trained separately and then joined (`legible models
    join`) are more accurate than members trained together.
    2,061,330 parameters for 28x28 grey pixels and ten classes. Smallest image: 24x24.
    """
    try:
        kinds = [MODELS.parse(kind) for kind in _kinds_in(of)]
    except ArgumentError as error:
        raise ArgumentError(f"model 'ensemble', of={of}: {error}") from error
    if not all(kind_of(kind).can_join for kind in kinds):
        raise ArgumentError(f"model 'ensemble' is of classifiers, not of {of!r}.")
    if n < 1:
        raise ArgumentError(f"model 'ensemble' has 1 member and more, not {n}.")
    if not 1 <= views <= 1 + len(EXTRA_VIEWS):
        raise ArgumentError(f"model 'ensemble' has 1 to {1 + len(EXTRA_VIEWS)} views, not {views}.")
    members = [MODELS.call(kind, image_shape, n_classes) for kind in kinds for _ in range(n)]
    return Ensemble(members, image_shape, views)


def ensemble_of(kinds: Sequence[str], views: int) -> str:
    """The spec of an ensemble with members of these models, in this order."""
    alike = len(set(kinds)) == 1
    of = "+".join(kinds[:1] if alike else kinds).replace(",", ";")
    return f"ensemble:of={of},n={len(kinds) if alike else 1},views={views}"


def members_in(spec: str) -> list[str]:
    """The models of an ensemble's members, in order; for any other model, the model itself."""
    parsed = MODELS.parse(spec)
    if parsed.name != "ensemble":
        return [str(parsed)]
    settings = MODELS.get(parsed.name).defaults | dict(parsed.settings)
    return [kind for kind in _kinds_in(str(settings["of"])) for _ in range(int(settings["n"]))]


def _kinds_in(of: str) -> list[str]:
    return of.replace(";", ",").split("+")
