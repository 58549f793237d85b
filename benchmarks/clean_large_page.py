"""How much memory `legible clean` takes for a page of 10,000 x 14,000 pixels.

    python benchmarks/clean_large_page.py [--dpi 110 300 600]

A page is made at each resolution, dirtied, and laid side by side until the large one is full; grey and
colour. Printed are the most memory that the command held at a time (resident, GB of 10^9 bytes), its seconds,
and by how much the page was reduced for the network. Linux only: it reads /proc.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from legible.data.page_maker import make_page
from legible.images import to_bytes
from legible.noise import add_noise
from legible.seeds import rng_for

HEIGHT, WIDTH = 14_000, 10_000


def make_files(folder: Path, dpi: int) -> None:
    rng = rng_for("large page", str(dpi))
    part = make_page(rng, size=(1400, 1000) if dpi < 200 else (3500, 2500), dpi=dpi)
    page = to_bytes(1 - add_noise(part.ink[None, None], rng, ["office:0.7"])[0, 0])
    large = np.tile(page, (HEIGHT // page.shape[0], WIDTH // page.shape[1]))
    cv2.imwrite(str(folder / "grey.png"), large)
    coloured = np.repeat(large[..., None], 3, axis=2)
    coloured[..., 0] -= coloured[..., 0] // 10  # yellowish
    cv2.circle(coloured, (WIDTH // 2, HEIGHT // 2), 900, (200, 60, 40), 40)
    cv2.imwrite(str(folder / "colour.png"), coloured)


def measure(folder: Path, mode: str) -> tuple[float, float, int]:
    """GB, seconds, and by how much the page was reduced."""
    legible = str(Path(sys.executable).with_name("legible"))
    files = [str(folder / f"{mode}.png"), "-o", str(folder / f"{mode}-clean.png")]
    started, most_kb = time.perf_counter(), 0
    with subprocess.Popen(
        [legible, "clean", *files, "--mode", mode, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        while running.poll() is None:
            status = Path(f"/proc/{running.pid}/status").read_text()
            held = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")]
            most_kb = max([most_kb, *held])
            time.sleep(0.01)
        seconds = time.perf_counter() - started
        assert running.stdout is not None
        line = json.loads(running.stdout.read())
    return most_kb * 1024 / 1e9, seconds, line["reduced_by"]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--dpi", type=int, nargs="+", default=[110, 300, 600])
    print("dpi  mode      GB     s  reduced by")
    for dpi in arguments.parse_args().dpi:
        with tempfile.TemporaryDirectory() as name:
            make_files(Path(name), dpi)
            for mode in ("grey", "colour"):
                gigabytes, seconds, factor = measure(Path(name), mode)
                print(f"{dpi:<4} {mode:<8} {gigabytes:4.2f} {seconds:5.1f}  {factor}", flush=True)


if __name__ == "__main__":
    main()
