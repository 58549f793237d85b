"""What the studies of denoising share: levels of noise, test conditions, and figures of restored digits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from legible.evaluation.evaluation_set import make_evaluation_set
from legible.report import figures
from legible.runs.image_codec import decode_images
from legible.runs.run import canonical_test
from legible.studies.results import Results
from legible.studies.study import Line

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
KINDS = ("gaussian", "salt-and-pepper")


def at_levels(kind: str, restorer: str = "", levels: Sequence[float] = LEVELS) -> tuple[str, ...]:
    """Test conditions at every level of a kind of noise, through a restorer where one is named."""
    return tuple(canonical_test(f"{kind}:{level}" + (f">{restorer}" if restorer else "")) for level in levels)


def measure_levels(line: Line, results: Results, tests: Sequence[str], measure: str) -> list[list[float]]:
    """For each test condition what its runs that are done measured, as figures of levels take it."""
    rows = results.rows_of(line)
    return [[row["scores"][test][measure] for row in rows] for test in tests]


def draw_levels(line: Line, results: Results, kind: str, title: str) -> Figure | None:
    """Digits at every level of a kind of noise, restored by a line's first run; None while it is not done."""
    rows = results.rows_of(line)
    if not rows:
        return None
    run, tests = line.runs[0], at_levels(kind)
    test = results.splits(run.dataset).test
    samples = [rows[0]["samples"][name] for name in tests]
    indices = samples[0]["indices"]
    noisy = [make_evaluation_set(test, run.dataset, name).seen.images[indices] for name in tests]
    restored = [decode_images(sample["restored"]) for sample in samples]
    return figures.levels_grid(
        test.images[indices], np.stack(noisy, 1), np.stack(restored, 1), LEVELS, title=title
    )
