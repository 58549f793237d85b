"""Noises of scanning and storage: scanner bands, dirt on the glass, compression."""

from __future__ import annotations

import cv2
import numpy as np

from legible.errors import ArgumentError
from legible.images import to_bytes
from legible.noise import NOISES, check_setting
from legible.noise.chunks import in_chunks, on_each
from legible.noise.paper import cloud


@NOISES.register("bands", none="0")
def bands(images: np.ndarray, rng: np.random.Generator, *, darkness: float = 0.3) -> np.ndarray:
    """Add the bands of a dirty scanner to each page: streaks along the page and a dark edge, slightly askew.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    darkness: 0 to 1, of the darkest band. Raises ArgumentError, InputError.
    """
    check_setting("noise 'bands': darkness", darkness, 0, 1)

    def change(page: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        _, height, width = page.shape
        streaks = np.clip(rng.standard_normal(width + height, dtype=np.float32), 0, None)
        streaks = cv2.GaussianBlur(streaks[None], (0, 0), max(0.5, min(height, width) * 0.004))[0]
        streaks[: int(rng.uniform(0, 0.1) * width)] += 1
        lean = rng.uniform(0, 0.05)
        columns = (np.arange(width) + lean * np.arange(height)[:, None]).astype(int)  # (H, W)
        depth = np.clip(streaks / (streaks.max() + 1e-6), 0, 1)[columns % len(streaks)]
        answer: np.ndarray = 1 - (1 - page) * (1 - np.float32(darkness) * depth)
        return answer

    return on_each(images, rng, change, unchanged=darkness == 0)


@NOISES.register("specks", none="0")
def specks(images: np.ndarray, rng: np.random.Generator, *, share: float = 0.01) -> np.ndarray:
    """Scatter dirt over each page: dark or light specks of one to a few pixels.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    share: 0 to 1, share of the pixels with a speck. Raises ArgumentError, InputError.
    """
    check_setting("noise 'specks': share", share, 0, 1)

    def change(page: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        size = page.shape[1:]
        seeds = (rng.random(size, dtype=np.float32) < share).astype(np.float32)
        grown = cv2.GaussianBlur(seeds, (0, 0), rng.uniform(0.3, 1.2)) * rng.uniform(1, 3)
        dark = np.clip(grown * cloud(size, rng, 0.1), 0, 1)
        answer: np.ndarray = page + dark * (1 - page) if rng.random() < 0.8 else page * (1 - dark)
        return answer

    return on_each(images, rng, change, unchanged=share == 0)


@NOISES.register("jpeg", none="100", is_random=False)
def jpeg(images: np.ndarray, rng: np.random.Generator, *, quality: int = 20) -> np.ndarray:
    """Store each page as JPEG and read it back.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    quality: 1 to 100, as in encoders; 100 leaves the page unchanged. Raises ArgumentError, InputError.
    """
    check_setting("noise 'jpeg': quality", quality, 1, 100)
    if quality != int(quality):
        raise ArgumentError(f"noise 'jpeg': quality must be a whole number, not {quality!r}.")

    def compress(plane: np.ndarray) -> np.ndarray:
        _, file = cv2.imencode(".jpg", to_bytes(1 - plane), [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
        read = cv2.imdecode(file, cv2.IMREAD_GRAYSCALE)
        assert read is not None  # it was just encoded
        return 1 - read.astype(np.float32) / 255

    def change(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        planes = part.reshape(-1, *part.shape[2:])  # (N * C, H, W)
        return np.stack([compress(plane) for plane in planes]).reshape(part.shape)

    return in_chunks(images, rng, change if quality < 100 else lambda part, rng: part)
