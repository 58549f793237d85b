"""What cleaning is worth to a reader of pages: character errors of Tesseract, before and after.

    python benchmarks/read_cleaned_pages.py [--pages 8] [--model page-cleaner]

Pages are made with known text and dirtied with what `page-cleaner` was not trained with: sheets of paper of
NoisyOffice's partition VA (coffee, folds and footprints are others there than in TR), fog, stripes, faint
print, shaking, dots. Each is read as it is, after ours in grey and in black-and-white, after unpaper, after
doxapy's Sauvola, after Otsu, and before any noise. Errors are the edit distance by the length of the text, in
percent, spaces counted once; fewer is better. Needs tesseract and unpaper (on Debian: apt install
tesseract-ocr unpaper), doxapy, and noisy-office in LEGIBLE_DATA.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import cv2
import doxapy
import numpy as np
from binarise_dibco import binarise
from PIL import Image

from legible.cleaning.clean import load_cleaner
from legible.cleaning.cleaner import Cleaner
from legible.data.page_maker import make_page
from legible.data.pages import read_noisy_office
from legible.data.sheets import read_sheets
from legible.evaluation.line_reading import edit_distance
from legible.images import to_bytes
from legible.noise import add_noise
from legible.seeds import rng_for

SHEETS = ("coffee", "folded", "footprints")
DIRTS = {
    "fog": ["fog:0.45"],
    "stripes": ["stripes:0.35,width_px=3,period_px=40", "fog:0.2"],
    "faint": ["low-contrast:0.35", "gaussian:0.05"],
    "moved": ["motion-blur:5", "fog:0.3"],
    "dots": ["salt-and-pepper:0.02", "fog:0.3"],
}
Arms = dict[str, np.ndarray]


def read(page: np.ndarray, folder: Path) -> str:
    Image.fromarray(page).save(folder / "page.png", dpi=(300, 300))
    command = ["tesseract", str(folder / "page.png"), "-", "--psm", "4", "-l", "eng"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def unpaper(page: np.ndarray, folder: Path) -> np.ndarray:
    Image.fromarray(page).save(folder / "in.pgm")
    command = ["unpaper", "--overwrite", str(folder / "in.pgm"), str(folder / "out.pgm")]
    subprocess.run(command, check=True, capture_output=True)
    return np.asarray(Image.open(folder / "out.pgm").convert("L"))


def read_foreign_sheets() -> dict[str, np.ndarray]:
    """VA's sheets of paper, as large as a page of 300 dpi: (3508, 2480) each, darkness in [0, 1]."""
    pairs = [p for p in read_noisy_office() if p.partition == "VA" and p.clean.shape == (420, 540)]
    large = {}
    for name in SHEETS:
        (sheet,) = read_sheets([pair for pair in pairs if pair.kind == name])
        grown = cv2.resize(sheet, (2480, 1929), interpolation=cv2.INTER_CUBIC).clip(0, 1)
        large[name] = np.pad(grown, [(0, 3508 - 1929), (0, 0)], mode="symmetric")
    return large


def dirty_page(
    ink: np.ndarray, name: str, sheets: dict[str, np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """The page (H, W) in [0, 1], 1 = ink, on a sheet twice as dark as it was, or under noises."""
    if name in sheets:
        return 1 - (1 - ink) * (1 - np.minimum(2 * sheets[name], 0.9))
    answer: np.ndarray = add_noise(ink[None, None], rng, DIRTS[name])[0, 0]
    return answer


def errors_percent(read_text: str, text: str) -> float:
    read_text, text = (" ".join(each.split()) for each in (read_text, text))
    return 100 * edit_distance(text, read_text) / len(text)


def clean_all(dirty: np.ndarray, cleaner: Cleaner, folder: Path) -> Arms:
    algorithms = doxapy.Binarization.Algorithms
    return {
        "dirty": dirty,
        "ours": cleaner.clean(dirty).image,
        "ours, black-and-white": cleaner.clean(dirty, mode="black-and-white").image,
        "unpaper": unpaper(dirty, folder),
        "Sauvola": binarise(dirty, algorithms.SAUVOLA),
        "Otsu": binarise(dirty, algorithms.OTSU),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--pages", type=int, default=8)
    arguments.add_argument("--model", default="page-cleaner")
    given = arguments.parse_args()
    cleaner, found = load_cleaner(given.model), defaultdict(list)
    sheets, names = read_foreign_sheets(), (*SHEETS, *DIRTS)
    for number in range(given.pages):
        rng = rng_for("pages to read", str(number))
        made = make_page(rng, points=(9, 12), blocks=["paragraph"], languages=["English"])
        name = names[number % len(names)]
        noisy = dirty_page(made.ink, name, sheets, rng)
        clean, dirty = (to_bytes(1 - ink) for ink in (made.ink, noisy))
        with tempfile.TemporaryDirectory() as folder:
            arms = clean_all(dirty, cleaner, Path(folder)) | {"clean": clean}
            arms["clean, after ours"] = cleaner.clean(clean).image
            for arm, page in arms.items():
                started = time.perf_counter()
                found[arm].append(errors_percent(read(page, Path(folder)), made.text))
                print(
                    number,
                    name,
                    arm,
                    f"{found[arm][-1]:.2f} % {time.perf_counter() - started:.1f} s",
                    flush=True,
                )
    for arm, values in found.items():
        print(f"{arm}: {np.mean(values):.2f} %")


if __name__ == "__main__":
    main()
