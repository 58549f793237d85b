"""Reports of progress: a class with methods to override, which do nothing by default."""

from __future__ import annotations

from typing import Any


class Progress:
    """Receives reports from long work. The command line prints them; other programs may show them."""

    def say(self, *sentences: str) -> None:
        """Called with sentences about what was found or decided."""

    def download(self, file: str, done: int, total: int) -> None:
        """Called during a download with the bytes done and in total (0: unknown)."""

    def epoch(self, record: dict[str, Any], n_epochs: float, label: str = "") -> None:
        """Called after each epoch of a training. label: names the training, if there are several."""

    def count(self, what: str, done: int, total: int) -> None:
        """Called during long work, such as an evaluation, with the items done and in total."""
