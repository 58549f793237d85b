"""Process many images in chunks that fit into the processor's cache, on all cores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from legible.cores import count_cores
from legible.images import check_images
from legible.memory import keep_freed_memory

CHUNK_PIXELS = 2**17  # half a megabyte of float32: larger chunks miss the cache, smaller have more overhead

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def in_chunks(images: np.ndarray, rng: np.random.Generator, change: Change) -> np.ndarray:
    """Change all images, a chunk at a time, and clip the result to [0, 1].

    images: (N, C, H, W) float32 in [0, 1]; not changed. change: takes a chunk, which it must not write to,
    and a generator; returns a new chunk of the same shape.
    The result does not depend on the number of cores: chunks have a fixed size, and each has its own
    generator, seeded by one draw from `rng`. Raises InputError if shape, dtype or range are wrong.
    """
    check_images(images)
    keep_freed_memory()
    noisy = np.empty(images.shape, np.float32)
    size = max(1, CHUNK_PIXELS // images[0].size)
    starts = range(0, len(images), size)
    seeds = np.random.SeedSequence(rng.integers(2**32, size=4, dtype=np.uint32).tolist()).spawn(len(starts))

    def change_one(start: int, seed: np.random.SeedSequence) -> None:
        part = slice(start, start + size)
        changed = change(images[part], np.random.Generator(np.random.SFC64(seed)))
        np.clip(changed, 0, 1, out=noisy[part])

    if len(starts) == 1:  # such as one training batch: a pool would cost more than it saves
        change_one(0, seeds[0])
        return noisy
    with ThreadPoolExecutor(count_cores()) as pool:
        list(pool.map(change_one, starts, seeds))  # list: an error in a thread is raised here
    return noisy


def on_each(images: np.ndarray, rng: np.random.Generator, change: Change, *, unchanged: bool) -> np.ndarray:
    """Change each image (C, H, W) on its own, in chunks; unchanged: return copies of the images."""

    def change_all(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return part if unchanged else np.stack([change(image, rng) for image in part])

    return in_chunks(images, rng, change_all)
