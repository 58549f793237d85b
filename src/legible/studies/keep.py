"""Keep a finished training: a folder with the card, the judgement and its pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors.torch import save

from legible.apply.runtime import load_runtime
from legible.cards import WEIGHTS, Card, open_card, write_card
from legible.evaluation.measure import Judgement
from legible.evaluation.verify import score_on_embedded
from legible.models import count_parameters
from legible.output import new_folder
from legible.report import figures
from legible.studies.plan import Run
from legible.studies.provenance import describe_machine, find_commit, today
from legible.studies.runner import Work
from legible.training.exchange import to_onnx


def keep_work(
    work: Work, judgements: dict[str, Judgement], folder: Path, command: str, *, overwrite: bool = False
) -> Card:
    """Write a finished training's folder in one go: card, judgement.json and pictures.

    command: what made it, for the card. Raises OutputError; then nothing is left at `folder`.
    """
    with new_folder(folder, overwrite=overwrite) as temporary:
        save_card(work, judgements, temporary, folder.name, command)
        whole = {"run": work.run.to_json(), "history": work.history,
                 "tests": {name: judgement.to_json() for name, judgement in judgements.items()}}  # fmt: skip
        (temporary / "judgement.json").write_text(json.dumps(whole, indent=2) + "\n")
        draw_judgement(work, judgements[work.run.tests[0]], temporary)
    return open_card(folder)


def save_card(work: Work, judgements: dict[str, Judgement], folder: Path, name: str, command: str) -> Card:
    """Write card.json, weights.safetensors and model.onnx into a folder, and score the ONNX file."""
    model = work.state.kept
    shape = work.stage.train.image_shape
    tensors = {k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}
    (folder / WEIGHTS).write_bytes(save(tensors))
    facts: dict[str, Any] = {
        "name": name,
        "task": "classify",
        "model": work.run.model,
        "classes": list(work.stage.train.classes),
        "input": {
            "shape": list(shape),
            "type": "float32",
            "range": [0, 1],
            "ink": 1,
            "layout": "(N, C, H, W)",
            "prepared_as": work.run.dataset,
        },
        "output": "logits (N, K); softmax gives probabilities",
        "n_parameters": count_parameters(work.state.model),
        "trained": _describe_training(work, command),
        "scores": [_score(work.run, test, judgement) for test, judgement in judgements.items()],
    }
    network = to_onnx(model, shape)
    card = write_card(folder, facts, network)
    facts["scores"] += score_on_embedded(card, load_runtime(card))
    return write_card(folder, facts, network)


def _describe_training(work: Work, command: str) -> dict[str, Any]:
    return {
        "command": command,
        "run": work.run.to_json(),
        "run_key": work.key,
        "n_images": len(work.stage.train),
        "seconds": sum(record["seconds"] for record in work.history),
        "machine": describe_machine(),
        "commit": find_commit(),
        "date": today(),
    }


def _score(run: Run, test: str, judgement: Judgement) -> dict[str, Any]:
    return {
        "dataset": run.dataset, "split": "test", "noise": test, "n_images": judgement.n_images,
        "accuracy": judgement.accuracy, "loss_nats": judgement.loss_nats,
        "calibration_error": judgement.calibration_error,
    }  # fmt: skip


def draw_judgement(work: Work, judgement: Judgement, folder: Path) -> None:
    """Draw a training's pictures into a folder: predictions, curves, confusion, reliability, worst images."""
    test = work.stage.tests[work.run.tests[0]]
    for name, figure in figures.judgement_figures(test, judgement, work.history).items():
        figures.save_figure(figure, folder / f"{name}.png", overwrite=True)
