"""Whether pages scanned at 100 to 600 dpi come out equally clean.

    python benchmarks/clean_across_dpi.py [--pages 4] [--model page-cleaner]

One page is made at each resolution, 4 x 5 inches with text of 9 to 12 points, and laid on sheets of paper
that the training has not seen (NoisyOffice's partition VA). Printed are the RMSE of pixels before and after,
the share of it that is left, and by how much the page was reduced for the network. Needs doxapy, which the
module it shares its sheets with imports, and noisy-office in LEGIBLE_DATA.
"""

from __future__ import annotations

import argparse

import cv2
import numpy as np
from read_cleaned_pages import SHEETS, dirty_page, read_foreign_sheets

from legible.cleaning.clean import load_cleaner
from legible.data.page_maker import make_page
from legible.images import to_bytes
from legible.seeds import rng_for

DPIS = (100, 150, 200, 300, 400, 600)
INCHES = (4, 5)


def rmse(page: np.ndarray, ink: np.ndarray) -> float:
    return float(np.sqrt(np.square(1 - page / 255 - ink).mean()))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--pages", type=int, default=4)
    arguments.add_argument("--model", default="page-cleaner")
    given = arguments.parse_args()
    cleaner, sheets = load_cleaner(given.model), read_foreign_sheets()
    print("dpi   before  after   left  reduced by")
    for dpi in DPIS:
        size = (INCHES[0] * dpi, INCHES[1] * dpi)
        before, after, factors = [], [], []
        for number in range(given.pages):
            rng = rng_for("page across dpi", str(number))
            ink = make_page(rng, size=size, dpi=dpi, points=(9, 12), languages=["English"]).ink
            name = SHEETS[number % len(SHEETS)]
            sheet = cv2.resize(sheets[name][:1929], size[::-1], interpolation=cv2.INTER_AREA)
            dirty = to_bytes(1 - dirty_page(ink, name, {name: sheet}, rng))
            cleaned = cleaner.clean(dirty)
            before.append(rmse(dirty, ink))
            after.append(rmse(cleaned.image, ink))
            factors.append(cleaned.reduced_by)
        left = np.mean(after) / np.mean(before)
        print(f"{dpi:3d}  {np.mean(before):.4f}  {np.mean(after):.4f}  {left:4.0%}  {factors}")


if __name__ == "__main__":
    main()
