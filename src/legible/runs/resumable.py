"""What a long evaluation has found so far, in a file, so that one that is cut off goes on where it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from legible.evaluation.likelihood import SampleLogWeights


def resumable(make: Callable[[int], SampleLogWeights], path: Path) -> SampleLogWeights:
    """A function that weighs as the one made does, and keeps each answer in a file.

    make: from how many answers there are already to a function that gives those that follow. The first calls
    after a restart, which must ask as those before it did, are answered from the file. An answer that was cut
    off in the middle is dropped and asked for anew.
    """
    kept = np.fromfile(path, np.float32) if path.exists() else np.empty(0, np.float32)
    n_read = n_answers = 0
    fresh: SampleLogWeights | None = None

    def log_weights(images: np.ndarray, labels: np.ndarray, n_samples: int) -> np.ndarray:
        nonlocal n_read, n_answers, fresh
        shape = (len(images), n_samples)
        end = n_read + shape[0] * shape[1]
        if fresh is None and end <= len(kept):
            answer = kept[n_read:end].reshape(shape)
            n_read, n_answers = end, n_answers + 1
            return answer
        if fresh is None:
            fresh = make(n_answers)
            with path.open("ab") as file:
                file.truncate(n_read * kept.itemsize)
        answer = fresh(images, labels, n_samples).astype(np.float32)
        with path.open("ab") as file:
            file.write(answer.tobytes())
        return answer

    return log_weights
