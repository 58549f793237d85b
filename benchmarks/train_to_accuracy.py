"""How long it takes to reach a test accuracy on MNIST: our model and peers, in one run on one machine.

    python benchmarks/train_to_accuracy.py --target 99.0 --seeds 10 --keras-python tensorflow-env/bin/python

Ours trains on all 60,000 images with its own recipe, once per seed. Its time runs from images in memory to
final weights: building the model and the whole loop. Each peer trains until its test accuracy first reaches
the target, looking after every epoch (that look is not timed). This favours the peer: it may stop on a lucky
epoch, while ours must reach the target in the mean of its seeds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from legible.data import load_dataset
from legible.data.split import Labelled
from legible.errors import LegibleError
from legible.evaluation.classification import evaluate_classifier
from legible.evaluation.metrics import mean_and_spread
from legible.models import build_model
from legible.output import check_free, new_file
from legible.runs.provenance import describe_machine
from legible.runs.run import recipe_of
from legible.training.loop import fit, predictor, prepare
from legible.training.tasks.classify import Classify

PEERS = {"keras": "keras_convnet.py", "torch": "torch_dataloader.py"}
NO_TENSORFLOW = 5  # the exit code of keras_convnet.py that says so
Record = dict[str, Any]


def read_arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--target", type=float, default=99.0, help="test accuracy to reach, in percent")
    add("--seeds", type=int, default=10, help="how many times ours is trained")
    add("--model", default="digits-fast", help="which of our models")
    add("--peers", default="keras,torch", help="which peers, joined by commas, or none")
    add("--max-epochs", type=int, default=15, help="where a peer gives up")
    add("--keras-python", default=sys.executable, metavar="PATH", help="an interpreter that has TensorFlow")
    add("--n-train", type=int, default=60_000, help="only the first so many images, to try this command out")
    add("--json", type=Path, metavar="FILE", help="also write every figure here")
    arguments = parser.parse_args(words)
    arguments.peers = [name for name in arguments.peers.split(",") if name not in ("", "none")]
    if unknown := set(arguments.peers) - set(PEERS):
        parser.error(f"no peer {', '.join(sorted(unknown))}. Known: {', '.join(PEERS)}, none.")
    return arguments


def train_ours(model: str, train: Labelled, test: Labelled, seed: int) -> Record:
    """Train once by the model's recipe; seconds and test accuracy in percent."""
    settings = recipe_of(model)
    start = time.perf_counter()
    state = prepare(build_model(model, train.image_shape, len(train.classes), seed=seed), settings)
    task = Classify(augment=settings.augment, label_smoothing=settings.label_smoothing)
    for _ in fit(state, task, train, settings, seed=seed):
        pass
    seconds = time.perf_counter() - start
    report = evaluate_classifier(predictor(state.kept), test.images, test.labels, test.classes)
    return {"seed": seed, "seconds": seconds, "accuracy": 100 * report.accuracy}


def measure_ours(arguments: argparse.Namespace, train: Labelled, test: Labelled) -> Record:
    """Train once per seed, telling each; all runs with their means and spreads."""
    runs = []
    for seed in range(arguments.seeds):
        runs.append(train_ours(arguments.model, train, test, seed))
        print(f"  seed {seed}: {runs[-1]['accuracy']:.2f} %, {runs[-1]['seconds']:.2f} s", flush=True)
    found: Record = {"model": arguments.model, "runs": runs}
    for what in ("accuracy", "seconds"):
        mean, spread, _ = mean_and_spread([run[what] for run in runs])
        found |= {f"{what}_mean": mean, f"{what}_spread": spread or 0.0}
    reached = "reached" if round(found["accuracy_mean"], 2) >= arguments.target else "NOT reached"
    accuracy = f"{found['accuracy_mean']:.2f} ± {found['accuracy_spread']:.2f} %"
    seconds = f"{found['seconds_mean']:.2f} ± {found['seconds_spread']:.2f} s"
    print(f"{arguments.model}, {len(runs)} seeds: {accuracy}, {seconds}; {arguments.target:g} % {reached}")
    return found


