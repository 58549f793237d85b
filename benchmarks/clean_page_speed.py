"""Seconds to clean a page of 2480 x 3508 pixels from file to file: `legible clean` beside unpaper.

    python benchmarks/clean_page_speed.py [--runs 5] [--model page-cleaner]

The page is made, worn and dirtied (A4 at 300 dpi, grey). Both commands start anew for each run and take
turns; the best and the median are printed. Ours reads and writes PNG; unpaper reads and writes PGM, which is
faster to read, so that the comparison favours it. Needs unpaper (on Debian: apt install unpaper).
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from legible.data.page_maker import make_page
from legible.images import to_bytes
from legible.noise import add_noise
from legible.seeds import rng_for


def make_files(folder: Path) -> None:
    rng = rng_for("page to time", "0")
    noisy = add_noise(make_page(rng).ink[None, None], rng, ["office:0.7"])[0, 0]
    page = Image.fromarray(to_bytes(1 - noisy))
    page.save(folder / "page.png", dpi=(300, 300))
    page.save(folder / "page.pgm")


def time_run(command: list[str]) -> tuple[float, str]:
    started = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - started, done.stdout


def take_turns(runs: int, model: str = "page-cleaner") -> dict[str, list[float]]:
    """Seconds of each run of each command; of unpaper none where it is not installed."""
    legible = str(Path(sys.executable).with_name("legible"))
    names = ("legible clean", "of it the page", "of it the network", "unpaper")
    seconds: dict[str, list[float]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_files(folder)
        page, out = str(folder / "page.png"), str(folder / "out.png")
        ours = [legible, "clean", page, "-o", out, "--overwrite", "--json", "--model", model]
        theirs = ["unpaper", "--overwrite", str(folder / "page.pgm"), str(folder / "out.pgm")]
        for _ in range(runs):
            took, printed = time_run(ours)
            line = json.loads(printed)
            seconds["legible clean"].append(took)
            seconds["of it the page"].append(line["seconds"])
            seconds["of it the network"].append(line["network_seconds"])
            if shutil.which("unpaper"):
                seconds["unpaper"].append(time_run(theirs)[0])
    return seconds


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--model", default="page-cleaner")
    given = arguments.parse_args()
    seconds = take_turns(given.runs, given.model)
    for what, values in seconds.items():
        if values:
            print(f"{what}: best {min(values):.2f} s, median {statistics.median(values):.2f} s")
    if seconds["unpaper"]:
        ratio = min(seconds["unpaper"]) / min(seconds["legible clean"])
        print(f"unpaper takes {ratio:.2f} times as long (best runs)")


if __name__ == "__main__":
    main()
