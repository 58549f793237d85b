"""Variational autoencoders: nets that learn to generate binary images.

A ladder VAE: bottom-up, the encoder's stages process an image at smaller and smaller sizes; top-down, each
latent block adds its latents to the output of the blocks above, and the last block outputs the pixels. The
posterior of a block's latents is relative to its prior: latent = mean + std * z, where mean and std come from
the blocks above, and z is standard normal under the prior. So generating needs only standard normal z.
In saved weights the stages are named `floors` and the blocks `rungs`.

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
from legible.models import ImageShape
from legible.models.layers import glorot

Noise = Callable[[Tensor], Tensor]  # a tensor -> standard normal numbers of its shape
CONDITIONS = ("label", "no")
RECIPE = {
    "n_epochs": 20, "batch_size": 128, "optimiser": "muon", "learning_rate": 0.05,
    "schedule": "one-cycle:warmup=0.05", "average": 0.999,
}  # fmt: skip
_LARGEST_LOG_STD = 5.0  # std between 1/148 and 148, so that nothing overflows


class LadderOutput(NamedTuple):
    """A variational autoencoder's output for a batch: pixel logits and KL divergences."""

    logits: Tensor  # (N, C, H, W)
    kl_nats: Tensor  # of each latent block's posterior from its prior, (N, n_blocks)


class Posterior(NamedTuple):
    """The posterior of a block's latents (N, c, h, w): a normal distribution, and a sample of it."""

    mean: Tensor
    log_std: Tensor
    sample: Tensor

    def kl_nats(self) -> Tensor:
        """The divergence of the posterior from standard normal, (N,)."""
        each = 0.5 * (self.mean.square() + (2 * self.log_std).exp() - 1) - self.log_std
        return each.flatten(1).sum(1)

    def log_ratio(self) -> Tensor:
        """log p(sample) - log q(sample), (N,)."""
        noise = (self.sample - self.mean) * (-self.log_std).exp()
        return (0.5 * (noise.square() - self.sample.square()) + self.log_std).flatten(1).sum(1)


class LatentBlock(nn.Module):
    """One layer of latents, and the layers from it to the next block or to the pixels.

    width: channels of its input from above. shape: (c, h, w) of the latents. stage: index of the encoder
    stage whose features it uses. onward: from (N, width, h, w) to the next block's input.
    In saved weights, `expect` computes the prior, `suggest` the posterior, `add` the latents' contribution.
    """

    def __init__(self, width: int, shape: tuple[int, int, int], stage: int, onward: nn.Module) -> None:
        super().__init__()
        self.shape, self.stage, n_latents = shape, stage, shape[0]
        mix = nn.Conv2d(width, width, 1) if shape[1:] == (1, 1) else nn.Conv2d(width, width, 3, padding=1)
        self.expect = nn.Sequential(nn.SiLU(), nn.Conv2d(width, 2 * n_latents, 1))
        self.suggest = nn.Sequential(nn.SiLU(), mix, nn.SiLU(), nn.Conv2d(width, 2 * n_latents, 1))
        self.add = nn.Conv2d(n_latents, width, 1)
        self.onward = onward

    def forward(self, above: Tensor, z: Tensor) -> Tensor:
        """Add the latents for standard normal z (N, c, h, w), then apply `onward`."""
        mean, log_std = _split(self.expect(above))
        return self.onward(above + self.add(mean + log_std.exp() * z))  # type: ignore[no-any-return]

    def posterior(self, above: Tensor, seen: Tensor, noise: Noise) -> Posterior:
        """The posterior of the latents, given the encoder stage's features of an image (`seen`)."""
        mean, log_std = _split(self.suggest(above + seen))
        return Posterior(mean, log_std, mean + log_std.exp() * noise(mean))


