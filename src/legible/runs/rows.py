"""Rows of results: what is kept of a finished run, a line of JSON each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from legible.errors import InputError
from legible.evaluation.evaluation_set import EvaluationReport
from legible.output import append_line
from legible.runs.provenance import describe_machine, find_commit, today
from legible.training.loop import choose_precision, find_device

if TYPE_CHECKING:
    from legible.runs.execution import Execution


def make_row(execution: Execution, reports: Mapping[str, EvaluationReport]) -> dict[str, Any]:
    """What is kept of a finished run: settings, scores, curve, samples, and where and when it was made."""
    return {
        "key": execution.key,
        "run": execution.run.to_json(),
        "scores": {
            name: {k: round_figure(v) if k != "accuracy" else v for k, v in report.scores.items()}
            for name, report in reports.items()
        },
        "history": [{k: round_figure(v) for k, v in record.items()} for record in execution.history],
        "samples": {
            name: execution.steps.sample(execution, shown.seen)
            for name, shown in execution.data.tests.items()
        },
        "n_parameters": execution.n_parameters,
        "train_seconds": round_figure(sum(record["seconds"] for record in execution.history)),
        "machine": describe_machine(),
        "precision": choose_precision(execution.run.settings.precision, find_device()),
        "n_threads": torch.get_num_threads(),
        "commit": find_commit(),
        "date": today(),
    }


def round_figure(value: Any) -> Any:
    """A float to six significant digits, as rows have it; anything else as it is."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def read_rows(path: Path) -> dict[str, dict[str, Any]]:
    """All rows of a file by key; a later row of the same run replaces an earlier one.

    Raises InputError, with the line's number, for a line that is not a row.
    """
    rows: dict[str, dict[str, Any]] = {}
    if not path.exists():
        return rows
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        try:
            row = json.loads(line)
            rows[row["key"]] = row
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}, line {number}, is not a row of results: {error}. Remove that line."
            ) from error
    return rows


def append_row(path: Path, row: dict[str, Any]) -> None:
    """Add a finished run to the file of rows, in one write."""
    append_line(path, json.dumps(row, separators=(",", ":")))
