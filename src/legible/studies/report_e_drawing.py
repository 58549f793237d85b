"""Report E, row E8: new digits by variational autoencoders, and what they are worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from legible.cards import find_card
from legible.evaluation.generation_metrics import nearest_neighbours
from legible.inference.generator import Generator
from legible.inference.runtime import load_decoder
from legible.report import figures
from legible.runs.image_codec import decode_images
from legible.runs.run import Run, recipe_of
from legible.seeds import rng_for
from legible.studies.results import Results
from legible.studies.study import Line, Study

LADDER = Run(
    model="vae-ladder",
    settings=recipe_of("vae-ladder"),
    train_noise=("binary",),
    tests=("binary",),
    task="generate:samples=500",
)
STATIC = replace(LADDER, fresh_noise=False)
DENSE = replace(LADDER, model="vae-dense")
MAP = replace(LADDER, model="vae-dense:latents=2,condition=no")
GENERATOR = "digit-generator"
WALKS = ((0, 6), (3, 8), (4, 9), (7, 1))
N_STEPS = 12


def drawing_lines() -> list[Line]:
    """The bound with either binarisation, and what the drawings are worth."""
    net = "convolutional ladder VAE, given the digit, 20 epochs"
    bound = "bound_without_label_nats"
    dynamic = _line("dynamic", f"{net}; black and white drawn anew at every showing", LADDER, bound, 83)
    note = (
        "importance-weighted bounds with 500 samples an image in full; where the model is given the digit "
        "log 10 is added, so that they compare with models that are not. The targets "
        "are our own: 83 nats, 99 %."
    )
    return [
        replace(dynamic, note=note),
        _line("static", f"{net}; black and white drawn once", STATIC, bound, 83),
        _line("as asked", "the dynamic one's drawings, read by digits-wide", LADDER, "read_as_asked", 0.99),
        _line("Fréchet", "their distance to real digits, in the logits of digits-wide", LADDER, "frechet"),
        _line("diversity", "mean distance between two of a digit, beside real digits", LADDER, "diversity"),
        _line("dense", "dense VAE, given the digit, 20 epochs; dynamic", DENSE, bound),
        _line("map", "dense VAE of two latents, not given the digit, 20 epochs; dynamic", MAP, "bound_nats"),
    ]


def _line(name: str, system: str, run: Run, measure: str, target: float | None = None) -> Line:
    return Line(
        f"E8 {name}",
        system,
        "like nothing",
        (run,),
        target,
        measure,
        "binary",
        quick_epochs=int(run.model != LADDER.model),
    )


def draw_drawing(study: Study, results: Results) -> dict[str, Figure]:
    """E8: drawings, the training digits nearest to them, walks between digits, the map of two latents."""
    drawn: dict[str, Figure] = {}
    if rows := results.rows_of(study.line("E8 dynamic")):
        drawn |= _draw_drawings(study, results, decode_images(rows[0]["samples"]["binary"]["drawn"]))
    if rows := results.rows_of(study.line("E8 map")):
        sample = rows[0]["samples"]["binary"]
        labels = results.splits(study.line("E8 map").runs[0].dataset).test.labels
        points, steps = np.array(sample["points"]), sample["steps"]
        drawn["E8-map"] = figures.latent_map(decode_images(sample["map"]), steps, steps)
        drawn["E8-plane"] = figures.latent_scatter(points, labels[: len(points)])
    return drawn


def _draw_drawings(study: Study, results: Results, images: np.ndarray) -> dict[str, Figure]:
    splits = results.splits(study.line("E8 dynamic").runs[0].dataset)
    asked = np.repeat(np.arange(10), len(images) // 10)
    training = splits.train.joined(splits.validation).images
    firsts = images[:: len(images) // 10]
    nearest, distances = nearest_neighbours(firsts, training)
    return {
        "E8-drawn": figures.samples_grid(images, asked, title="E8: new digits, drawn as asked"),
        "E8-nearest": figures.nearest_digits(
            firsts, training[nearest][:, None], distances[:, None],
            title="E8: drawn digits above the nearest training digits (Euclidean distance)",
        ),
        "E8-walk": figures.latent_walk(_walk(), title="E8: from one digit to another"),
    }  # fmt: skip


def _walk() -> dict[str, np.ndarray]:
    """From one digit to another with the shipped model: the class weights and the numbers turn together.

    On a sphere, since nearly all of a normal distribution of many numbers lies at one distance from 0.
    """
    card = find_card(GENERATOR)
    generator, rng = Generator(card, load_decoder(card)), rng_for("walk")
    shares = np.linspace(0, 1, N_STEPS, dtype=np.float32)[:, None]
    one_hot = np.eye(len(card.classes), dtype=np.float32)
    walks = {}
    for first, last in WALKS:
        here, there = rng.standard_normal((2, 1, card.n_latents), dtype=np.float32)
        latents = np.cos(shares * np.pi / 2) * here + np.sin(shares * np.pi / 2) * there
        rows = (1 - shares) * one_hot[first] + shares * one_hot[last]
        walks[f"{first} to {last}"] = generator.decode(latents, rows)
    return walks
