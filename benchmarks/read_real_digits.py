"""Reading of real digits that are not in any training set (exams, cheques), and rejection of other things.

    python benchmarks/read_real_digits.py [--lines line-reader] [--digits digits]

Needs nsysu-digits, orand-car-a, mnist and fashion-mnist in LEGIBLE_DATA. Prints:
- nsysu-digits, single digits of exam papers: the share read correctly, in the modes digit and auto;
- orand-car-a, amounts on cheques, dots and dashes ignored: strings read correctly, and the digit error rate
  (deletions, insertions, substitutions), without rejection and with the models' own thresholds; the accuracy
  of the most confident readings;
- rejection, MNIST's test images against others: the area under the ROC curve of the confidence, and the
shares
  rejected when 99 % of MNIST's are accepted, unchanged and centred as `legible read` does; letters of
  matplotlib's fonts, except those that look like digits;
- calibration error on MNIST's test images (15 bins), and how often the prediction sets miss the right digit.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from legible.data import load_dataset
from legible.data.page_maker import FAMILIES, font_of
from legible.evaluation.line_reading import edit_distance
from legible.evaluation.metrics import calibration_error
from legible.prepare import prepare_digit
from legible.reading.read import load_reader
from legible.reading.reader import Reader
from legible.seeds import rng_for

DATA = Path(os.environ.get("LEGIBLE_DATA", "data"))
LETTERS = "ABCDEFGHJKLMNPQRTUVWXYabcdefhjkmnprtuvwxyz"
ACCEPTED, N_OTHERS = 0.99, 2000


def read_exams(reader: Reader) -> None:
    with np.load(DATA / "nsysu-digits" / "nsysu-digits.npz") as held:
        images, labels = list(held["images"]), [str(label) for label in held["labels"]]
    for mode in ("digit", "auto"):
        for least in (0.0, None):
            read = reader.read_all(images, mode=mode, min_confidence=least)
            right = np.mean([one.text == label for one, label in zip(read, labels, strict=True)])
            refused = np.mean([not one.text for one in read])
            print(f"nsysu-digits, mode {mode}, {say(least)}: {right:.2%} right, {refused:.2%} refused")


def read_cheques(reader: Reader) -> None:
    folder = DATA / "orand-car-a"
    rows = list(csv.DictReader((folder / "labels.csv").open()))
    texts = [row["text"] for row in rows]
    pictures = [np.asarray(Image.open(folder / "images" / row["file"]).convert("RGB")) for row in rows]
    for mode in ("auto", "line"):
        for least in (0.0, None):
            started = time.perf_counter()
            read = reader.read_all(pictures, mode=mode, min_confidence=least)
            pace = len(read) / (time.perf_counter() - started)
            right = np.array([one.text == text for one, text in zip(read, texts, strict=True)])
            wrong = sum(edit_distance(text, one.text) for one, text in zip(read, texts, strict=True))
            print(
                f"orand-car-a, mode {mode}, {say(least)}: {right.mean():.2%} of strings right, "
                f"{wrong / sum(map(len, texts)):.2%} errors by digits, {pace:.0f} pictures a second"
            )
            if least == 0:
                surest = right[np.argsort([-one.confidence for one in read])]
                shares = [
                    f"{part:.0%}: {surest[: round(part * len(surest))].mean():.1%}" for part in (0.5, 0.8)
                ]
                sure = np.mean([one.confidence for one in read])
                print(f"    right of the surest {', '.join(shares)}; mean confidence {sure:.1%}")


def say(least: float | None) -> str:
    return "as the models refuse" if least is None else "nothing refused"


def refuse(reader: Reader) -> None:
    test = load_dataset("mnist").test
    probabilities = reader.digits.predict(test.images)
    digits, rng = probabilities.max(1), rng_for("others")
    limit = np.quantile(digits, 1 - ACCEPTED)
    own = reader.digits.rejection_threshold
    accuracy = (probabilities.argmax(1) == test.labels).mean()
    print(f"mnist: {accuracy:.2%} right; {ACCEPTED:.0%} reach {limit:.4f}; "
          f"the card refuses below {own:.4f}, which is {(digits < own).mean():.2%} of them")  # fmt: skip
    others = {
        "fashion-mnist": load_dataset("fashion-mnist").test.images,
        "uniform noise": rng.random((N_OTHERS, 1, 28, 28), dtype=np.float32),
        "blank": np.zeros((1, 1, 28, 28), np.float32),
        "blank, inverted": np.ones((1, 1, 28, 28), np.float32),
        "letters of fonts": draw_letters(rng),
    }
    for name, images in others.items():
        boxed = np.stack([prepare_digit(image[0]) for image in images])[:, None]
        for how, shown in (("as they are", images), ("in their box", boxed)):
            found = reader.digits.predict(shown).max(1)
            print(f"{name}, {how}: AUROC {auroc(digits, found):.4f}, refused {(found < limit).mean():.2%}, "
                  f"by the card's limit {(found < own).mean():.2%}")  # fmt: skip
    right = probabilities[np.arange(len(test)), test.labels]
    print(f"calibration error on mnist: {calibration_error(probabilities, test.labels):.3%}")
    for rate in (0.001, 0.005, 0.01, 0.05):
        least = reader.digits.least_probability(rate)
        sizes = (probabilities >= least).sum(1)
        missed = (right < least).mean()
        print(
            f"sets at an error rate of {rate:.1%}: {missed:.2%} miss the digit, {sizes.mean():.3f} in a set"
        )


def draw_letters(rng: np.random.Generator) -> np.ndarray:
    """Each letter in each font, as ink (n, 1, 28, 28), placed as digits are."""
    drawn = []
    for family in FAMILIES.values():
        for name in family:
            for letter in LETTERS:
                sheet = Image.new("L", (120, 120))
                ImageDraw.Draw(sheet).text((30, 10), letter, 255, font=font_of(name, 64))
                drawn.append(prepare_digit(np.asarray(sheet, np.float32) / 255))
    return np.stack(drawn)[:, None]


def auroc(high: np.ndarray, low: np.ndarray) -> float:
    """The chance that one of `high` is above one of `low`, ties by half."""
    ranked = np.sort(low)
    below, not_above = (np.searchsorted(ranked, high, side=side) for side in ("left", "right"))
    return float((below + not_above).mean() / 2 / len(low))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", default="line-reader")
    parser.add_argument("--digits", default="digits")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    reader = load_reader(options.lines, options.digits)
    refuse(reader)
    read_exams(reader)
    read_cheques(reader)


if __name__ == "__main__":
    main()
