"""Noises of single pixels and of contrast, and things that cover the digits."""

from __future__ import annotations

import numpy as np

from legible.noise import NOISES, check_setting
from legible.noise.chunks import in_chunks


@NOISES.register("gaussian", none="0")
def gaussian(images: np.ndarray, rng: np.random.Generator, *, std: float = 0.5) -> np.ndarray:
    """Add Gaussian noise of equal strength everywhere, as a sensor's electronics do: x + std * n.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out:
    clipped, so that at std 0.5 on white paper half of the pixels stay exactly 0.
    std: 0 to 10, n is drawn from N(0, 1) for every pixel. Raises ArgumentError, InputError.
    """
    check_setting("noise 'gaussian': std", std, 0, 10)

    return in_chunks(images, rng, lambda part, rng: add_gaussian_noise(part, rng, std))


def add_gaussian_noise(part: np.ndarray, rng: np.random.Generator, std: float | np.ndarray) -> np.ndarray:
    """`gaussian` before clipping. std: one number, or one for each image (N, 1, 1, 1) float32."""
    noisy = rng.standard_normal(part.shape, dtype=np.float32)
    noisy *= std
    noisy += part
    return noisy


@NOISES.register("salt-and-pepper", none="0")
def salt_and_pepper(images: np.ndarray, rng: np.random.Generator, *, level: float = 0.4) -> np.ndarray:
    """Replace pixels with pure paper or pure ink, as dead pixels and dust do.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    level: the probability, 0 to 1, that a pixel is replaced; 0 and 1 are equally probable.
    Raises ArgumentError, InputError.
    """
    check_setting("noise 'salt-and-pepper': level", level, 0, 1)

    return in_chunks(images, rng, lambda part, rng: replace_pixels(part, rng, level))


def replace_pixels(part: np.ndarray, rng: np.random.Generator, level: float | np.ndarray) -> np.ndarray:
    """`salt-and-pepper` in one chunk. level: one number, or one for each image (N, 1, 1, 1) float32."""
    draw = rng.random(part.shape, dtype=np.float32)
    replaced = part.copy()
    np.copyto(replaced, 1, where=draw < level)
    np.copyto(replaced, 0, where=draw < level / 2)
    return replaced


