"""The task of a variational autoencoder: learn to generate images.

A likelihood in nats needs images of 0 and 1: the noise `binary`, new each time an image is used (the
literature's *dynamic* binarisation) or applied once (*static*).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from legible.errors import ArgumentError
from legible.models.vae import Ladder, LadderOutput, pixel_nats
from legible.noise import check_setting
from legible.seeds import seed_for
from legible.training.augment import augment as augment_images
from legible.training.tasks import TASKS, RandomStreams, Task, add_noise_to_batch


@dataclass(frozen=True)
class Generate:
    """Learn to generate images like the training images: the evidence lower bound, with free bits.

    noise, augment: as for Classify; `binary` is the usual noise. free_nats: the KL divergence that each
    latent block may have at no cost, averaged over the batch; without it, blocks that are of no use in the
    first epochs stay unused. Source: Kingma et al., "Improved Variational Inference with Inverse
    Autoregressive Flow", 2016.
    """

    loss_name: ClassVar[str] = "loss_nats"
    score_name: ClassVar[str] = "elbo_nats"
    noise: tuple[str, ...] = ()
    augment: tuple[str, ...] = ()
    free_nats: float = 0.5
    n_samples: int = 10

    def pair(
        self, images: Tensor, labels: Tensor, streams: RandomStreams
    ) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """Inputs are images and labels; targets are the same images."""
        images = add_noise_to_batch(
            augment_images(images, streams.augment, self.augment), self.noise, streams
        )
        return (images, labels), images

    def loss(self, outputs: LadderOutput, targets: Tensor) -> Tensor:
        """Nats per image, the mean over the batch; a block's KL divergence counts as free_nats at least."""
        kl_nats = outputs.kl_nats.mean(0).clamp(min=self.free_nats).sum()
        return pixel_nats(outputs.logits, targets).mean() + kl_nats

    def score(self, outputs: LadderOutput, targets: Tensor) -> Tensor:
        """The negative evidence lower bound in nats, the sum over the batch, without free nats."""
        return pixel_nats(outputs.logits, targets).sum() + outputs.kl_nats.sum()


@TASKS.register("generate", kind="generate", quick="generate:samples=10")
def generate(
    noise: tuple[str, ...],
    augment: tuple[str, ...],
    label_smoothing: float,
    *,
    free_nats: float = 0.5,
    samples: int = 10,
) -> Task:
    """Generate new images like the training images.

    free_nats: the KL divergence that each layer of latents may have at no cost. samples: number of latent
    samples for the bound of each test image; published figures use 500 or more.
    """
    if label_smoothing:
        raise ArgumentError("task 'generate' has no labels to smooth; leave label_smoothing at 0.")
    check_setting("task 'generate': free_nats", free_nats, 0, 100)
    check_setting("task 'generate': samples", samples, 1, 1_000_000)
    return Generate(noise, augment, free_nats, samples)


def importance_sampler(
    model: Ladder, *, seed: int, first: int = 0
) -> Callable[[np.ndarray, np.ndarray, int], np.ndarray]:
    """A function for `importance_weighted_bound`: images, labels and n -> n log weights each, (N, n) float32.

    Each call samples its latents from its own random stream, determined by `seed` and the number of earlier
    calls, in evaluation mode and float32. first: the number of its first call, to continue after the calls of
    another such function.
    """
    device = next(model.parameters()).device
    generator, numbers = torch.Generator(device), count(first)

    def log_weights(images: np.ndarray, labels: np.ndarray, n_samples: int) -> np.ndarray:
        model.eval()
        generator.manual_seed(seed_for("latents", seed, next(numbers)))
        with torch.inference_mode():
            shown, classes = torch.from_numpy(images).to(device), torch.from_numpy(labels).to(device)
            weights = model.log_weights(shown, classes, n_samples=n_samples, generator=generator)
        return np.asarray(weights.cpu().numpy())

    return log_weights


def image_generator(model: Ladder) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    """A function that generates images: class numbers (N,) and an rng -> (N, C, H, W) in [0, 1]."""
    device = next(model.parameters()).device

    def generate_images(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        model.eval()
        latents = torch.from_numpy(rng.standard_normal((len(labels), model.n_latents), dtype=np.float32))
        parts = zip(torch.split(latents, 1000), torch.split(torch.from_numpy(labels), 1000), strict=True)
        with torch.inference_mode():
            generated = [model.decode(z.to(device), k.to(device)).sigmoid().float().cpu() for z, k in parts]
        return torch.cat(generated).numpy()

    return generate_images
