"""Combined noises: random kinds and amounts, to train one net for many noises; and binarisation."""

from __future__ import annotations

import numpy as np

from legible.noise import NOISES, check_setting
from legible.noise.chunks import in_chunks, on_each
from legible.noise.pixels import add_gaussian_noise, replace_pixels

_OFFICE = {  # noises of pages with their largest amounts
    "stains": 0.7, "rings": 0.6, "creases": 0.5, "wrinkles": 0.6, "shade": 0.6, "shadow": 0.6,
    "bleed-through": 0.45, "ruled": 0.45, "bands": 0.4, "specks": 0.01,
}  # fmt: skip
_ANY = {  # noises of digits: from an amount that is barely visible to one that leaves digits just readable
    "gaussian": (0.0, 0.7), "salt-and-pepper": (0.0, 0.5), "speckle": (0.0, 1.2), "low-contrast": (1.0, 0.15),
    "fog": (0.0, 0.7), "occlusion": (1, 8), "stripes": (0.0, 0.8), "ruled": (0.0, 0.7), "faded": (0.0, 0.7),
    "shade": (0.0, 0.7), "shift": (0, 4), "rotation": (0.0, 40.0), "elastic": (0.0, 45.0),
    "gaussian-blur": (0.0, 1.8), "motion-blur": (1, 8), "jpeg": (90, 10),
}  # fmt: skip


@NOISES.register("mixed", none="0")
def mixed(
    images: np.ndarray, rng: np.random.Generator, *, most: float = 0.9, grain: float = 0.5, draws: int = 1
) -> np.ndarray:
    """Add Gaussian noise to a share of the images, salt and pepper to the rest, each in a random amount.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out: clipped.
    most: 0 to 1; the std of `gaussian` or the level of `salt-and-pepper` is drawn for each image, uniformly
    from 0 to this. grain: 0 to 1, the share of images with Gaussian noise. draws: 1 to 100; each amount is
    the mean of this many uniform draws, so more draws make medium amounts more frequent.
    Raises ArgumentError, InputError.
    """
    check_setting("noise 'mixed': most", most, 0, 1)
    check_setting("noise 'mixed': grain", grain, 0, 1)
    check_setting("noise 'mixed': draws", draws, 1, 100)

    def change(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n = len(part)
        amount = rng.random((n, draws, 1, 1), dtype=np.float32).mean(1, keepdims=True) * np.float32(most)
        is_gaussian = rng.random((n, 1, 1, 1), dtype=np.float32) < grain
        return np.where(is_gaussian, add_gaussian_noise(part, rng, amount), replace_pixels(part, rng, amount))

    return in_chunks(images, rng, change)


@NOISES.register("any", none="0")
def add_any(
    images: np.ndarray, rng: np.random.Generator, *, share: float = 1.0, at_once: int = 4
) -> np.ndarray:
    """Add noise of a random kind and amount to a share of the images; the rest stay unchanged.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    share: 0 to 1. Kinds: Gaussian noise, speckle, salt and pepper, low contrast, fading, fog, occlusion,
    stripes, ruled paper, shade, shift, rotation, elastic distortion, blurs, JPEG. at_once: 1 to 100, how many
    kinds and amounts are used in each chunk of about 160 digits. Raises ArgumentError, InputError.
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
    """Binarise at random: each pixel becomes 1 with a probability equal to its value, else 0.

    Models whose likelihood is of binary images need such input. images: (N, C, H, W) float32 in [0, 1],
    1 = ink; not changed in place. Same shape out, of 0 and 1; images of 0 and 1 are returned unchanged.
    Repeated in every epoch this is the literature's *dynamic* binarisation; done once, its *static*
    binarisation (Salakhutdinov and Murray, 2008; their random numbers differ). Raises InputError.
    """

    def change(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return (rng.random(part.shape, dtype=np.float32) < part).astype(np.float32)

    return in_chunks(images, rng, change)


@NOISES.register("office", none="0")
def office(images: np.ndarray, rng: np.random.Generator, *, dirt: float = 1.0) -> np.ndarray:
    """Wear, stain and scan each page as in an office, with random kinds and amounts.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink; not changed in place. Same shape and range out.
    dirt: 0 to 1, scales the largest amounts. The ink fades, the paper turns grey and gets up to three noises
    of paper; then the scanner blurs, adds Gaussian noise, and in 30 % of pages stores a JPEG.
    Raises ArgumentError, InputError.
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

    return on_each(images, rng, change, unchanged=dirt == 0)
