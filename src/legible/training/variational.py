"""Learning to draw: the task of a variational autoencoder.

A likelihood in nats needs images of 0 and 1: the noise `binary`, drawn anew at every showing (the
literature's *dynamic* binarisation) or once (*static*).
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
from legible.models.vae import Drawing, Ladder, pixel_nats
from legible.noise import check_setting
from legible.seeds import seed_for
from legible.training.augment import augment as augment_images
from legible.training.tasks import TASKS, Draws, Task, put_noise


@dataclass(frozen=True)
class Draw:
    """Learn to draw images like those shown: the evidence lower bound, with free bits.

    noise, augment: as for Classify, `binary` for one. free_nats: what the latents of each rung may tell of an
    image, on average over the batch, at no cost; without any, rungs that are of no use in the first epochs
    are given up for good. Source: Kingma et al., "Improved Variational Inference with Inverse
    Autoregressive Flow", 2016.
    """

    loss_name: ClassVar[str] = "loss_nats"
    score_name: ClassVar[str] = "elbo_nats"
    noise: tuple[str, ...] = ()
    augment: tuple[str, ...] = ()
    free_nats: float = 0.5
    n_samples: int = 10

    def pair(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """Images with their labels, and the same images as the target."""
        images = put_noise(augment_images(images, draws.augment, self.augment), self.noise, draws)
        return (images, labels), images

    def loss(self, outputs: Drawing, targets: Tensor) -> Tensor:
        """Nats an image, the mean over the batch; a rung below its free nats counts as if it used them."""
        kl_nats = outputs.kl_nats.mean(0).clamp(min=self.free_nats).sum()
        return pixel_nats(outputs.logits, targets).mean() + kl_nats

    def score(self, outputs: Drawing, targets: Tensor) -> Tensor:
        """The negative evidence lower bound in nats, the sum over the batch, with the whole KL."""
        return pixel_nats(outputs.logits, targets).sum() + outputs.kl_nats.sum()


@TASKS.register("draw", kind="vae")
def draw(
    noise: tuple[str, ...],
    augment: tuple[str, ...],
    label_smoothing: float,
    *,
    free_nats: float = 0.5,
    samples: int = 10,
) -> Task:
    """Draw new images like those shown.

    free_nats: what each layer of latents may tell at no cost. samples: for each test image, of the bound
    that it is judged by at last; published figures have 500 and more.
    """
    if label_smoothing:
        raise ArgumentError("task 'draw' has no labels to smooth; leave label_smoothing at 0.")
    check_setting("task 'draw': free_nats", free_nats, 0, 100)
    check_setting("task 'draw': samples", samples, 1, 1_000_000)
    return Draw(noise, augment, free_nats, samples)


def weigher(
    model: Ladder, *, seed: int, first: int = 0
) -> Callable[[np.ndarray, np.ndarray, int], np.ndarray]:
    """A function for `importance_weighted_bound`: images, labels and n -> n log weights each, (N, n) float32.

    It draws the latents of each call from a stream of its own, told by `seed` and by how many calls there
    were before, in evaluation mode and float32. first: the number of its first call, where others were made
    by a function like it.
    """
    device = next(model.parameters()).device
    generator, numbers = torch.Generator(device), count(first)

    def weigh(images: np.ndarray, labels: np.ndarray, n_samples: int) -> np.ndarray:
        model.eval()
        generator.manual_seed(seed_for("latents", seed, next(numbers)))
        with torch.inference_mode():
            shown, classes = torch.from_numpy(images).to(device), torch.from_numpy(labels).to(device)
            weights = model.log_weights(shown, classes, n_samples=n_samples, generator=generator)
        return np.asarray(weights.cpu().numpy())

    return weigh


def drawer(model: Ladder) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    """A function that draws: class numbers (N,) and a generator -> grey images (N, C, H, W) in [0, 1]."""
    device = next(model.parameters()).device

    def draw_all(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        model.eval()
        numbers = torch.from_numpy(rng.standard_normal((len(labels), model.n_latents), dtype=np.float32))
        parts = zip(torch.split(numbers, 1000), torch.split(torch.from_numpy(labels), 1000), strict=True)
        with torch.inference_mode():
            drawn = [model.decode(n.to(device), k.to(device)).sigmoid().float().cpu() for n, k in parts]
        return torch.cat(drawn).numpy()

    return draw_all
