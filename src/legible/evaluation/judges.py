"""How each kind of model is judged: the same images, the measures of its kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from legible.cards import READS_LINES
from legible.data.split import Labelled
from legible.evaluation.measure import Judgement, judge
from legible.evaluation.measure_drawings import Drawings
from legible.evaluation.measure_images import Restoration, judge_restoration
from legible.evaluation.measure_lines import LineJudgement, judge_lines

Verdict = Judgement | Restoration | Drawings | LineJudgement
Predict = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Shown:
    """Images as a model sees them, with their labels, and the same images before any noise.

    by_kind: whether the labels tell kinds of noise, so that each is judged by itself too.
    """

    seen: Labelled
    clean: np.ndarray
    by_kind: bool = False


def judge_classes(predict: Predict, shown: Shown) -> Judgement:
    """Judge by the labels."""
    return judge(predict, shown.seen.images, shown.seen.labels, shown.seen.classes)


def judge_pixels(predict: Predict, shown: Shown) -> Restoration:
    """Judge by the clean images."""
    kinds = [shown.seen.classes[label] for label in shown.seen.labels] if shown.by_kind else None
    return judge_restoration(predict, shown.seen.images, shown.clean, kinds=kinds)


def judge_strings(predict: Predict, shown: Shown) -> LineJudgement:
    """Judge by strings composed from the images."""
    return judge_lines(predict, shown.seen)


# by the name of the task, as cards know it: judging a saved model needs no PyTorch
JUDGES: dict[str, Callable[[Predict, Shown], Verdict]] = {
    "classify": judge_classes,
    "restore": judge_pixels,
    READS_LINES: judge_strings,
}
