"""Whether Keras reads the pair that `legible models export --format hdf5` writes, and answers the same.

    python benchmarks/keras_reads_hdf5.py --keras-python tensorflow-env/bin/python [CARD ...]

Without a card, every model that has an HDF5 form is tried with its initial weights, on grey and on colour
images. Exit code 1 when a pair is not read or an answer differs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from torch import nn

from legible.cards import find_card
from legible.errors import LegibleError, ModelError
from legible.models import MODELS, ImageShape, build_model
from legible.training.exchange import load_model
from legible.training.keras_pair import save_pair
from legible.training.loop import predictor

READER = Path(__file__).parent / "peers" / "keras_load_pair.py"
N_IMAGES = 64
SAME_ANSWER = 1e-4  # largest difference between logits, in float32


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("cards", nargs="*", metavar="CARD", help="saved models' names or folders")
    add("--keras-python", default=sys.executable, metavar="PATH", help="an interpreter that has TensorFlow")
    return parser.parse_args()


def choose_models(cards: list[str]) -> Iterator[tuple[str, nn.Module, ImageShape]]:
    """The models of the cards, or all models one can build, with the shape of their images."""
    for name in cards:
        card = find_card(name)
        yield card.name, load_model(card), card.image_shape
    if not cards:
        for name in MODELS.names():
            for shape in ((1, 28, 28), (3, 32, 24)):
                yield f"{name} {shape}", build_model(name, shape, 10, seed=0).eval(), shape


def write_questions(cards: list[str], folder: Path) -> list[str]:
    """Write each model's pair, images and our answers into a folder of its own; return their names."""
    names: list[str] = []
    for name, model, shape in choose_models(cards):
        place = folder / str(len(names))
        images = np.random.default_rng(0).random((N_IMAGES, *shape), dtype=np.float32)
        try:
            save_pair(model, shape, place / "pair")
        except ModelError as error:
            print(f"{name}: left out, {error}")
            continue
        np.save(place / "images.npy", images.transpose(0, 2, 3, 1))  # (N, H, W, C), as Keras has them
        np.save(place / "ours.npy", predictor(model)(images))
        names.append(name)
    return names


def check(arguments: argparse.Namespace) -> bool:
    """Let Keras answer for every pair and compare; whether all are the same."""
    with tempfile.TemporaryDirectory() as folder:
        names = write_questions(arguments.cards, Path(folder))
        places = [str(Path(folder) / str(i)) for i in range(len(names))]
        reader = subprocess.run(
            [arguments.keras_python, str(READER), *places], stderr=subprocess.PIPE, text=True, check=False
        )
        if reader.returncode:
            print(reader.stderr.strip().splitlines()[-1])
            return False
        all_same = bool(names)
        for name, place in zip(names, places, strict=True):
            ours, theirs = (np.load(Path(place) / file) for file in ("ours.npy", "keras.npy"))
            difference = float(np.abs(ours - theirs).max())
            all_same &= difference < SAME_ANSWER
            print(f"{name}: Keras's logits differ from ours by at most {difference:.1e}")
    return all_same


if __name__ == "__main__":
    try:
        sys.exit(0 if check(read_arguments()) else 1)
    except LegibleError as error:
        sys.exit(str(error))
