"""Keep a finished training: a folder with the card, the evaluation and its pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legible.cards import WEIGHTS, Card, open_card, write_card
from legible.evaluation.evaluation_set import EvaluationReport
from legible.models import multiple_of, own_input_shape
from legible.output import new_folder
from legible.runs.provenance import describe_machine, find_commit, today
from legible.stored_names import to_stored
from legible.training.exchange import share_weights, to_onnx, to_safetensors

if TYPE_CHECKING:
    from legible.runs.execution import Execution


def keep_execution(
    execution: Execution,
    reports: Mapping[str, EvaluationReport],
    folder: Path,
    command: str,
    *,
    overwrite: bool = False,
) -> Card:
    """Write a finished training's folder in one go: card, evaluation.json and pictures.

    command: what made it, for the card. Raises OutputError; then nothing is left at `folder`.
    """
    from legible.report.look import save_figures  # matplotlib takes a third of a second to load

    with new_folder(folder, overwrite=overwrite) as temporary:
        save_card(execution, reports, temporary, folder.name, command)
        whole = {"run": execution.run.to_json(), "history": execution.history,
                 "tests": {name: report.to_json() for name, report in reports.items()}}  # fmt: skip
        (temporary / "evaluation.json").write_text(json.dumps(whole, indent=2) + "\n")
        save_figures(execution.steps.figures(execution, reports[execution.run.tests[0]]), temporary)
    return open_card(folder)


def save_card(
    execution: Execution, reports: Mapping[str, EvaluationReport], folder: Path, name: str, command: str
) -> Card:
    """Write card.json, weights.safetensors and model.onnx into a folder, and score the ONNX file."""
    run, kind, model = execution.run, execution.run.kind, execution.state.kept
    shape = own_input_shape(model) or execution.data.tests[run.tests[0]].seen.image_shape
    (folder / WEIGHTS).write_bytes(to_safetensors(model))
    multiple, own = multiple_of(model), execution.steps.card_facts(execution)
    facts: dict[str, Any] = {
        "name": name,
        "task": to_stored(kind.name),
        "model": run.to_json()["model"],
        "classes": own["classes"],
        "input": {
            "shape": list(shape),
            "type": "float32",
            "range": [0, 1],
            "ink": 1,
            "layout": "(N, C, H, W)",
            "prepared_as": run.dataset,
            **({} if execution.data.is_prepared else {"whole_pictures": True}),
            **({"multiple": multiple} if multiple else {}),
            **own["input"],
        },
        "output": kind.output,
        "n_parameters": execution.n_parameters,
        **({"confidence": execution.confidence} if execution.confidence else {}),
        "trained": _describe_training(execution, command),
        "scores": [
            {"dataset": run.dataset, "split": "test", "noise": test, **report.scores}
            for test, report in reports.items()
        ],
    }
    network = share_weights(to_onnx(model, shape, kind), (folder / WEIGHTS).read_bytes())
    card = write_card(folder, facts, network)
    facts["scores"] += kind.part("recheck")(kind.part("loader").load(card))
    return write_card(folder, facts, network)


def _describe_training(execution: Execution, command: str) -> dict[str, Any]:
    return {
        "command": command,
        "run": execution.run.to_json(),
        "run_key": execution.key,
        "n_images": len(execution.data.train),
        "seconds": sum(record["seconds"] for record in (*execution.history, *execution.members)),
        **({"members": execution.members} if execution.members else {}),
        "machine": describe_machine(),
        "commit": find_commit(),
        "date": today(),
    }
