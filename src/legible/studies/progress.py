"""How far long judging is: told of each part, and of each thousand answers."""

from __future__ import annotations

import numpy as np

from legible.evaluation.judges import Predict
from legible.evaluation.likelihood import Progress

N_AT_ONCE = 1000  # images


def part_of(progress: Progress, number: int, n_parts: int) -> Progress:
    """Progress of part `number`, from 0, of n_parts equally long ones, told as that of all."""
    return lambda done, total: progress(number * total + done, n_parts * total)


def telling(predict: Predict, progress: Progress) -> Predict:
    """The same answers, some images at a time, telling how far they are."""

    def answer(images: np.ndarray) -> np.ndarray:
        answers = []
        for at in range(0, len(images), N_AT_ONCE):
            answers.append(predict(images[at : at + N_AT_ONCE]))
            progress(min(at + N_AT_ONCE, len(images)), len(images))
        return np.concatenate(answers)

    return answer
