"""Black-and-white pages of the DIBCO contests: ours beside Otsu and Sauvola (doxapy), by F-measure.

    python benchmarks/binarise_dibco.py FOLDER [--model page-cleaner]

FOLDER holds 2009 and 2013, each with Originals and GT. F-measure in percent, the mean over pages of the
harmonic mean of precision and recall of ink, as the contests have it; more is better. Needs doxapy.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import doxapy
import numpy as np

from legible.cleaning.clean import load_cleaner
from legible.data.pages import find_pairs
from legible.documents.pictures import read_picture


def f_measure(ink: np.ndarray, truth: np.ndarray) -> float:
    right = float((ink & truth).sum())
    return 200 * right / max(1.0, float(ink.sum() + truth.sum()))


def binarise(grey: np.ndarray, algorithm: int) -> np.ndarray:
    """A page (H, W) of bytes in black and white, by an algorithm of doxapy."""
    answer = np.empty_like(grey)
    doxa = doxapy.Binarization(algorithm)
    doxa.initialize(grey)
    doxa.to_binary(answer)
    return answer


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--model", default="page-cleaner")
    given = arguments.parse_args()
    cleaner, algorithms = load_cleaner(given.model), doxapy.Binarization.Algorithms
    scores: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for year in sorted(p for p in given.folder.iterdir() if p.is_dir()):
        for original, truth_file in find_pairs(year):
            printed = original.stem.split("-")[-1].startswith("P")
            kind = f"{year.name} {'printed' if printed else 'handwritten'}"
            grey = np.ascontiguousarray(read_picture(original, grey=True)[..., 0])
            truth = read_picture(truth_file, grey=True)[..., 0] < 128
            ours = cleaner.clean(grey, mode="black-and-white")
            arms = {
                "ours": ours.image == 0,
                "Otsu": binarise(grey, algorithms.OTSU) == 0,
                "Sauvola": binarise(grey, algorithms.SAUVOLA) == 0,
            }
            for name, ink in arms.items():
                scores[kind][name].append(f_measure(ink, truth))
            print(original.name, f"/{ours.reduced_by}", {n: round(s[-1], 2) for n, s in scores[kind].items()})
    for kind, arms_scores in scores.items():
        print(kind, {name: round(float(np.mean(values)), 2) for name, values in arms_scores.items()})


if __name__ == "__main__":
    main()