class Ladder(nn.Module):
    """A variational autoencoder for binary images, conditional on their class if it has classes.

    stages: of the encoder; the first takes images (N, C, H, W), each other the output of the one before.
    blocks: the latent blocks from top to bottom; the last one outputs pixel logits. width: input channels of
    the first block. n_classes: 0 for an unconditional model: it then has one class that all images share.
    In all methods: images (N, C, H, W) of 0 and 1; labels are class numbers (N,) or class weights
    (N, n_classes), one-hot or a blend; an unconditional model takes any class numbers, None, or rows of one
    1.
    """

    def __init__(
        self, stages: list[nn.Module], blocks: list[LatentBlock], *, width: int, n_classes: int
    ) -> None:
        super().__init__()
        self.n_classes = max(n_classes, 1)
        self.start = nn.Linear(self.n_classes, width, bias=False)
        self.floors, self.rungs = nn.ModuleList(stages), nn.ModuleList(blocks)
        self.shapes = [block.shape for block in blocks]
        glorot(self)

    @property
    def n_latents(self) -> int:
        """The number of latents of one image."""
        return sum(map(prod, self.shapes))

    def example_inputs(self, image_shape: ImageShape) -> tuple[Tensor, Tensor]:
        """One image of zeros and its label."""
        return torch.zeros(1, *image_shape), torch.zeros(1, dtype=torch.int64)

    def forward(self, inputs: tuple[Tensor, Tensor | None]) -> LadderOutput:
        """Images and labels -> pixel logits, and the KL divergence of each latent block.

        Samples the latents from PyTorch's global generator, in evaluation mode too.
        """
        images, labels = inputs
        logits, posteriors = self._decode(self._encode(images), self._rows(labels, images), torch.randn_like)
        return LadderOutput(logits, torch.stack([posterior.kl_nats() for posterior in posteriors], dim=1))

    def encode(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """The posterior means of images' latents, (N, n_latents), as `decode` takes them; deterministic."""
        posteriors = self._decode(self._encode(images), self._rows(labels, images), torch.zeros_like)[1]
        return torch.cat([posterior.mean.flatten(1) for posterior in posteriors], dim=1)

    def decode(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Generate: standard normal latents (N, n_latents) -> pixel logits (N, C, H, W); deterministic."""
        made = self.start(self._rows(labels, latents))[:, :, None, None]
        parts = torch.split(latents, [prod(shape) for shape in self.shapes], dim=1)
        for block, part, shape in zip(self.rungs, parts, self.shapes, strict=True):
            made = block(made, part.reshape(-1, *shape))
        return made  # type: ignore[no-any-return]

    def log_weights(
        self, images: Tensor, labels: Tensor | None = None, *, n_samples: int = 1,
        generator: torch.Generator | None = None,
    ) -> Tensor:  # fmt: skip
        """log p(image, latents | label) - log q(latents | image, label) in nats, (N, n_samples).

        The latents are sampled from the posterior. The mean is a lower bound of log p(image | label);
        evaluation/likelihood.py computes tighter bounds. generator: on the images' device; PyTorch's global
        one by default.
        """

        def noise(like: Tensor) -> Tensor:
            return torch.randn(like.shape, generator=generator, device=like.device)

        seen = [each.repeat_interleave(n_samples, dim=0) for each in self._encode(images)]
        targets = images.repeat_interleave(n_samples, dim=0)
        rows = self._rows(labels, images).repeat_interleave(n_samples, dim=0)
        logits, posteriors = self._decode(seen, rows, noise)
        total = -pixel_nats(logits, targets)
        for posterior in posteriors:
            total = total + posterior.log_ratio()
        return total.view(len(images), n_samples)

    def _rows(self, labels: Tensor | None, like: Tensor) -> Tensor:
        """Labels as class weights (N, K)."""
        if labels is not None and labels.ndim == 2:
            return labels
        if self.n_classes == 1:
            return torch.ones(len(like), 1, device=like.device)
        if labels is None:
            raise ArgumentError(f"this model generates {self.n_classes} classes: say which (labels).")
        return F.one_hot(labels, self.n_classes).to(torch.float32)

    def _encode(self, images: Tensor) -> list[Tensor]:
        """Each encoder stage's features of the images, from the first stage to the last."""
        seen = []
        for stage in self.floors:
            images = stage(images)
            seen.append(images)
        return seen

    def _decode(self, seen: list[Tensor], rows: Tensor, noise: Noise) -> tuple[Tensor, list[Posterior]]:
        """Pixel logits, and the posterior of each latent block, from top to bottom."""
        made, posteriors = self.start(rows)[:, :, None, None], []
        for block in self.rungs:
            posteriors.append(block.posterior(made, seen[block.stage], noise))  # type: ignore[operator,index]
            made = block(made, posteriors[-1].sample)
        return made, posteriors


class Decoder(nn.Module):
    """The decoder as its own module: the part that is exported to ONNX."""

    def __init__(self, model: Ladder) -> None:
        super().__init__()
        self.model = model

    def example_inputs(self, _: ImageShape) -> tuple[Tensor, Tensor]:
        """Latents and class weights of one image."""
        return torch.zeros(1, self.model.n_latents), torch.eye(self.model.n_classes)[:1]

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Standard normal latents (N, n_latents), class weights (N, K) -> images (N, C, H, W) in [0, 1]."""
        return self.model.decode(latents, labels).sigmoid()


def pixel_nats(logits: Tensor, images: Tensor) -> Tensor:
    """The reconstruction loss: -log p(image | latents) in nats, (N,), given the pixels' logits."""
    return F.binary_cross_entropy_with_logits(logits.float(), images, reduction="none").flatten(1).sum(1)


def _split(both: Tensor) -> tuple[Tensor, Tensor]:
    """Means and bounded log standard deviations, always in float32."""
    mean, raw = both.float().chunk(2, dim=1)
    return mean, _LARGEST_LOG_STD * torch.tanh(raw / _LARGEST_LOG_STD)


def check_counts(name: str, condition: str, **counts: int) -> None:
    """Raise ArgumentError if a count is below 1 or the condition is unknown."""
    for setting, count in counts.items():
        if count < 1:
            raise ArgumentError(f"model {name!r}: {setting} must be 1 or more, not {count}.")
    if condition not in CONDITIONS:
        raise ArgumentError(f"model {name!r}: condition must be label or no, not {condition!r}.")
