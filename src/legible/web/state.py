"""What a running server holds: its limits, the models, loaded once, and the work queues."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from starlette.requests import Request

from legible.choices import DENOISER, GENERATOR
from legible.cleaning.clean import load_cleaner
from legible.cleaning.cleaner import Cleaner
from legible.images import to_bytes
from legible.inference.classifier import Classifier
from legible.inference.generator import Generator
from legible.inference.restorer import Restorer
from legible.inference.saved import load
from legible.memory import return_freed_memory
from legible.reading.read import load_reader
from legible.reading.reader import Reader
from legible.web.work_queue import WorkQueue

N_SLIDERS = 6
MAX_QUICK_BYTES = 300_000  # a larger upload goes to the slow queue


@dataclass(frozen=True)
class Limits:
    """What one request may send, and how many requests may wait.

    max_upload_bytes: of one upload. max_total_bytes: of all uploads being received or worked on.
    max_page_pixels: of one page. idle_timeout_s: how long a client may pause while it sends a request;
    body_timeout_s: how long sending it may take in all. max_waiting: requests in each queue besides those
    that run.
    """

    max_upload_bytes: int = 64_000_000
    max_total_bytes: int = 1_000_000_000
    max_page_pixels: int = 50_000_000
    idle_timeout_s: float = 10.0
    body_timeout_s: float = 300.0
    max_waiting: int = 64


@dataclass
class ServerState:
    """The limits, models and work queues of a running server."""

    limits: Limits
    reader: Reader
    cleaner: Cleaner
    denoiser: Restorer
    generator: Generator
    quick: WorkQueue  # work of milliseconds: small pictures, new digits
    slow: WorkQueue  # pages, one at a time: each uses all cores and much memory
    progress: dict[str, tuple[int, int]] = field(default_factory=dict)  # by name: pages done, pages in all

    @cached_property
    def sliders(self) -> tuple[int, ...]:
        """The latents that change generated digits the most; finding them takes a second."""
        return self.generator.rank_latents(N_SLIDERS)

    @property
    def digits(self) -> Classifier:
        """The classifier of single digits."""
        return self.reader.digits

    def queue_for(self, n_bytes: int | None) -> WorkQueue:
        """The queue for a picture to read, by the size of its file: large ones wait with the pages."""
        return self.slow if (n_bytes or 0) > MAX_QUICK_BYTES else self.quick

    def close(self) -> None:
        """Accept no more work and refuse what waits."""
        self.quick.close()
        self.slow.close()

    def join(self) -> None:
        """Wait for the work that is still running."""
        self.quick.join()
        self.slow.join()


def state_of(request: Request) -> ServerState:
    """The state of the server that received this request."""
    state: ServerState = request.app.state.server
    return state


def load_state(limits: Limits) -> ServerState:
    """Load all models and use each once, so that the first request is as fast as later ones."""
    cleaner, denoiser, generator = load_cleaner(), load(DENOISER), load(GENERATOR)
    assert isinstance(denoiser, Restorer)
    assert isinstance(generator, Generator)

    def free_memory() -> None:
        cleaner.restorer.run.release()
        return_freed_memory()

    state = ServerState(
        limits, load_reader(), cleaner, denoiser, generator,
        quick=WorkQueue("quick", 2, limits.max_waiting),
        slow=WorkQueue("slow", 1, limits.max_waiting, free_memory),
    )  # fmt: skip
    images = state.generator.generate(["7"], np.random.default_rng(0))  # (1, 1, 28, 28)
    state.denoiser.restore(images)
    seven = to_bytes(1 - images[0, 0])
    state.reader.read(seven)
    state.cleaner.clean(seven)
    return state
