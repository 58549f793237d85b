"""The models that the server uses, loaded once, and the places where its work is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from legible.apply.classifier import Classifier
from legible.apply.cleaner import Cleaner
from legible.apply.generator import Generator
from legible.apply.reader import Reader
from legible.apply.restorer import Restorer
from legible.apply.saved import DENOISER, DRAWER, load, load_cleaner, load_reader
from legible.images import to_bytes
from legible.memory import hand_back_memory
from legible.web.desk import Desk

N_SLIDERS = 6
QUICK_BYTES = 300_000  # an upload of more is worked on where pages are


@dataclass(frozen=True)
class Limits:
    """What one request may bring, and how many at once.

    bytes: of an upload. all_bytes: of all uploads that are on the way. pixels: of a page. idle_s: how long a
    client may pause in the middle of its request; body_s: how long it may take in all.
    """

    bytes: int = 64_000_000
    all_bytes: int = 1_000_000_000
    pixels: int = 50_000_000
    idle_s: float = 10.0
    body_s: float = 300.0
    n_waiting: int = 64


@dataclass
class Shelf:
    """All that a running server holds."""

    limits: Limits
    reader: Reader
    cleaner: Cleaner
    denoiser: Restorer
    drawer: Generator
    quick: Desk  # what takes milliseconds
    slow: Desk  # pages: one at a time, for each takes both cores and much memory
    progress: dict[str, tuple[int, int]] = field(default_factory=dict)  # by request: pages done, of how many

    @cached_property
    def sliders(self) -> tuple[int, ...]:
        """The numbers behind a drawing that change it the most; to find them takes a second."""
        return self.drawer.most_telling(N_SLIDERS)

    @property
    def digits(self) -> Classifier:
        """The reader of single digits."""
        return self.reader.digits

    def desk_for(self, n_bytes: int | None) -> Desk:
        """Where a picture of digits is worked on: a large one where pages are."""
        return self.slow if (n_bytes or 0) > QUICK_BYTES else self.quick

    def close(self) -> None:
        """Refuse what waits and what still comes."""
        self.quick.close()
        self.slow.close()

    def finish(self) -> None:
        """Wait for what still runs."""
        self.quick.finish()
        self.slow.finish()


def fill_shelf(limits: Limits) -> Shelf:
    """Load all models, and use each once: what takes long the first time is done before anybody waits."""
    cleaner, denoiser, drawer = load_cleaner(), load(DENOISER), load(DRAWER)
    assert isinstance(denoiser, Restorer)
    assert isinstance(drawer, Generator)

    def tidy() -> None:
        cleaner.restorer.run.release()
        hand_back_memory()

    shelf = Shelf(
        limits, load_reader(), cleaner, denoiser, drawer,
        quick=Desk("quick", 2, limits.n_waiting), slow=Desk("slow", 1, limits.n_waiting, tidy),
    )  # fmt: skip
    some = shelf.drawer.draw(["7"], np.random.default_rng(0))
    shelf.denoiser.restore(some)
    seven = to_bytes(1 - some[0, 0])
    shelf.reader.read(seven)
    shelf.cleaner.clean(seven)
    return shelf