def run_peer(name: str, python: str, data: Path, arguments: argparse.Namespace) -> Iterator[Record]:
    """Run a peer in its own process and yield its records. Raises RuntimeError, saying why, when it fails."""
    script = Path(__file__).parent / "peers" / PEERS[name]
    options = ["--data", data, "--target", arguments.target, "--max-epochs", arguments.max_epochs]
    with tempfile.TemporaryFile("w+") as complaints:
        try:
            peer = subprocess.Popen([python, str(script), *map(str, options)], stdout=subprocess.PIPE,
                                    stderr=complaints, text=True)  # fmt: skip
        except OSError as error:
            raise RuntimeError(f"{python} cannot be run: {error.strerror}") from error
        with peer:
            assert peer.stdout is not None
            yield from map(json.loads, peer.stdout)
        if peer.returncode:
            complaints.seek(0)
            if peer.returncode == NO_TENSORFLOW:
                raise RuntimeError(f"{python} has no TensorFlow; give --keras-python one that has it.")
            raise RuntimeError(
                (complaints.read().strip().splitlines() or [f"exit code {peer.returncode}"])[-1]
            )


def measure_peer(name: str, data: Path, arguments: argparse.Namespace, our_seconds: float) -> Record:
    """Follow a peer to the target, telling each epoch; its epochs and the ratio, or why it was skipped."""
    print(f"{name} ({PEERS[name]})")
    python = arguments.keras_python if name == "keras" else sys.executable
    epochs: list[Record] = []
    try:
        for record in run_peer(name, python, data, arguments):
            epochs.append(record)
            told = f"epoch {record['epoch']}: {record['accuracy']:.2f} %, {record['seconds']:.1f} s"
            print(f"  {told}", flush=True)
    except RuntimeError as error:
        print(f"{name} SKIPPED, no comparison was made: {error}")
        return {"skipped": str(error)}
    last = epochs[-1]
    reached, ratio = last["accuracy"] >= arguments.target, last["seconds"] / our_seconds
    words, more = ("first reached after", "") if reached else ("NOT reached after", "more than ")
    print(f"{name}: {arguments.target:g} % {words} {told}, {more}{ratio:.1f} times our mean")
    return {"epochs": epochs, "reached": reached, "ratio": ratio}


def save_bytes(train: Labelled, test: Labelled, path: Path) -> None:
    """Write images as bytes in the layout of Keras's mnist.npz, so that every peer meets the same ones."""
    x_train, x_test = (np.rint(part.images[:, 0] * 255).astype(np.uint8) for part in (train, test))
    np.savez(path, x_train=x_train, y_train=train.labels, x_test=x_test, y_test=test.labels)


def compare(arguments: argparse.Namespace) -> Record:
    if arguments.json:
        check_free(arguments.json)
    splits = load_dataset("mnist")
    train, test = splits.train.joined(splits.validation).first(arguments.n_train), splits.test
    print(f"{len(train):,} training and {len(test):,} test images; {describe_machine()}, "
          f"{torch.get_num_threads()} threads, PyTorch {torch.__version__}")  # fmt: skip
    found: Record = {"target": arguments.target, "n_train": len(train), "machine": describe_machine()}
    found["ours"] = measure_ours(arguments, train, test)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "mnist.npz"
        save_bytes(train, test, data)
        found["peers"] = {name: measure_peer(name, data, arguments, found["ours"]["seconds_mean"])
                          for name in arguments.peers}  # fmt: skip
    if arguments.json:
        with new_file(arguments.json) as path:
            path.write_text(json.dumps(found, indent=2) + "\n")
    return found


if __name__ == "__main__":
    try:
        compare(read_arguments())
    except LegibleError as error:
        sys.exit(str(error))
