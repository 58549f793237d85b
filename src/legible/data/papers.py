"""Backgrounds for lines of writing, and simulated photos of them."""

from __future__ import annotations

import cv2
import numpy as np

from legible.noise import NOISES

Size = tuple[int, int]  # height, width in pixels


def draw_paper(size: Size, rng: np.random.Generator) -> np.ndarray:
    """The darkness of empty paper, plain, uneven or printed: (H, W) float32 around [0, 1], 0 = white."""
    if rng.random() < 0.25:
        return np.full(size, rng.uniform(0, 0.3), np.float32)
    height, width = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    paper = np.full(size, rng.uniform(0, 0.5) ** 1.5, np.float32)
    paper += rng.uniform(-0.1, 0.1) * x / width + rng.uniform(-0.1, 0.1) * y / height
    if rng.random() < 0.6:
        for _ in range(rng.integers(1, 4)):
            paper += _draw_waves(x, y, rng)
    if rng.random() < 0.4:
        paper += rng.uniform(0, 0.12) * _draw_clouds(size, rng)
    return paper


def draw_rules(size: Size, rng: np.random.Generator) -> np.ndarray:
    """The ruling of a form, (H, W) float32, 1 = its ink: one line, two lines, a grid, a margin or none."""
    height, width = size
    rules, kind, stroke = np.zeros(size, np.float32), rng.random() * 2, int(rng.integers(1, 3))
    rows: list[float] = []
    if kind < 0.25:
        rows = [rng.uniform(0.7, 1.0) if rng.random() < 0.75 else rng.uniform(0, 0.2)]
    elif kind < 0.35:
        rows = [rng.uniform(0, 0.2), rng.uniform(0.8, 1)]
    elif kind < 0.45:
        step = rng.uniform(10, 26)
        rows = list(np.arange(rng.uniform(0, step), height, step) / height)
        if rng.random() < 0.6:
            for column in np.arange(rng.uniform(0, step), width, step):
                cv2.line(rules, (int(column), 0), (int(column), height), 1.0, 1)
    for row in rows:
        cv2.line(rules, (0, int(row * height)), (width, int(row * height + rng.normal(0, 1.2))), 1.0, stroke)
    if rng.random() < 0.06:
        column = int(rng.choice([rng.uniform(0, 4), width - 1 - rng.uniform(0, 4)]))
        cv2.line(rules, (column, 0), (column, height), 1.0, stroke)
    return rules


def photograph(paper: np.ndarray, ink: np.ndarray, darkness: float, rng: np.random.Generator) -> np.ndarray:
    """Simulate a photo or scan of ink on paper: (H, W) float32 in [0, 1], 1 = black.

    paper, ink: (H, W). darkness: of the ink. Strokes are uneven; the picture may be of low resolution,
    blurred, noisy, or a JPEG.
    """
    height, width = ink.shape
    pressure = 1 - rng.uniform(0, 0.35) * _draw_clouds(ink.shape, rng, signed=False)
    inked = np.maximum(darkness, paper + 0.12 + 0.25 * rng.random())
    seen = paper + (inked - paper) * (ink * pressure).clip(0, 1)
    if rng.random() < 0.3:  # low resolution
        scale = rng.uniform(0.45, 0.9)
        small = cv2.resize(seen, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        seen = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        seen = cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.3, 1.1))
    if rng.random() < 0.6:
        seen = seen + rng.normal(0, rng.uniform(0.005, 0.05), seen.shape)
    taken: np.ndarray = seen.clip(0, 1).astype(np.float32)
    if rng.random() < 0.3:
        taken = NOISES.call(f"jpeg:{rng.integers(25, 90)}", taken[None, None], rng)[0, 0]
    return taken


def _draw_waves(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Fine straight or wavy lines, as security print on cheques."""
    angle = rng.uniform(-0.5, 0.5) if rng.random() < 0.7 else rng.uniform(-np.pi, np.pi)
    period, phase = rng.uniform(2.5, 9), rng.uniform(0, 6)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    across = across + rng.uniform(0, 3) * np.sin(2 * np.pi * along / rng.uniform(15, 80) + phase)
    wave = np.sin(2 * np.pi * across / period + phase)
    if rng.random() < 0.6:
        wave = (wave > rng.uniform(0.2, 0.9)).astype(np.float32)
    waves: np.ndarray = rng.uniform(0.03, 0.15) * wave
    return waves


def _draw_clouds(size: Size, rng: np.random.Generator, *, signed: bool = True) -> np.ndarray:
    """Smooth random light and dark areas: (H, W), with a std of about 1, or in [0, 1] if not signed."""
    coarse = (int(rng.integers(2, 8)), int(rng.integers(2, 16)))
    grid = rng.normal(0, 1, coarse) if signed else rng.random(coarse)
    clouds: np.ndarray = cv2.resize(grid.astype(np.float32), size[::-1], interpolation=cv2.INTER_LINEAR)
    return clouds