@NOISES.register("poisson")
def poisson(images: np.ndarray, rng: np.random.Generator, *, peak: float = 1.0) -> np.ndarray:
    """Add shot noise, as a camera in poor light does: Poisson(peak * x) / peak.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out: clipped.
    peak: photons from solid ink, 0.01 to 1,000,000; fewer photons mean more noise. Ink counts as light, as in
    MNIST-C, so paper stays 0. Raises ArgumentError, InputError.
    """
    check_setting("noise 'poisson': peak", peak, 0.01, 1e6)

    def change(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return rng.poisson(part * peak).astype(np.float32) / np.float32(peak)

    return in_chunks(images, rng, change)


@NOISES.register("speckle", none="0")
def speckle(images: np.ndarray, rng: np.random.Generator, *, std: float = 1.0) -> np.ndarray:
    """Add noise in proportion to the ink, as in worn or unevenly inked strokes: x + x * std * n.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out: clipped.
    std: 0 to 10, n is drawn from N(0, 1) for every pixel; paper stays 0. Raises ArgumentError, InputError.
    """
    check_setting("noise 'speckle': std", std, 0, 10)

    def change(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        noisy = rng.standard_normal(part.shape, dtype=np.float32)
        noisy *= std
        noisy += 1
        noisy *= part
        return noisy

    return in_chunks(images, rng, change)


@NOISES.register("low-contrast", none="1", is_random=False)
def low_contrast(images: np.ndarray, rng: np.random.Generator, *, contrast: float = 0.2) -> np.ndarray:
    """Reduce contrast towards mid-grey, as in a faded page: 0.5 + contrast * (x - 0.5).

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    contrast: 1 changes nothing, 0 leaves plain grey. Raises ArgumentError, InputError.
    """
    check_setting("noise 'low-contrast': contrast", contrast, 0, 1)
    return in_chunks(images, rng, lambda part, rng: part * contrast + (1 - contrast) / 2)


@NOISES.register("fog", none="0")
def fog(
    images: np.ndarray, rng: np.random.Generator, *, density: float = 0.7, octaves: int = 3
) -> np.ndarray:
    """Blend each image with a random cloud, like fog or damp: (1 - density) * x + density * cloud.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    density: 0 shows only the image, 1 only the cloud. octaves: 1 to 8; the finest detail is 1 / 2**octaves
    of the image wide. A cloud ranges from 0 to 1 and is the same in all channels.
    Raises ArgumentError, InputError. Source: docs/noise.md.
    """
    check_setting("noise 'fog': density", density, 0, 1)
    check_setting("noise 'fog': octaves", octaves, 1, 8)
    height, width = images.shape[-2:]

    def change(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        cloud = np.zeros((len(part), 2, 2), np.float32)
        for octave in range(1, octaves + 1):
            n_nodes = 2**octave + 1
            cloud = _resize(cloud, n_nodes, n_nodes)
            cloud += rng.random(cloud.shape, dtype=np.float32) * 0.5**octave
        cloud = _resize(cloud, height, width)
        cloud -= cloud.min(axis=(1, 2), keepdims=True)
        cloud /= np.maximum(cloud.max(axis=(1, 2), keepdims=True), 1e-6)  # an image of one pixel has no range
        return (1 - density) * part + (density * cloud)[:, None]

    return in_chunks(images, rng, change)


@NOISES.register("occlusion", none="0")
def occlusion(images: np.ndarray, rng: np.random.Generator, *, side_px: int = 8) -> np.ndarray:
    """Erase a square of each image, as a hole, a label or correction fluid does.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    side_px: of the square, 0 to 10,000; its position is drawn uniformly, fully inside the image; a square
    larger than the image covers it. Raises ArgumentError, InputError.
    """
    check_setting("noise 'occlusion': side_px", side_px, 0, 10_000)

    def change(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n, _, height, width = part.shape
        top = rng.integers(max(height - side_px, 0), size=(n, 1, 1, 1), endpoint=True)
        left = rng.integers(max(width - side_px, 0), size=(n, 1, 1, 1), endpoint=True)
        rows, columns = np.arange(height)[:, None], np.arange(width)
        hidden = ((top <= rows) & (rows < top + side_px)) & ((left <= columns) & (columns < left + side_px))
        return np.where(hidden, np.float32(0), part)

    return in_chunks(images, rng, change)


@NOISES.register("stripes", none="0")
def stripes(
    images: np.ndarray,
    rng: np.random.Generator,
    *,
    darkness: float = 0.8,
    width_px: int = 1,
    period_px: int = 4,
) -> np.ndarray:
    """Draw regular stripes over each image, as a faulty scanner does: x + darkness * (1 - x).

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    darkness: of the stripes, 0 (none) to 1 (solid ink). width_px: 1 to period_px. period_px: from one
    stripe to the next, 1 to 10,000. Direction (horizontal or vertical) and offset are drawn for each image.
    Raises ArgumentError, InputError.
    """
    check_setting("noise 'stripes': darkness", darkness, 0, 1)
    check_setting("noise 'stripes': period_px", period_px, 1, 10_000)
    check_setting("noise 'stripes': width_px", width_px, 1, period_px)

    def change(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n, _, height, width = part.shape
        start = rng.integers(period_px, size=(n, 1, 1, 1))
        is_horizontal = rng.random((n, 1, 1, 1)) < 0.5
        rows, columns = np.arange(height)[:, None], np.arange(width)
        place = np.where(is_horizontal, (rows + start) % period_px, (columns + start) % period_px)
        return np.where(place < width_px, part + darkness * (1 - part), part)

    return in_chunks(images, rng, change)


def _resize(grids: np.ndarray, height: int, width: int) -> np.ndarray:
    """Scale grids (n, h, w) to (n, height, width) bilinearly, with aligned corners."""

    def weights(size: int, n_nodes: int) -> np.ndarray:
        place = np.linspace(0, n_nodes - 1, size)[:, None]
        return np.maximum(0, 1 - abs(place - np.arange(n_nodes))).astype(np.float32)

    resized: np.ndarray = weights(height, grids.shape[1]) @ grids @ weights(width, grids.shape[2]).T
    return resized
