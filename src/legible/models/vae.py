"""Variational autoencoders: nets that learn to draw images of black and white pixels, digit by digit.

A ladder: bottom-up, an image is seen at smaller and smaller sizes; top-down, each rung adds latents to what
the rungs above it have made, and the last one gives the pixels. What an image suggests for a rung is told
relative to what the net expects there unseen: latent = mean + std * number, where mean and std come from
above and the numbers are standard normal before an image is seen. So drawing takes numbers and no chance.

Sources: Kingma and Welling, 2014; Sønderby et al., "Ladder Variational Autoencoders", 2016; Vahdat and Kautz,
"NVAE", 2020, for the relative form; Child, "Very Deep VAEs", 2021, for latents added on a straight path.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from legible.errors import ArgumentError
from legible.models import MODELS, ImageShape
from legible.models.layers import glorot

Noise = Callable[[Tensor], Tensor]  # a tensor -> standard normal numbers of its shape
CONDITIONS = ("label", "no")
_LARGEST_LOG_STD = 5.0  # std between 1/148 and 148, so that nothing overflows


class Drawing(NamedTuple):
    """What a variational autoencoder makes of a batch: pixel logits, and what the latents tell."""

    logits: Tensor  # (N, C, H, W)
    kl_nats: Tensor  # KL divergence of each rung from what was expected unseen, (N, n_rungs)


class _Guess(NamedTuple):
    """What an image suggests for a rung's numbers (N, c, h, w): a normal distribution, and a sample of it."""

    mean: Tensor
    log_std: Tensor
    sample: Tensor

    def kl_nats(self) -> Tensor:
        """How far the suggestion is from standard normal, (N,)."""
        each = 0.5 * (self.mean.square() + (2 * self.log_std).exp() - 1) - self.log_std
        return each.flatten(1).sum(1)

    def log_ratio(self) -> Tensor:
        """log p(sample) - log q(sample), (N,)."""
        noise = (self.sample - self.mean) * (-self.log_std).exp()
        return (0.5 * (noise.square() - self.sample.square()) + self.log_std).flatten(1).sum(1)


class Rung(nn.Module):
    """One layer of latents, and the layers that carry on from it to the next rung or to the pixels.

    width: channels of what comes from above. shape: (c, h, w) of the latents. floor: the one of the bottom-up
    path that it looks at. onward: from (N, width, h, w) to what the next rung takes.
    """

    def __init__(self, width: int, shape: tuple[int, int, int], floor: int, onward: nn.Module) -> None:
        super().__init__()
        self.shape, self.floor, n_latents = shape, floor, shape[0]
        look = nn.Conv2d(width, width, 1) if shape[1:] == (1, 1) else nn.Conv2d(width, width, 3, padding=1)
        self.expect = nn.Sequential(nn.SiLU(), nn.Conv2d(width, 2 * n_latents, 1))
        self.suggest = nn.Sequential(nn.SiLU(), look, nn.SiLU(), nn.Conv2d(width, 2 * n_latents, 1))
        self.add = nn.Conv2d(n_latents, width, 1)
        self.onward = onward

    def forward(self, above: Tensor, numbers: Tensor) -> Tensor:
        """Add latents (N, c, h, w), given as standard normal numbers, and go on."""
        mean, log_std = _split(self.expect(above))
        return self.onward(above + self.add(mean + log_std.exp() * numbers))  # type: ignore[no-any-return]

    def guess(self, above: Tensor, seen: Tensor, noise: Noise) -> _Guess:
        """What is seen of an image suggests these numbers."""
        mean, log_std = _split(self.suggest(above + seen))
        return _Guess(mean, log_std, mean + log_std.exp() * noise(mean))


