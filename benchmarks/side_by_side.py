"""One table of what this program takes for its work and what others take, in one run on this machine.

    python benchmarks/side_by_side.py [--quick] [--keras-python PATH]

Training to 99.0 and 99.4 % of MNIST, reading digits and lines of digits, cleaning a page; each beside the
peers that are installed: Keras (in an environment of its own: PATH), a plain loop in PyTorch, ONNX Runtime,
Tesseract, unpaper (on Debian: apt install tesseract-ocr unpaper). What is missing is named, and left out.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import clean_page_speed
import evaluate_throughput
import numpy as np
import train_to_accuracy
from PIL import Image

from legible.cards import find_card
from legible.data import load_dataset
from legible.data.split import Labelled
from legible.data.strings import compose_string
from legible.errors import LegibleError
from legible.images import to_bytes
from legible.reading.read import load_reader
from legible.report.tables import Table, markdown
from legible.runs.provenance import describe_machine
from legible.seeds import rng_for

N_LINES, N_DIGITS = 200, 5
Row = list[str]  # what, ours, the peer, its figure, the ratio


def compare_training(target: str, model: str, n_seeds: int, words: list[str]) -> Iterator[Row]:
    """Seconds until a mean of test accuracies is reached, and until each peer first reaches it."""
    asked = ["--target", target, "--model", model, "--seeds", str(n_seeds), *words]
    found = train_to_accuracy.compare(train_to_accuracy.read_arguments(asked))
    ours = found["ours"]
    told = f"{ours['seconds_mean']:.1f} s ({model}, {ours['accuracy_mean']:.2f} %)"
    what = f"train to {target} % of MNIST"
    if not found["peers"]:
        yield [what, told, "", "", ""]
    for name, peer in found["peers"].items():
        if "skipped" in peer:
            yield [what, told, name, "not installed", ""]
            continue
        last, more = peer["epochs"][-1], "" if peer["reached"] else "more than "
        yield [what, told, name, f"{more}{last['seconds']:.0f} s", f"{more}{peer['ratio']:.0f}"]


def compare_answers(test: Labelled, repeats: int) -> Iterator[Row]:
    """Digits per second with `digits-fast`, in each runtime."""
    images = test.images
    seconds = {
        name: statistics.median(evaluate_throughput.time_repeats(lambda run=run: run(images), repeats))
        for name, run in evaluate_throughput.load_installed(find_card("digits-fast")).items()
    }
    ours = seconds.pop("openvino")
    for name, peer in seconds.items():
        rates = [f"{len(images) / each:,.0f} per second" for each in (ours, peer)]
        yield ["read single digits, digits-fast", rates[0], name, rates[1], f"{peer / ours:.2f}"]


def compare_lines(test: Labelled) -> Iterator[Row]:
    """Lines of five digits on paper, composed of test digits: lines per second, and the share correct."""
    rng, reader = rng_for("lines to time"), load_reader()
    which = rng.permutation(len(test))[: N_LINES * N_DIGITS].reshape(N_LINES, N_DIGITS)
    wanted = ["".join(test.classes[label] for label in test.labels[some]) for some in which]
    pictures = [to_bytes(1 - compose_string(test.images[w, 0], test.labels[w].tolist(), rng)) for w in which]
    reader.read_all(pictures[:8], mode="line")
    started = time.perf_counter()
    read = [reading.text for reading in reader.read_all(pictures, mode="line")]
    took = time.perf_counter() - started
    ours = f"{N_LINES / took:.0f} per second, {_share(read, wanted)} right"
    what = "read lines of five digits"
    if not shutil.which("tesseract"):
        yield [what, ours, "Tesseract", "not installed", ""]
        return
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{i}.png" for i in range(N_LINES)]
        for file, picture in zip(files, pictures, strict=True):
            Image.fromarray(np.kron(picture, np.ones((2, 2), np.uint8))).save(file, dpi=(300, 300))
        named = Path(folder) / "files.txt"
        named.write_text("\n".join(map(str, files)))
        command = ["tesseract", str(named), "-", "--psm", "7", "-c", "tessedit_char_whitelist=0123456789"]
        started = time.perf_counter()
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\f")
        peer = time.perf_counter() - started
    theirs = f"{N_LINES / peer:.0f} per second, {_share(output[:N_LINES], wanted)} right"
    yield [what, ours, "Tesseract", theirs, f"{peer / took:.1f}"]


def _share(read: list[str], wanted: list[str]) -> str:
    right = sum("".join(one.split()) == other for one, other in zip(read, wanted, strict=True))
    return f"{100 * right / len(wanted):.0f} %"


def compare_cleaning(runs: int) -> Iterator[Row]:
    """Seconds for a page of A4 at 300 dpi, from file to file."""
    seconds = clean_page_speed.take_turns(runs)
    ours, peers = statistics.median(seconds["legible clean"]), seconds["unpaper"]
    theirs = (
        [f"{statistics.median(peers):.2f} s", f"{statistics.median(peers) / ours:.1f}"] if peers else None
    )
    yield ["clean a page of 2480 x 3508", f"{ours:.2f} s", "unpaper", *(theirs or ["not installed", ""])]


def compare(arguments: argparse.Namespace) -> None:
    n_seeds, runs = (1, 1) if arguments.quick else (5, 5)
    keras = ["--keras-python", arguments.keras_python]
    peers = ["--peers", "none"] if arguments.quick else []
    test = load_dataset("mnist").test
    rows = [*compare_answers(test, runs), *compare_lines(test), *compare_cleaning(runs)]
    rows += compare_training("99.0", "digits-fast", n_seeds, [*keras, *peers])
    rows += compare_training("99.4", "digits-wide", n_seeds, ["--peers", "none"])
    columns = ["task", "Legible", "peer", "the peer's result", "times faster"]
    print("\n" + markdown(Table(columns, rows, f"Side by side on {describe_machine()}")))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one seed, one run, no peer is trained")
    parser.add_argument("--keras-python", default=sys.executable, metavar="PATH",
                        help="an interpreter that has TensorFlow")  # fmt: skip
    try:
        compare(parser.parse_args())
    except LegibleError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
