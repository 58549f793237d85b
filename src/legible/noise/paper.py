"""Noises of paper: stains, folds, shadows, print. Sizes are relative to the page's shorter side."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from legible.noise import NOISES, check_setting
from legible.noise.chunks import on_each

Layer = Callable[[tuple[int, int], np.random.Generator], np.ndarray]  # (height, width) -> darkness (H, W)


@NOISES.register("stains", none="0")
def stains(
    images: np.ndarray, rng: np.random.Generator, *, darkness: float = 0.5, count: int = 3
) -> np.ndarray:
    """Darken each page with soft blots with uneven edges, as coffee, grease and damp leave.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    darkness: 0 to 1, of the paper in the middle of the darkest blot. count: 1 to 100 blots on a page, each
    with a radius of 5 to 35 % of the page's shorter side. Raises ArgumentError, InputError.
    """
    check_setting("noise 'stains': darkness", darkness, 0, 1)
    check_setting("noise 'stains': count", count, 1, 100)

    def draw(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        depth = np.zeros(size, np.float32)
        for _ in range(int(count)):
            distance, radius = _blot(size, rng, 0.05, 0.35)
            inside = 1 / (1 + np.exp(np.clip((distance - radius) / (0.04 * radius + 0.5), -30, 30)))
            rim = np.exp(-np.square((distance - radius) / (0.06 * radius + 1)))
            strength = rng.uniform(0.3, 1)
            np.maximum(depth, strength * (0.6 * inside + 0.4 * rim), out=depth)
        answer: np.ndarray = depth * cloud(size, rng, 0.15, low=0.6)
        return answer

    return _darken(images, rng, darkness, draw)


@NOISES.register("rings", none="0")
def rings(
    images: np.ndarray, rng: np.random.Generator, *, darkness: float = 0.4, count: int = 2
) -> np.ndarray:
    """Add the rings of wet cups to each page, with gaps.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    darkness: 0 to 1, of the paper under the darkest part of a ring. count: 1 to 100 rings on a page, each
    with a radius of 10 to 50 % of the page's shorter side. Raises ArgumentError, InputError.
    """
    check_setting("noise 'rings': darkness", darkness, 0, 1)
    check_setting("noise 'rings': count", count, 1, 100)

    def draw(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        depth = np.zeros(size, np.float32)
        for _ in range(int(count)):
            distance, radius = _blot(size, rng, 0.1, 0.5, unevenness=0.02)
            width = max(0.7, radius * rng.uniform(0.02, 0.08))
            ring = np.exp(-np.square((distance - radius) / width))
            np.maximum(depth, ring * rng.uniform(0.5, 1) * cloud(size, rng, 0.3), out=depth)
        return depth

    return _darken(images, rng, darkness, draw)


@NOISES.register("creases", none="0")
def creases(
    images: np.ndarray, rng: np.random.Generator, *, strength: float = 0.3, count: int = 4
) -> np.ndarray:
    """Add folds to each page: thin lines, light on one side and dark on the other, with worn ink.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    strength: 0 to 1, of light and dark. count: 1 to 100 folds on a page. Raises ArgumentError, InputError.
    """
    check_setting("noise 'creases': strength", strength, 0, 1)
    check_setting("noise 'creases': count", count, 1, 100)

    def change(page: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        size, short = page.shape[1:], min(page.shape[1:])
        relief = np.zeros(size, np.float32)
        wear = np.zeros(size, np.float32)
        for _ in range(int(count)):
            across = _across_line(size, rng) + short * 0.01 * (cloud(size, rng, 0.1) - 0.5)
            width = max(0.6, short * rng.uniform(0.001, 0.006))
            fold, wide = np.exp(-np.square(across / width)), np.exp(-np.abs(across) / (8 * width))
            relief += np.sign(across) * wide * rng.uniform(0.2, 1) + fold * rng.uniform(-1, 1)
            wear = np.maximum(wear, fold * rng.uniform(0, 1))
        ink = page * (1 - strength * wear)
        return _shade(ink, 1 - strength * np.clip(relief, -1, 1))

    return on_each(images, rng, change, unchanged=strength == 0)


@NOISES.register("wrinkles", none="0")
def wrinkles(images: np.ndarray, rng: np.random.Generator, *, strength: float = 0.4) -> np.ndarray:
    """Crumple each page and flatten it: facets of paper that reflect light differently.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    strength: 0 to 1, of light and dark. Raises ArgumentError, InputError.
    """
    check_setting("noise 'wrinkles': strength", strength, 0, 1)

    def change(page: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        size = page.shape[1:]
        height = np.zeros(size, np.float32)
        for scale in (0.3, 0.15, 0.08):
            ridged = 1 - np.abs(2 * cloud(size, rng, scale) - 1)  # sharp where the cloud is 0.5
            height += scale * ridged
        down, across = (_slope(height, axis) for axis in (0, 1))
        angle = rng.uniform(0, 2 * np.pi)
        light = np.sin(angle) * down + np.cos(angle) * across
        light /= np.abs(light).max() + 1e-6
        return _shade(page, 1 - strength * (0.3 - light))

    return on_each(images, rng, change, unchanged=strength == 0)


@NOISES.register("shade", none="0")
def shade(images: np.ndarray, rng: np.random.Generator, *, darkness: float = 0.5) -> np.ndarray:
    """Light each page unevenly: grey paper, darker towards one side, as in the gutter of a book.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    darkness: 0 to 1, of the paper where it is darkest. Raises ArgumentError, InputError.
    """
    check_setting("noise 'shade': darkness", darkness, 0, 1)

    def draw(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        across = _across_line(size, rng)
        ramp = (across - across.min()) / (np.ptp(across) + 1e-6)
        gutter = ramp ** rng.uniform(1, 8)
        answer: np.ndarray = rng.uniform(0.2, 1) * gutter + 0.4 * rng.random() * cloud(size, rng, 0.6)
        return answer

    return _darken(images, rng, darkness, draw)


@NOISES.register("shadow", none="0")
def shadow(images: np.ndarray, rng: np.random.Generator, *, darkness: float = 0.5) -> np.ndarray:
    """Cast a shadow with a soft edge over a part of each page, as a hand or a phone does.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    darkness: 0 to 1, of the paper in the shadow. Raises ArgumentError, InputError.
    """
    check_setting("noise 'shadow': darkness", darkness, 0, 1)

    def draw(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        edge = np.minimum(_across_line(size, rng), _across_line(size, rng))
        softness = min(size) * rng.uniform(0.003, 0.1) + 0.3
        answer: np.ndarray = (rng.uniform(0.5, 1) / (1 + np.exp(-np.clip(edge / softness, -30, 30)))).astype(
            np.float32
        )
        return answer

    return _darken(images, rng, darkness, draw)


@NOISES.register("bleed-through", none="0")
def bleed_through(images: np.ndarray, rng: np.random.Generator, *, strength: float = 0.3) -> np.ndarray:
    """Show the other side of each sheet through the paper: the page itself, mirrored, shifted and blurred.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    strength: 0 to 1, how dark the ink of the other side is. Raises ArgumentError, InputError.
    """
    check_setting("noise 'bleed-through': strength", strength, 0, 1)

    def change(page: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        size = page.shape[1:]
        moved = np.roll(page[:, :, ::-1], rng.integers(0, size).tolist(), axis=(1, 2))
        blur_px = max(0.3, min(size) * rng.uniform(0.001, 0.004))
        behind = np.stack([cv2.GaussianBlur(np.ascontiguousarray(ink), (0, 0), blur_px) for ink in moved])
        return _shade(page, 1 - strength * behind * cloud(size, rng, 0.3, low=0.3))

    return on_each(images, rng, change, unchanged=strength == 0)


@NOISES.register("ruled", none="0")
def ruled(images: np.ndarray, rng: np.random.Generator, *, darkness: float = 0.4) -> np.ndarray:
    """Put printed paper under each page: lines, squares, dots or waves, slightly rotated.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    darkness: 0 to 1, of the print. Raises ArgumentError, InputError.
    """
    check_setting("noise 'ruled': darkness", darkness, 0, 1)

    def draw(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        period = max(2.0, min(size) * rng.uniform(0.02, 0.15))
        angle = rng.normal(0, 0.01)
        down, right = np.mgrid[: size[0], : size[1]].astype(np.float32)
        down, right = down + angle * right, right - angle * down
        width = max(0.8, period * rng.uniform(0.02, 0.08))
        lines, columns = (_stripes(where, period, width, rng) for where in (down, right))
        waves = (0.5 + 0.5 * np.sin(down * 6 / period)) * (0.5 + 0.5 * np.sin(right * 6 / period))
        kinds = (lines, np.maximum(lines, columns), lines * columns, waves)
        return kinds[rng.integers(len(kinds))] * rng.uniform(0.4, 1)

    return _darken(images, rng, darkness, draw)


@NOISES.register("faded", none="0")
def faded(images: np.ndarray, rng: np.random.Generator, *, loss: float = 0.6) -> np.ndarray:
    """Fade and break strokes: ink becomes pale in cloudy areas, with small holes where it is palest.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    loss: 0 to 1, of the ink where it is palest. Raises ArgumentError, InputError.
    """
    check_setting("noise 'faded': loss", loss, 0, 1)

    def change(page: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        size = page.shape[1:]
        thin = cloud(size, rng, 0.3)
        grains = np.maximum(0, cloud(size, rng, 0.004) - 0.75 + 0.5 * thin) * 2
        answer: np.ndarray = page * (1 - loss * np.clip(0.2 + 0.6 * thin + grains, 0, 1))
        return answer

    return on_each(images, rng, change, unchanged=loss == 0)


def cloud(size: tuple[int, int], rng: np.random.Generator, scale: float, *, low: float = 0.0) -> np.ndarray:
    """A smooth random field (H, W) float32 between `low` and 1.

    scale: size of its lumps, as a share of the shorter side.
    """
    lump = max(1.0, scale * min(size))
    nodes = [int(np.ceil(side / lump)) + 3 for side in size]
    field = cv2.resize(
        rng.random(nodes, dtype=np.float32), None, fx=lump, fy=lump, interpolation=cv2.INTER_CUBIC
    )
    top, left = (int(rng.integers(0, int(lump) + 1)) for _ in range(2))
    field = np.clip(field[top : top + size[0], left : left + size[1]], 0, 1)
    return (low + (1 - low) * field).astype(np.float32)


def _darken(images: np.ndarray, rng: np.random.Generator, darkness: float, draw: Layer) -> np.ndarray:
    """Darken each page, as ink does, by darkness * draw(size, rng), an array (H, W) in [0, 1]."""

    def change(page: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return _shade(page, 1 - darkness * draw((page.shape[1], page.shape[2]), rng).clip(0, 1))

    return on_each(images, rng, change, unchanged=darkness == 0)


def _shade(page: np.ndarray, light: np.ndarray) -> np.ndarray:
    """A page (C, H, W) with its reflected light multiplied by `light` (H, W)."""
    answer: np.ndarray = (1 - (1 - page) * light).astype(np.float32)
    return answer


def _blot(
    size: tuple[int, int], rng: np.random.Generator, least: float, most: float, unevenness: float = 0.15
) -> tuple[np.ndarray, float]:
    """The distance (H, W) from a random point, distorted by a cloud, and a random radius.

    least, most: of the radius, as shares of the shorter side.
    """
    radius = max(1.0, min(size) * rng.uniform(least, most))
    y, x = (rng.uniform(-0.1, 1.1) * side for side in size)
    down, right = np.ogrid[: size[0], : size[1]]
    distance = np.hypot((down - y) * rng.uniform(0.7, 1.4), right - x)
    return distance * (1 + unevenness * (cloud(size, rng, 0.08) - 0.5)), radius


def _across_line(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The distance (H, W) in pixels from a random straight line through the page, negative on one side."""
    angle = rng.choice([0, np.pi / 2]) + rng.normal(0, 0.4)
    y, x = (rng.random() * side for side in size)
    down, right = np.ogrid[: size[0], : size[1]]
    across: np.ndarray = (np.cos(angle) * (down - y) + np.sin(angle) * (right - x)).astype(np.float32)
    return across


def _slope(height: np.ndarray, axis: int) -> np.ndarray:
    return np.gradient(height, axis=axis) if height.shape[axis] > 1 else np.zeros_like(height)


def _stripes(where: np.ndarray, period: float, width: float, rng: np.random.Generator) -> np.ndarray:
    """Lines with soft edges, `width` px wide and `period` px apart, at coordinates `where` (H, W)."""
    distance = np.abs((where + rng.uniform(0, period)) % period - period / 2)
    return np.clip(width / 2 + 0.5 - distance, 0, 1)
