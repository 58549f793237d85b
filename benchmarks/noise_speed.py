"""How long each noise takes for 60,000 digits.

    python benchmarks/noise_speed.py

Every noise at its default amount, on MNIST's training images; the best and the median of --repeats.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

import numpy as np

from legible.data import load_dataset
from legible.errors import LegibleError
from legible.noise import NOISES
from legible.report.tables import Table, markdown
from legible.runs.provenance import describe_machine
from legible.seeds import rng_for


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("noises", nargs="*", help="specs, as gaussian:0.5; all at their defaults if none")
    add("--dataset", "-d", default="mnist", help="whose images; shown again and again if too few")
    add("--n-images", type=int, default=60_000)
    add("--repeats", type=int, default=5)
    return parser.parse_args()


def time_noise(noise: str, images: np.ndarray, repeats: int) -> list[float]:
    """Seconds of each repeat, sorted."""
    seconds = []
    for repeat in range(repeats):
        start = time.perf_counter()
        NOISES.call(noise, images, rng_for("noise speed", noise, repeat))
        seconds.append(time.perf_counter() - start)
    return sorted(seconds)


def measure(arguments: argparse.Namespace) -> None:
    noises = [str(NOISES.parse(noise)) for noise in arguments.noises or NOISES.names()]
    splits = load_dataset(arguments.dataset)
    images = splits.train.joined(splits.validation).images
    images = images[np.arange(arguments.n_images) % len(images)]
    rows = []
    for noise in noises:
        seconds = time_noise(noise, images, arguments.repeats)
        rows.append([noise, f"{seconds[0]:.2f}", f"{statistics.median(seconds):.2f}"])
    title = f"{len(images):,} images, {arguments.repeats} repeats; {describe_machine()}"
    print(markdown(Table(["noise", "seconds, best", "seconds, median"], rows, title)))


if __name__ == "__main__":
    try:
        measure(read_arguments())
    except LegibleError as error:
        sys.exit(str(error))