class Ladder(nn.Module):
    """A variational autoencoder for binary images, conditional on their class where it has classes.

    floors: the bottom-up path, each from the one before, the first from images (N, C, H, W).
    rungs: the top-down path, the last of which ends in pixel logits. width: channels above the first rung.
    n_classes: 0 for a model that knows of none: it is then conditional on one class that all images share.
    Everywhere: images (N, C, H, W) of 0 and 1; labels, class numbers (N,), or rows of weights (N, n_classes),
    one-hot or a blend; a model without classes takes any class numbers, none, or rows of a single 1.
    """

    def __init__(self, floors: list[nn.Module], rungs: list[Rung], *, width: int, n_classes: int) -> None:
        super().__init__()
        self.n_classes = max(n_classes, 1)
        self.start = nn.Linear(self.n_classes, width, bias=False)
        self.floors, self.rungs = nn.ModuleList(floors), nn.ModuleList(rungs)
        self.shapes = [rung.shape for rung in rungs]
        glorot(self)

    @property
    def n_latents(self) -> int:
        """How many standard normal numbers make one drawing."""
        return sum(map(prod, self.shapes))

    def forward(self, inputs: tuple[Tensor, Tensor | None]) -> Drawing:
        """Images and labels -> pixel logits, and the KL divergence of each rung.

        The latents are sampled, in evaluation too, from PyTorch's own generator, as dropout is.
        """
        images, labels = inputs
        logits, guesses = self._descend(self._climb(images), self._rows(labels, images), torch.randn_like)
        return Drawing(logits, torch.stack([guess.kl_nats() for guess in guesses], dim=1))

    def encode(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """The numbers that images most suggest, (N, n_latents), ready to be decoded; nothing is sampled."""
        guesses = self._descend(self._climb(images), self._rows(labels, images), torch.zeros_like)[1]
        return torch.cat([guess.mean.flatten(1) for guess in guesses], dim=1)

    def decode(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Draw: standard normal numbers (N, n_latents) -> pixel logits (N, C, H, W). Nothing is sampled."""
        made = self.start(self._rows(labels, latents))[:, :, None, None]
        parts = torch.split(latents, [prod(shape) for shape in self.shapes], dim=1)
        for rung, part, shape in zip(self.rungs, parts, self.shapes, strict=True):
            made = rung(made, part.reshape(-1, *shape))
        return made  # type: ignore[no-any-return]

    def log_weights(
        self, images: Tensor, labels: Tensor | None = None, *, n_samples: int = 1,
        generator: torch.Generator | None = None,
    ) -> Tensor:  # fmt: skip
        """log p(image, latents | label) - log q(latents | image, label) for fresh latents, (N, n_samples).

        In nats. Their mean bounds log p(image | label) from below; evaluation/likelihood makes more of them.
        generator: on the images' device; PyTorch's own where none is given.
        """

        def noise(like: Tensor) -> Tensor:
            return torch.randn(like.shape, generator=generator, device=like.device)

        seen = [floor.repeat_interleave(n_samples, dim=0) for floor in self._climb(images)]
        targets = images.repeat_interleave(n_samples, dim=0)
        rows = self._rows(labels, images).repeat_interleave(n_samples, dim=0)
        logits, guesses = self._descend(seen, rows, noise)
        total = -pixel_nats(logits, targets)
        for guess in guesses:
            total = total + guess.log_ratio()
        return total.view(len(images), n_samples)

    def _rows(self, labels: Tensor | None, like: Tensor) -> Tensor:
        """Labels as rows of weights (N, K)."""
        if labels is not None and labels.ndim == 2:
            return labels
        if self.n_classes == 1:
            return torch.ones(len(like), 1, device=like.device)
        if labels is None:
            raise ArgumentError(f"this model draws {self.n_classes} classes: say which (labels).")
        return F.one_hot(labels, self.n_classes).to(torch.float32)

    def _climb(self, images: Tensor) -> list[Tensor]:
        """What is seen of the images on each floor, from the bottom to the top."""
        seen = []
        for floor in self.floors:
            images = floor(images)
            seen.append(images)
        return seen

    def _descend(self, seen: list[Tensor], rows: Tensor, noise: Noise) -> tuple[Tensor, list[_Guess]]:
        """Pixel logits, and what was guessed at each rung, from the top to the bottom."""
        made, guesses = self.start(rows)[:, :, None, None], []
        for rung in self.rungs:
            guesses.append(rung.guess(made, seen[rung.floor], noise))  # type: ignore[operator,index]
            made = rung(made, guesses[-1].sample)
        return made, guesses


class Decoder(nn.Module):
    """The half that draws, as a module of its own: what is saved for use without PyTorch."""

    def __init__(self, model: Ladder) -> None:
        super().__init__()
        self.model = model

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Standard normal numbers (N, n_latents), rows of class weights (N, K) -> (N, C, H, W) in [0, 1]."""
        return self.model.decode(latents, labels).sigmoid()


def pixel_nats(logits: Tensor, images: Tensor) -> Tensor:
    """What the pixels cost, given their logits: -log p(image | latents) in nats, (N,)."""
    return F.binary_cross_entropy_with_logits(logits.float(), images, reduction="none").flatten(1).sum(1)


_RECIPE = {
    "n_epochs": 20, "batch_size": 128, "optimiser": "muon", "learning_rate": 0.05,
    "schedule": "one-cycle:warmup=0.05", "average": 0.999,
}  # fmt: skip


@MODELS.register("vae-dense", kind="vae", paper="Kingma, Welling 2014; report E8", smallest=1, recipe=_RECIPE)
def build_dense(
    image_shape: ImageShape, n_classes: int, *, latents: int = 50, hidden: int = 400, condition: str = "label"
) -> Ladder:
    """One layer of latents between two fully connected nets: the variational autoencoder as first published.

    latents: numbers that make a drawing, 2 for a map of them. hidden: units of each hidden layer.
    condition: label draws the class one asks for; no knows nothing of classes, as most published models.
    1,053,784 parameters for 28x28 grey pixels and ten classes.
    """
    _check_counts("vae-dense", condition, latents=latents, hidden=hidden)
    floor = nn.Sequential(nn.Flatten(), nn.Linear(prod(image_shape), hidden), nn.Unflatten(1, (hidden, 1, 1)))
    pixels = nn.Sequential(
        nn.Flatten(), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, prod(image_shape)),
        nn.Unflatten(1, image_shape),
    )  # fmt: skip
    rung = Rung(hidden, (latents, 1, 1), 0, pixels)
    return Ladder([floor], [rung], width=hidden, n_classes=n_classes if condition == "label" else 0)


@MODELS.register("vae-ladder", kind="vae", paper="Sønderby et al., 2016; ours", smallest=1, recipe=_RECIPE)
def build_ladder(
    image_shape: ImageShape, n_classes: int, *, filters: int = 32, latents: int = 8, top_latents: int = 32,
    rungs: int = 2, condition: str = "label",
) -> Ladder:  # fmt: skip
    """A convolutional ladder: latents for the whole image, then for places at an eighth and a quarter size.

    filters: channels at half size; twice as many at a quarter and an eighth, four times for the whole image.
    latents: per place, on each rung that has places. top_latents: for the whole image. rungs: at an eighth of
    the size and at a quarter, each. condition: label draws the class one asks for, no any (see vae-dense).
    1,203,457 parameters for 28x28 grey pixels and ten classes.
    """
    counts = {"filters": filters, "latents": latents, "top_latents": top_latents, "rungs": rungs}
    _check_counts("vae-ladder", condition, **counts)
    whole = image_shape[1:]
    half = _halve(whole)
    quarter = _halve(half)
    eighth = _halve(quarter)
    width, n_last = 2 * filters, max(filters // 2, 1)
    floors: list[nn.Module] = [
        nn.Sequential(
            nn.Conv2d(image_shape[0], filters, 5, stride=2, padding=2), Block(filters),
            _shrink(filters, width), Block(width),
        ),
        nn.Sequential(_shrink(width, width), Block(width)),
        nn.Sequential(nn.SiLU(), nn.Conv2d(width, 2 * width, eighth)),
    ]  # fmt: skip
    unfold = nn.Sequential(nn.SiLU(), nn.ConvTranspose2d(2 * width, width, eighth), Block(width))
    grow = nn.Sequential(Block(width), _grow(width, width, eighth, quarter), Block(width))
    pixels = nn.Sequential(
        Block(width), _grow(width, filters, quarter, half), Block(filters), nn.SiLU(),
        _grow(filters, n_last, half, whole), nn.SiLU(), nn.Conv2d(n_last, image_shape[0], 3, padding=1),
    )  # fmt: skip
    ladder = [Rung(2 * width, (top_latents, 1, 1), 2, unfold)]
    for floor, size, onward in ((1, eighth, grow), (0, quarter, pixels)):
        ladder += [Rung(width, (latents, *size), floor, Block(width)) for _ in range(rungs - 1)]
        ladder.append(Rung(width, (latents, *size), floor, onward))
    return Ladder(floors, ladder, width=2 * width, n_classes=n_classes if condition == "label" else 0)


class Block(nn.Module):
    """Two 3x3 convolutions beside a straight path. Source: He et al., "Identity Mappings", 2016."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.path = nn.Sequential(
            nn.SiLU(), nn.Conv2d(width, width, 3, padding=1), nn.SiLU(), nn.Conv2d(width, width, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, H, W) -> the same."""
        return x + self.path(x)  # type: ignore[no-any-return]


def _halve(size: tuple[int, int]) -> tuple[int, int]:
    return (size[0] + 1) // 2, (size[1] + 1) // 2


def _shrink(n_in: int, n_out: int) -> nn.Module:
    return nn.Conv2d(n_in, n_out, 3, stride=2, padding=1)


def _grow(n_in: int, n_out: int, size: tuple[int, int], wanted: tuple[int, int]) -> nn.Module:
    """Twice the size, or one less: what _shrink made of it, undone."""
    even = (wanted[0] - 2 * size[0] + 1, wanted[1] - 2 * size[1] + 1)  # 1 where a side is even
    return nn.ConvTranspose2d(n_in, n_out, 3, stride=2, padding=1, output_padding=even)


def _split(both: Tensor) -> tuple[Tensor, Tensor]:
    """Means and bounded logarithms of standard deviations, in float32 whatever the net computed in."""
    mean, raw = both.float().chunk(2, dim=1)
    return mean, _LARGEST_LOG_STD * torch.tanh(raw / _LARGEST_LOG_STD)


def _check_counts(name: str, condition: str, **counts: int) -> None:
    for setting, count in counts.items():
        if count < 1:
            raise ArgumentError(f"model {name!r}: {setting} must be 1 or more, not {count}.")
    if condition not in CONDITIONS:
        raise ArgumentError(f"model {name!r}: condition must be label or no, not {condition!r}.")
