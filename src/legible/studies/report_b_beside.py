"""What report B's rows on pages are compared with: `page-cleaner`, filters and a look-up."""

from __future__ import annotations

from functools import cache

import numpy as np

from legible.cleaning.clean import load_cleaner
from legible.cleaning.cleaner import Cleaner
from legible.data import load_dataset
from legible.data.pages import read_noisy_office
from legible.evaluation.image_metrics import image_mse, mse
from legible.images import to_bytes
from legible.models.filters import FILTERS

LEAKING, HONEST = "noisy-office-random", "noisy-office"
SPLITS = {LEAKING: "at random", HONEST: "TR to VA"}


def clean_ink(cleaner: Cleaner, ink: np.ndarray) -> np.ndarray:
    """What the cleaner makes of a page's ink: (H, W) float32 in [0, 1] both, 1 = ink."""
    cleaned: np.ndarray = 1 - cleaner.clean(to_bytes(1 - ink)).image / np.float32(255)
    return cleaned


@cache
def errors_of_ours() -> dict[str, float]:
    """The MSE of `page-cleaner` on VA in its own sizes, by kind."""
    cleaner = load_cleaner()
    errors: dict[str, list[float]] = {}
    for pair in read_noisy_office():
        if pair.partition == "VA":
            cleaned = clean_ink(cleaner, pair.noisy)
            errors.setdefault(pair.kind, []).append(mse(pair.clean[None, None], cleaned[None, None]))
    return {kind: float(np.mean(found)) for kind, found in errors.items()}


@cache
def errors_of_filter(name: str, dataset: str) -> dict[str, float]:
    """The MSE of a filter, by kind."""
    test = load_dataset(dataset).test
    errors = image_mse(test.images, FILTERS.call(name, test.as_input().images))
    return {kind: float(errors[test.labels == i].mean()) for i, kind in enumerate(test.classes)}


def measure_ours() -> str:
    """What `page-cleaner` reaches on VA, in words: the RMSE in all and of each kind."""
    return _tell_kinds(errors_of_ours())


def measure_filter(name: str) -> str:
    """What a filter reaches, in words: the RMSE at random, from TR to VA, and there of each kind."""
    leaking, honest = (_tell_kinds(errors_of_filter(name, dataset)) for dataset in SPLITS)
    return f"{leaking.partition(' ')[0]}, {honest}"


def _tell_kinds(errors: dict[str, float]) -> str:
    """The RMSE of all, and of each kind; all kinds have as many pages."""
    whole = np.mean(list(errors.values())) ** 0.5
    kinds = ", ".join(f"{kind} {error:.4f}" for kind, error in root_of(errors).items())
    return f"{whole:.4f} ({kinds})"


def measure_look_up() -> str:
    """What remembering is worth: the clean pages of the training tell how many of the test are among them."""
    words = []
    for dataset in SPLITS:
        splits = load_dataset(dataset)
        known, test = splits.train.joined(splits.validation).images, splits.test
        dirty = FILTERS.call("background", test.as_input().images)
        nearest = [np.square(known - page).mean((1, 2, 3)).argmin() for page in dirty]
        errors = image_mse(test.images, known[nearest])
        n_exact = int((errors == 0).sum())
        words.append(f"{errors.mean() ** 0.5:.4f} ({n_exact} of {len(errors)} exactly right)")
    return ", ".join(words)


def root_of(errors: dict[str, float]) -> dict[str, float]:
    """The RMSE of each kind, of its MSE."""
    return {kind: error**0.5 for kind, error in errors.items()}
