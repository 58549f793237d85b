"""Keep a finished training: a folder with the card, the judgement and its pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from legible.apply.runtime import load_runtime
from legible.cards import WEIGHTS, Card, open_card, write_card
from legible.evaluation.judges import Verdict
from legible.evaluation.verify import score_on_embedded
from legible.models import (
    AUTOENCODER,
    CLASSIFIER,
    READER,
    VAE,
    ImageShape,
    count_parameters,
    multiple_of,
    takes,
)
from legible.models.vae import Ladder
from legible.output import new_folder
from legible.report.look import save_figure
from legible.report.verdicts import drawing_figures, verdict_figures
from legible.studies.provenance import describe_machine, find_commit, today
from legible.studies.runner import Work, answers_of
from legible.training.exchange import decoder_to_onnx, share_weights, to_onnx, to_safetensors
from legible.training.variational import drawer

GIVES = {
    CLASSIFIER: "logits (N, K); softmax gives probabilities",
    READER: "logits (N, 1 + K, W / 2), the first 'nothing new': connectionist temporal classification",
    AUTOENCODER: "restored images (N, C, H, W) in [0, 1], 1 = ink",
    VAE: "drawings (N, C, H, W) in [0, 1] of standard normal numbers (N, D) and class weights (N, K)",
}


def keep_work(
    work: Work, verdicts: Mapping[str, Verdict], folder: Path, command: str, *, overwrite: bool = False
) -> Card:
    """Write a finished training's folder in one go: card, judgement.json and pictures.

    command: what made it, for the card. Raises OutputError; then nothing is left at `folder`.
    """
    with new_folder(folder, overwrite=overwrite) as temporary:
        save_card(work, verdicts, temporary, folder.name, command)
        whole = {"run": work.run.to_json(), "history": work.history,
                 "tests": {name: verdict.to_json() for name, verdict in verdicts.items()}}  # fmt: skip
        (temporary / "judgement.json").write_text(json.dumps(whole, indent=2) + "\n")
        draw_verdict(work, verdicts[work.run.tests[0]], temporary)
    return open_card(folder)


def save_card(work: Work, verdicts: Mapping[str, Verdict], folder: Path, name: str, command: str) -> Card:
    """Write card.json, weights.safetensors and model.onnx into a folder, and score the ONNX file."""
    model = work.state.kept
    shape = takes(model) or work.stage.tests[work.run.tests[0]].seen.image_shape
    (folder / WEIGHTS).write_bytes(to_safetensors(model))
    multiple = multiple_of(model)
    facts: dict[str, Any] = {
        "name": name,
        "task": work.run.does,
        "model": work.run.model,
        "classes": list(work.stage.train.classes) if knows_classes(model) else ["any"],
        "input": {
            "shape": list(shape),
            "type": "float32",
            "range": [0, 1],
            "ink": 1,
            "layout": "(N, C, H, W)",
            "prepared_as": work.run.dataset,
            **({"multiple": multiple} if multiple else {}),
            **({"latents": model.n_latents} if isinstance(model, Ladder) else {}),
        },
        "output": GIVES[work.run.kind],
        "n_parameters": count_parameters(work.state.model),
        **({"confidence": work.confidence} if work.confidence else {}),
        "trained": _describe_training(work, command),
        "scores": [
            {"dataset": work.run.dataset, "split": "test", "noise": test, **verdict.scores}
            for test, verdict in verdicts.items()
        ],
    }
    network = share_weights(_to_network(model, shape, work.run.kind), (folder / WEIGHTS).read_bytes())
    card = write_card(folder, facts, network)
    if not isinstance(model, Ladder):
        facts["scores"] += score_on_embedded(card, load_runtime(card))
    return write_card(folder, facts, network)


def knows_classes(model: nn.Module) -> bool:
    """Whether what the model gives has to do with classes: not of one that draws whatever comes."""
    return not isinstance(model, Ladder) or model.n_classes > 1


def _to_network(model: nn.Module, shape: ImageShape, kind: str) -> bytes:
    return decoder_to_onnx(model) if isinstance(model, Ladder) else to_onnx(model, shape, kind)


def _describe_training(work: Work, command: str) -> dict[str, Any]:
    return {
        "command": command,
        "run": work.run.to_json(),
        "run_key": work.key,
        "n_images": len(work.stage.train),
        "seconds": sum(record["seconds"] for record in (*work.history, *work.members)),
        **({"members": work.members} if work.members else {}),
        "machine": describe_machine(),
        "commit": find_commit(),
        "date": today(),
    }


def draw_verdict(work: Work, verdict: Verdict, folder: Path) -> None:
    """Draw a training's pictures into a folder: what it answered, its curves, its worst images."""
    shown, model = work.stage.tests[work.run.tests[0]], work.state.kept
    if isinstance(model, Ladder):
        drawn = drawing_figures(drawer(model), shown, work.stage.train.images, work.history)
    else:
        drawn = verdict_figures(shown, verdict, answers_of(work), work.history)
    for name, figure in drawn.items():
        save_figure(figure, folder / f"{name}.png", overwrite=True)
