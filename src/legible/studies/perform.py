"""Do a run from start to row, and keep what it has trained where that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from legible.data.split import Splits
from legible.evaluation.judges import Verdict
from legible.evaluation.likelihood import Progress
from legible.studies.confident import settle_confidence
from legible.studies.plan import Run
from legible.studies.runner import Work, advance, begin, conclude, judging_files, make_row
from legible.training.exchange import round_weights

Keep = Callable[[Work, Mapping[str, Verdict]], object]


def perform(
    run: Run, splits: Splits, folder: Path, progress: Progress | None = None, *, keep: Keep | None = None
) -> Iterator[dict[str, Any]]:
    """Do a run from start to row, surviving a kill: yields a record per epoch, then the row itself.

    The row, which has a `key`, is the last thing yielded; the checkpoint in `folder` is removed then.
    keep: called with what was trained and how it was judged, before that.
    """
    checkpoint = folder / f"{run.key(splits.data_hash)}.safetensors"
    work = begin(run, splits, checkpoint)
    yield from advance(work, checkpoint)
    verdicts = judge_finished(work, progress, checkpoint)
    if keep is not None:
        keep(work, verdicts)
    yield make_row(work, verdicts)
    for path in (checkpoint, *judging_files(run, checkpoint)):
        path.unlink(missing_ok=True)


def judge_finished(work: Work, progress: Progress | None, checkpoint: Path | None) -> dict[str, Verdict]:
    """Round what was trained as files keep it, make its confidence honest, and judge what will be used."""
    round_weights(work.state.kept)
    settle_confidence(work)
    return conclude(work, progress, checkpoint)
