"""The tour: all that the program does, small and in turn, on what ships with it; each stop in a few words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from legible.apply.cleaner import Cleaner
from legible.apply.drawings import draw_sheet
from legible.apply.drawn_readings import draw_reading
from legible.apply.generator import Generator
from legible.apply.reader import Reader
from legible.apply.restorer import Restorer
from legible.apply.runtime import Predict
from legible.apply.saved import DENOISER, DIGITS, DRAWER, load, load_cleaner, load_reader
from legible.cards import find_card
from legible.data import load_dataset
from legible.data.page_maker import make_page
from legible.data.papers import draw_paper, photograph
from legible.data.split import Labelled, Splits
from legible.evaluation.measures import duration, say_score
from legible.images import to_bytes
from legible.noise import CLEAN, add_noise, split_chain
from legible.report import figures
from legible.report.tables import Table, percent
from legible.seeds import rng_for
from legible.studies import runner
from legible.studies.plan import Run, recipe_of

DATA, MODEL, N_EPOCHS = "digits-embedded", "digits-fast", 20
NOISE = "gaussian:0.5"
NOISES = (CLEAN, "gaussian:0.3", NOISE, "salt-and-pepper:0.3", "gaussian-blur", "rotation", "stripes")
NUMBER, N_SHOWN = "1926", 10
PAGE, PAGE_DPI = (900, 700), 100
PAGE_NOISES = ("stains", "creases", "shadow")
Picture = Figure | Image.Image


@dataclass(frozen=True)
class Stop:
    """One step of the tour: what it is about, what is to be seen, and the command that does the same."""

    title: str
    told: str
    command: str
    pictures: tuple[Picture, ...] = ()
    table: Table | None = None


def take_tour(seed: int = 0) -> Iterator[Stop]:
    """Go through it, stop by stop; offline, in less than a minute. Equal seeds give equal tours."""
    splits = load_dataset(DATA)
    yield show_data(splits)
    trained, stop = train(splits, seed)
    yield stop
    reader = load_reader()
    yield put_noise(splits.test, trained, reader.digits.predict, seed)
    yield denoise(splits.test, trained, seed)
    drawer = load(DRAWER)
    assert isinstance(drawer, Generator)
    yield read_number(reader, drawer, seed)
    yield clean_page(load_cleaner(), seed)
    yield draw_digits(drawer, seed)


def show_data(splits: Splits) -> Stop:
    """The digits that everything begins with."""
    some = splits.train.first(3 * N_SHOWN)
    names = [splits.classes[label] for label in some.labels]
    n_digits = len(splits.named("all"))
    return Stop(
        "Digits",
        f"{n_digits:,} handwritten digits come along, 28 x 28 pixels each, with what they are. A net learns "
        "from most of them; how good it is shows on the others, of other hands.",
        "legible datasets list",
        (figures.digits_grid(some.images, names, title="The first digits, and their labels"),),
    )


def train(splits: Splits, seed: int) -> tuple[Predict, Stop]:
    """A classifier from nothing, in seconds."""
    run = Run(
        model=MODEL, dataset=DATA, seed=seed, watch="validation",
        settings=replace(recipe_of(MODEL), n_epochs=N_EPOCHS),
    )  # fmt: skip
    work = runner.begin(run, splits)
    records = list(runner.advance(work))
    scores = runner.conclude(work)[CLEAN].scores
    seconds = sum(record["seconds"] for record in records)
    return runner.answers_of(work), Stop(
        "Train a net",
        f"`{MODEL}` saw {len(splits.train):,} digits {N_EPOCHS} times in {duration(seconds)}, and reads "
        f"{percent(scores['accuracy'])} of {len(splits.test)} digits that it has not seen. Guessing "
        "would give 10 %.",
        f"legible train {MODEL} -d {DATA} --epochs {N_EPOCHS}",
        (figures.curves(records, title="Accuracy and loss, epoch by epoch"),),
    )


def put_noise(test: Labelled, answers: Predict, shipped: Predict, seed: int) -> Stop:
    """What noise does to the digits, and to who reads them: the net of before, and the one that ships."""
    rows, told = {}, []
    for noise in NOISES:
        images = add_noise(test.images, rng_for("tour", noise, seed), split_chain(noise))
        rows[noise] = images[:N_SHOWN]
        told.append([noise, *(percent(_accuracy(answer, images, test)) for answer in (answers, shipped))])
    return Stop(
        "Make it hard",
        "The same digits through some of the program's noises. The net of before has seen none of these; "
        f"`{DIGITS}`, which ships, learnt from MNIST under noise: {say_score(find_card(DIGITS).main_score)}.",
        f"legible evaluate {DIGITS} -d {DATA} --noise {NOISE}",
        (figures.noise_gallery(rows),),
        Table(["noise", "the net of before", f"{DIGITS}, which ships"], told),
    )


def denoise(test: Labelled, answers: Predict, seed: int) -> Stop:
    """Noise taken off again."""
    denoiser = load(DENOISER)
    assert isinstance(denoiser, Restorer)
    noisy = add_noise(test.images, rng_for("tour", NOISE, seed), [NOISE])
    restored = denoiser.restore(noisy)
    before, after = (percent(_accuracy(answers, images, test)) for images in (noisy, restored))
    shown = slice(N_SHOWN)
    return Stop(
        "Take the noise off",
        f"`{DENOISER}` was shown millions of noisy digits and what they were. Of the digits under {NOISE} "
        f"the net of before reads {before}; of what the denoiser makes of them, {after}.",
        f"legible evaluate {DENOISER} -d {DATA} --noise {NOISE} --pictures seen",
        (figures.restored_rows(test.images[shown], noisy[shown], restored[shown]),),
    )


def read_number(reader: Reader, drawer: Generator, seed: int) -> Stop:
    """A number written on paper, found and read."""
    rng = rng_for("tour number", seed)
    digits = drawer.draw(list(NUMBER), rng, temperature=0.6)[:, 0]
    ink = np.pad(np.hstack([digit[:, 3:25] for digit in digits]), 16)
    ink = np.kron(ink, np.ones((3, 3), np.float32))
    picture = to_bytes(1 - photograph(draw_paper(ink.shape, rng), ink, 0.9, rng))
    reading = reader.read(picture)
    return Stop(
        "Read a number",
        f"A number on paper is found, cut and read digit by digit: “{reading.text}”, "
        f"{percent(reading.confidence)} sure. What is no digit is refused.",
        "legible read number.png --plot seen.png",
        (draw_reading(picture, reading),),
    )


def clean_page(cleaner: Cleaner, seed: int) -> Stop:
    """A page under dirt, and without it."""
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
        f"A page with {', '.join(PAGE_NOISES[:-1])} and {PAGE_NOISES[-1]}, and what `legible clean` makes of "
        f"it in {duration(cleaned.seconds)}. Pages may be of any size.",
        "legible clean scan.png -o clean.png",
        (both,),
    )


def draw_digits(drawer: Generator, seed: int) -> Stop:
    """Digits that nobody has written, and what moves them."""
    rng = rng_for("tour drawing", seed)
    sheet = draw_sheet(drawer.draw(list(drawer.classes) * 3, rng))
    steps = np.linspace(-3, 3, N_SHOWN - 1)
    walks = {
        f"number {which}": np.concatenate(
            [drawer.draw(["3"], rng, temperature=0, moved={which: float(step)}) for step in steps]
        )
        for which in drawer.most_telling(4)
    }
    return Stop(
        "Draw new ones",
        f"`{DRAWER}` makes digits out of {drawer.card.n_latents:,} random numbers. Below, a three whose most "
        "telling numbers go from -3 to 3, one at a time: its slant, its weight, its breadth.",
        "legible generate -n 30 -o digits.png",
        (_enlarge(sheet), figures.latent_walk(walks, title="One number moved, the others at rest")),
    )


def _accuracy(answers: Predict, images: np.ndarray, test: Labelled) -> float:
    return float((answers(images).argmax(1) == test.labels).mean())


def _enlarge(picture: Image.Image, times: int = 2) -> Image.Image:
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)
