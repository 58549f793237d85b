"""Noises for a purpose: every kind and level for one net that takes whatever comes, of digits or of pages;
ink or paper for likelihoods.
"""

from __future__ import annotations

import numpy as np

from legible.noise import NOISES, check_setting
from legible.noise.chunks import in_chunks, on_each
from legible.noise.pixels import add_grain, replace_pixels

_OFFICE = {  # what may lie on a page, and its largest amount
    "stains": 0.7, "rings": 0.6, "creases": 0.5, "wrinkles": 0.6, "shade": 0.6, "shadow": 0.6,
    "bleed-through": 0.45, "ruled": 0.45, "bands": 0.4, "specks": 0.01,
}  # fmt: skip
_ANY = {  # noises of digits, from an amount that hardly shows to one that leaves them just readable
    "gaussian": (0.0, 0.7), "salt-and-pepper": (0.0, 0.5), "speckle": (0.0, 1.2), "low-contrast": (1.0, 0.15),
    "fog": (0.0, 0.7), "occlusion": (1, 8), "stripes": (0.0, 0.8), "ruled": (0.0, 0.7), "faded": (0.0, 0.7),
    "shade": (0.0, 0.7), "shift": (0, 4), "rotation": (0.0, 40.0), "elastic": (0.0, 45.0),
    "gaussian-blur": (0.0, 1.8), "motion-blur": (1, 8), "jpeg": (90, 10),
}  # fmt: skip


@NOISES.register("mixed", none="0")
def mixed(
    images: np.ndarray, rng: np.random.Generator, *, most: float = 0.9, grain: float = 0.5, draws: int = 1
) -> np.ndarray:
    """Put grain on a share of the images and salt and pepper on the rest, each at a level of its own.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out: clipped.
    most: 0 to 1; the std of the grain (`gaussian`) or the level of the dots (`salt-and-pepper`) is drawn for
    each image, evenly from 0 to this. grain: 0 to 1, the share. draws: 1 to 100; a level is the mean of so
    many even draws: more than one bring the middle levels out. Raises ArgumentError, InputError.
    """
    check_setting("noise 'mixed': most", most, 0, 1)
    check_setting("noise 'mixed': grain", grain, 0, 1)
    check_setting("noise 'mixed': draws", draws, 1, 100)

    def change(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n = len(part)
        level = rng.random((n, draws, 1, 1), dtype=np.float32).mean(1, keepdims=True) * np.float32(most)
        is_grain = rng.random((n, 1, 1, 1), dtype=np.float32) < grain
        return np.where(is_grain, add_grain(part, rng, level), replace_pixels(part, rng, level))

    return in_chunks(images, rng, change)


@NOISES.register("any", none="0")
def put_any(
    images: np.ndarray, rng: np.random.Generator, *, share: float = 1.0, at_once: int = 4
) -> np.ndarray:
    """Put a noise of some kind, at some strength, on a share of the images, and leave the rest as they are.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    share: 0 to 1. Kinds: grain, dots, fading, fog, holes, stripes, rules, shade, shifts, turns, bends, blurs,
    JPEG. at_once: 1 to 100, how many kinds and strengths there are among some 160 digits.
    Raises ArgumentError, InputError.
    """
    check_setting("noise 'any': share", share, 0, 1)
    check_setting("noise 'any': at_once", at_once, 1, 100)

    def change(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        noisy = part.copy()
        chosen = np.flatnonzero(rng.random(len(part)) < share)
        for group in np.array_split(rng.permutation(chosen), at_once):
            name = str(rng.choice(list(_ANY)))
            low, high = _ANY[name]
            amount = low + (high - low) * rng.random()
            if len(group):
                exact = round(amount) if isinstance(low, int) else amount
                noisy[group] = NOISES.call(f"{name}:{exact:g}", part[group], rng)
        return noisy

    return in_chunks(images, rng, change)


@NOISES.register("binary")
def binary(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make each pixel pure ink or pure paper, ink as often as it is dark, as likelihoods in nats want them.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape out, of 0 and 1;
    images of 0 and 1 come back as they are. Drawn anew at every showing it is the literature's *dynamic*
    binarisation, drawn once its *static* one (Salakhutdinov and Murray, 2008, though not with their draw).
    Raises InputError.
    """

    def change(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return (rng.random(part.shape, dtype=np.float32) < part).astype(np.float32)

    return in_chunks(images, rng, change)


@NOISES.register("office", none="0")
def office(images: np.ndarray, rng: np.random.Generator, *, dirt: float = 1.0) -> np.ndarray:
    """Wear, dirty and scan each page as an office does: one to four things of each, at any strength.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    dirt: 0 to 1, how strong things may be at most. Ink fades, up to three noises of paper lie on it, then the
    scanner blurs, adds grain, and now and then stores it as a JPEG. Raises ArgumentError, InputError.
    """
    check_setting("noise 'office': dirt", dirt, 0, 1)

    def change(page: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        strength = rng.random(4) * dirt
        page = page[None] * np.float32(1 - 0.4 * strength[0])
        if rng.random() < 0.2:
            page = NOISES.call(f"faded:{0.8 * rng.random() * dirt:g}", page, rng)
        page = 1 - (1 - page) * np.float32(1 - 0.35 * strength[1])  # grey paper
        for name in rng.choice(list(_OFFICE), size=rng.integers(0, 4), replace=False):
            page = NOISES.call(f"{name}:{_OFFICE[name] * rng.random() * dirt:g}", page, rng)
        page = NOISES.call(f"gaussian-blur:{0.8 * strength[2]:g}", page, rng)
        page = NOISES.call(f"gaussian:{0.06 * strength[3]:g}", page, rng)
        if rng.random() < 0.3:
            page = NOISES.call(f"jpeg:{100 - round(80 * rng.random() * dirt)}", page, rng)
        answer: np.ndarray = page[0]
        return answer

    return on_each(images, rng, change, none=dirt == 0)
