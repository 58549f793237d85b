"""Report D: Assignment No. 3, image classification in four stages. Rows D1 to D5."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from legible.data import load_dataset
from legible.data.split import Labelled, Splits
from legible.models import build_model, count_parameters, describe_layers
from legible.report import figures
from legible.report.tables import percent
from legible.runs.carry_out import evaluate_tests, start, train_epochs
from legible.runs.run import Run, over_seeds
from legible.studies.results import Results
from legible.studies.study import STUDIES, WITH_MUON, Line, Study
from legible.training.keras_pair import load_pair, save_pair
from legible.training.loop import predictor
from legible.training.settings import Settings

AS_PUBLISHED = Run(
    model="cnn-one-conv",
    settings=Settings(
        n_epochs=10, batch_size=32, optimiser="sgd:momentum=0.9", learning_rate=0.01, schedule="constant"
    ),
    watch="test",
)
OURS = replace(AS_PUBLISHED, watch="nothing", settings=replace(WITH_MUON, n_epochs=10))
SMALL = Run(model="cnn-one-conv", dataset="digits-embedded", settings=Settings(n_epochs=10, batch_size=32))


@STUDIES.register("d", rows="D1-D5")
def study_report_d() -> Study:
    """Report D: one convolution, step by step."""
    lines = (
        Line(
            "D1",
            "conv 32@3x3 - pool - dense 100; SGD 0.01 momentum 0.9, 10 epochs, batch 32",
            "98.55 %",
            over_seeds(AS_PUBLISHED, 3),
            0.9855,
        ),
        Line(
            "D1 ours",
            "the same net, 10 epochs: Muon, label smoothing, shifts of one pixel, batch 128",
            "99.04 % (its second figure)",
            over_seeds(OURS, 1),
            0.9904,
        ),
        Line("D2", "four stages as separate steps", "figures", prove=show_stages),
        Line("D3", "first 20 training digits; 20 random test digits with predictions; curves", "figures"),
        Line("D4", "architecture as JSON, weights as HDF5, loaded back", "works", prove=prove_pair),
        Line("D5", "colour input, three channels", "described", prove=prove_colour),
    )
    return Study("Report D: image classification in four stages", lines, draw_report_d)


def show_stages() -> str:
    """D2: load and preprocess, define, train, estimate, on the embedded digits; each stage in words."""
    splits = load_dataset(SMALL.dataset)
    images = splits.train.images
    model = build_model(SMALL.model, splits.train.image_shape, len(splits.classes), seed=0)
    execution = start(SMALL, splits)
    records = list(train_epochs(execution))
    accuracy = evaluate_tests(execution)["clean"].scores["accuracy"]
    layers = describe_layers(model, splits.train.image_shape)
    return (
        f"load, define ({count_parameters(model):,} parameters), train, estimate\n"
        f"(1) load: images {images.shape}, values {images.min():g} to {images.max():g}, labels "
        f"{', '.join(splits.classes)}. (2) define: {layers}. (3) train: loss {records[0]['train_loss']:.3f} "
        f"to {records[-1]['train_loss']:.3f} in {len(records)} epochs. (4) estimate: {percent(accuracy)} of "
        f"{len(splits.test)} test images"
    )


def prove_pair() -> str:
    """D4: train a small net, write the pair, load it back, compare the predictions."""
    splits = load_dataset(SMALL.dataset)
    execution = start(SMALL, splits)
    list(train_epochs(execution))
    with tempfile.TemporaryDirectory() as folder:
        save_pair(execution.state.kept, splits.train.image_shape, Path(folder) / "model")
        loaded, _ = load_pair(Path(folder) / "model")
    before = predictor(execution.state.kept)(splits.test.images)
    after = predictor(loaded)(splits.test.images)
    same = int((before.argmax(1) == after.argmax(1)).sum())
    difference = np.abs(before - after).max()
    return f"{same} of {len(before)} predictions the same; logits differ by {difference:.1g} at most"


def prove_colour() -> str:
    """D5: train D1's net on images of three channels, the same digits in coloured ink on coloured paper."""
    splits = load_dataset(SMALL.dataset)
    coloured = _each_part(splits, _colour)
    execution = start(SMALL, coloured)
    list(train_epochs(execution))
    scores = evaluate_tests(execution)["clean"].scores
    shape = coloured.train.images.shape[1:]
    return f"images {shape}: {percent(scores['accuracy'])} of {scores['n_images']} test images"


def _each_part(splits: Splits, change: Callable[[Labelled], Labelled]) -> Splits:
    return replace(
        splits, train=change(splits.train), validation=change(splits.validation), test=change(splits.test)
    )


def _colour(data: Labelled) -> Labelled:
    """Every image with an ink and a paper of its own: (N, 1, H, W) -> (N, 3, H, W)."""
    rng = np.random.default_rng(0)
    ink, paper = rng.uniform(0.6, 1.0, (2, len(data), 3, 1, 1)).astype(np.float32)
    return replace(data, images=data.images * ink + (1 - data.images) * (1 - paper))


def draw_report_d(study: Study, results: Results) -> dict[str, Figure]:
    """D1's curves, and D3: the first training digits, test digits with predictions."""
    line = study.line("D1")
    splits = results.splits(line.runs[0].dataset)
    names = [splits.classes[label] for label in splits.train.labels[:20]]
    drawn = {
        "D3-training-digits": figures.digits_grid(
            splits.train.images[:20], names, title="D3: the first 20 training digits"
        )
    }
    if rows := results.rows_of(line):
        samples = rows[0]["samples"][line.test]
        chosen, probabilities = np.array(samples["indices"][4:]), np.array(samples["probabilities"][4:])
        drawn["D3-predictions"] = figures.predictions_grid(
            splits.test.images[chosen],
            splits.test.labels[chosen],
            probabilities,
            classes=splits.classes,
            title="D3: 20 random test digits",
        )
        drawn["D3-curves"] = figures.curves(results.histories(line), watched="test", title="D1")
    return drawn
