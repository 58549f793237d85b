"""The tour: a short example of everything that the program does, with the included models and data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from legible.cards import find_card
from legible.choices import DENOISER, DIGIT_READER, GENERATOR
from legible.cleaning.clean import load_cleaner
from legible.cleaning.cleaner import Cleaner
from legible.data import load_dataset
from legible.data.page_maker import make_page
from legible.data.papers import draw_paper, photograph
from legible.data.split import Labelled, Splits
from legible.evaluation.measures import duration, say_score
from legible.generating.files import draw_sheet
from legible.images import Predict, to_bytes
from legible.inference.generator import Generator
from legible.inference.restorer import Restorer
from legible.noise import CLEAN, add_noise, split_chain
from legible.reading.read import load_reader
from legible.reading.reader import Reader
from legible.report import figures
from legible.report.tables import Table, percent
from legible.runs.carry_out import evaluate_tests, start, train_epochs
from legible.runs.run import Run, recipe_of
from legible.seeds import rng_for

DATA, MODEL, N_EPOCHS = "digits-embedded", "digits-fast", 20
NOISE = "gaussian:0.5"
NOISES = (CLEAN, "gaussian:0.3", NOISE, "salt-and-pepper:0.3", "gaussian-blur", "rotation", "stripes")
NUMBER, N_SHOWN = "1926", 10
PAGE, PAGE_DPI = (900, 700), 100
PAGE_NOISES = ("stains", "creases", "shadow")
Picture = Figure | Image.Image


@dataclass(frozen=True)
class Stop:
    """One step of the tour: a title, a few sentences, a command that does the same, pictures and a table."""

    title: str
    text: str
    command: str
    pictures: tuple[Picture, ...] = ()
    table: Table | None = None


def take_tour(seed: int = 0) -> Iterator[Stop]:
    """Run the tour and yield its stops; offline, in less than a minute. Equal seeds give equal tours."""
    splits = load_dataset(DATA)
    yield show_data(splits)
    trained, stop = train(splits, seed)
    yield stop
    reader = load_reader()
    yield add_noises(splits.test, trained, reader.digits.predict, seed)
    yield denoise(splits.test, trained, seed)
    generator = Generator.load(find_card(GENERATOR))
    yield read_number(reader, generator, seed)
    yield clean_page(load_cleaner(), seed)
    yield generate_digits(generator, seed)


def show_data(splits: Splits) -> Stop:
    """The digits that the tour uses."""
    some = splits.train.first(3 * N_SHOWN)
    names = [splits.classes[label] for label in some.labels]
    n_digits = len(splits.named("all"))
    return Stop(
        "Digits",
        f"{n_digits:,} handwritten digits of 28 x 28 pixels are included, with labels. A network is trained "
        "on most of them, and tested on the others, most of which are from other writers.",
        "legible datasets list",
        (figures.digits_grid(some.images, names, title="The first digits, and their labels"),),
    )


def train(splits: Splits, seed: int) -> tuple[Predict, Stop]:
    """Train a classifier in seconds."""
    run = Run(
        model=MODEL, dataset=DATA, seed=seed, watch="validation",
        settings=replace(recipe_of(MODEL), n_epochs=N_EPOCHS),
    )  # fmt: skip
    execution = start(run, splits)
    records = list(train_epochs(execution))
    scores = evaluate_tests(execution)[CLEAN].scores
    seconds = sum(record["seconds"] for record in records)
    return execution.steps.predictor(execution), Stop(
        "Train a network",
        f"`{MODEL}` was trained on {len(splits.train):,} digits for {N_EPOCHS} epochs in "
        f"{duration(seconds)}, and reads {percent(scores['accuracy'])} of {len(splits.test)} test digits "
        "correctly. Guessing would give 10 %.",
        f"legible train {MODEL} -d {DATA} --epochs {N_EPOCHS}",
        (figures.curves(records, title="Accuracy and loss by epoch"),),
    )


def add_noises(test: Labelled, trained: Predict, shipped: Predict, seed: int) -> Stop:
    """The effect of noise on the network just trained, and on the shipped one."""
    rows, accuracies = {}, []
    for noise in NOISES:
        images = add_noise(test.images, rng_for("tour", noise, seed), split_chain(noise))
        rows[noise] = images[:N_SHOWN]
        accuracies.append([noise, *(percent(_accuracy(model, images, test)) for model in (trained, shipped))])
    return Stop(
        "Add noise",
        "The same digits with some of the available noises. The network above was trained without noise; the "
        f"shipped `{DIGIT_READER}` was trained on MNIST with noise: "
        f"{say_score(find_card(DIGIT_READER).main_score)}.",
        f"legible evaluate {DIGIT_READER} -d {DATA} --noise {NOISE}",
        (figures.noise_gallery(rows),),
        Table(["noise", "the network above", f"the shipped {DIGIT_READER}"], accuracies),
    )


def denoise(test: Labelled, trained: Predict, seed: int) -> Stop:
    """Remove noise."""
    denoiser = Restorer.load(find_card(DENOISER))
    noisy = add_noise(test.images, rng_for("tour", NOISE, seed), [NOISE])
    restored = denoiser.restore(noisy)
    before, after = (percent(_accuracy(trained, images, test)) for images in (noisy, restored))
    shown = slice(N_SHOWN)
    return Stop(
        "Remove noise",
        f"`{DENOISER}` was trained on millions of noisy digits and their originals. With the noise {NOISE}, "
        f"the network above reads {before} of the digits correctly; after denoising, {after}.",
        f"legible evaluate {DENOISER} -d {DATA} --noise {NOISE} --pictures seen",
        (figures.restored_rows(test.images[shown], noisy[shown], restored[shown]),),
    )


def read_number(reader: Reader, generator: Generator, seed: int) -> Stop:
    """Find and read a number in a picture."""
    rng = rng_for("tour number", seed)
    digits = generator.generate(list(NUMBER), rng, temperature=0.6)[:, 0]
    ink = np.pad(np.hstack([digit[:, 3:25] for digit in digits]), 16)
    ink = np.kron(ink, np.ones((3, 3), np.float32))
    picture = to_bytes(1 - photograph(draw_paper(ink.shape, rng), ink, 0.9, rng))
    reading = reader.read(picture)
    return Stop(
        "Read a number",
        f"A handwritten number is found and read: “{reading.text}”, with a confidence of "
        f"{percent(reading.confidence)}. Anything that isn't a digit is rejected.",
        "legible read number.png --plot seen.png",
        tuple(reading.draw()),
    )


def clean_page(cleaner: Cleaner, seed: int) -> Stop:
    """Clean a dirty page."""
    rng = rng_for("tour page", seed)
    page = make_page(
        rng,
        size=PAGE,
        dpi=PAGE_DPI,
        blocks=("heading", "paragraph", "paragraph", "table"),
        languages=("English",),
    )
    dirty = to_bytes(1 - add_noise(page.ink[None, None], rng, PAGE_NOISES)[0, 0])
    cleaned = cleaner.clean(dirty)
    both = Image.fromarray(np.hstack([dirty, np.full((PAGE[0], 12), 128, np.uint8), cleaned.image]))
    return Stop(
        "Clean a page",
        f"A page with {', '.join(PAGE_NOISES[:-1])} and {PAGE_NOISES[-1]}, before and after `legible clean`, "
        f"which took {duration(cleaned.seconds)}. Pages may have any size.",
        "legible clean scan.png -o clean.png",
        (both,),
    )


def generate_digits(generator: Generator, seed: int) -> Stop:
    """Generate new digits, and show the effect of single latents."""
    rng = rng_for("tour drawing", seed)
    sheet = draw_sheet(generator.generate(list(generator.classes) * 3, rng))
    steps = np.linspace(-3, 3, N_SHOWN - 1)
    walks = {
        f"latent {which}": np.concatenate(
            [generator.generate(["3"], rng, temperature=0, moved={which: float(step)}) for step in steps]
        )
        for which in generator.rank_latents(4)
    }
    return Stop(
        "Generate new digits",
        f"`{GENERATOR}` generates each digit from {generator.card.n_latents:,} random numbers, its latents. "
        "Below, the four latents with the largest effect vary from -3 to 3, one at a time: they change the "
        "slant, stroke width and width of a three.",
        "legible generate -n 30 -o digits.png",
        (_enlarge(sheet), figures.latent_walk(walks, title="One latent varied, the others fixed")),
    )


def _accuracy(predict: Predict, images: np.ndarray, test: Labelled) -> float:
    return float((predict(images).argmax(1) == test.labels).mean())


def _enlarge(picture: Image.Image, times: int = 2) -> Image.Image:
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)
