"""How many digits a second go through a saved card: as `legible evaluate` runs it, and in other runtimes.

    python benchmarks/evaluate_throughput.py runs/digits-fast.mnist-seed0

Each runtime answers the same images once to warm up and then --repeats times; the best and the median are
printed. `evaluated` is OpenVINO's answers and all that `legible evaluate` makes of them: loss, calibration,
tables.
A model that restores is given the images as they are. A runtime that is not installed is named and left out.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import numpy as np

from legible.cards import Card, find_card
from legible.data import load_dataset
from legible.data.split import Labelled
from legible.errors import ArgumentError, LegibleError
from legible.evaluation.classification import evaluate_classifier
from legible.evaluation.restoration import evaluate_restorer
from legible.images import Predict
from legible.inference.runtime import load_runtime
from legible.kinds import GENERATE, RESTORE
from legible.report.tables import Table, markdown
from legible.runs.provenance import describe_machine


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("card", nargs="?", default="runs/digits-fast.mnist-seed0", help="a saved model's name or folder")
    add("--dataset", "-d", default="mnist", help="whose test images; shown again and again if too few")
    add("--n-images", type=int, default=10_000)
    add("--repeats", type=int, default=7)
    return parser.parse_args()


def load_torch(card: Card) -> Predict:
    from legible.models import as_used, kind_of
    from legible.training.exchange import load_model
    from legible.training.loop import predictor

    return predictor(as_used(load_model(card), kind_of(card.facts["model"])))


def load_onnxruntime(card: Card) -> Predict:
    import onnxruntime

    session = onnxruntime.InferenceSession(card.network, providers=["CPUExecutionProvider"])

    def predict(images: np.ndarray) -> np.ndarray:
        parts = [session.run(None, {"images": images[i : i + 500]})[0] for i in range(0, len(images), 500)]
        return np.concatenate(parts)

    return predict


RUNTIMES: dict[str, Callable[[Card], Predict]] = {
    "openvino": load_runtime,
    "torch": load_torch,
    "onnxruntime": load_onnxruntime,
}


def take_images(dataset: str, n_images: int) -> Labelled:
    """The first n test images of a dataset, from the start again where there are fewer."""
    test = load_dataset(dataset).test
    return test.take(np.arange(n_images) % len(test))


def time_repeats(act: Callable[[], object], repeats: int) -> list[float]:
    """Seconds of each repeat, sorted, after one that is not counted."""
    act()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - start)
    return sorted(seconds)


def load_installed(card: Card) -> dict[str, Predict]:
    """The card in every runtime that is there; names the others on stderr."""
    missing = [name for name in RUNTIMES if find_spec(name) is None]
    if missing:
        print(f"not installed, so left out: {', '.join(missing)}", file=sys.stderr)
    return {name: load(card) for name, load in RUNTIMES.items() if name not in missing}


def compare(arguments: argparse.Namespace) -> None:
    card = find_card(arguments.card)
    if card.kind == GENERATE:
        raise ArgumentError(f"{card.name} generates; this times models that read or restore.")
    data = take_images(arguments.dataset, arguments.n_images)
    predicts = load_installed(card)
    acts: dict[str, Callable[[], object]] = {n: partial(p, data.images) for n, p in predicts.items()}
    if card.kind == RESTORE:
        acts["evaluated"] = partial(evaluate_restorer, predicts["openvino"], data.images, data.images)
    else:
        acts["evaluated"] = partial(
            evaluate_classifier, predicts["openvino"], data.images, data.labels, data.classes
        )
    rows = []
    for name, act in acts.items():
        seconds = time_repeats(act, arguments.repeats)
        rows.append([name, *(f"{len(data) / s:,.0f}" for s in (seconds[0], statistics.median(seconds)))])
    title = f"{card.name}: {len(data):,} images, {arguments.repeats} repeats; {describe_machine()}"
    print(markdown(Table(["runtime", "images/s, best", "images/s, median"], rows, title)))
    sample = data.images[:1000]
    expected = predicts.pop("openvino")(sample)
    for name, predict in predicts.items():
        difference = float(np.abs(predict(sample) - expected).max())
        print(f"{name}: its answers differ from openvino's by at most {difference:.1e}", file=sys.stderr)


if __name__ == "__main__":
    try:
        compare(read_arguments())
    except LegibleError as error:
        sys.exit(str(error))
