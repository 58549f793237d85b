"""Make a trained net's confidence honest before it is judged and kept."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from legible.cards import READS_LINES
from legible.ctc import in_batches
from legible.evaluation.calibrate import class_loss, find_limits, fit_temperature, text_loss
from legible.evaluation.measure_lines import compose_all
from legible.seeds import seed_for
from legible.studies.runner import Work, answers_of
from legible.training.augment import augment
from legible.training.tasks import TASKS

_MOST_DIGITS = 4096  # that the lines which set a temperature are composed from


def settle_confidence(work: Work) -> None:
    """Set the temperature of a net whose task wants it, and find the limits that its card tells.

    On the held-out images without noise: of a classifier, on half of them. The other half, changed as in
    training, gives the limits: hands that are not in the data at all differ more than those held out. Does
    nothing where the task does not want it, or no images were held out. The net's last layer is divided by
    the temperature, so that every program that runs it gets honest probabilities.
    """
    if not TASKS.get(work.run.task_name).facts.get("calibrated") or work.run.watch != "validation":
        return
    assert work.stage.watch is not None
    seen = replace(work.stage.watch.seen, images=work.stage.watch.clean)
    if work.run.does == READS_LINES:
        lines, texts = compose_all(seen.take(slice(_MOST_DIGITS)), "calibration")
        batches = [
            (logits, [texts[i] for i in chosen]) for chosen, logits in in_batches(answers_of(work), lines)
        ]
        temperature = fit_temperature(text_loss(batches))
        work.confidence = {"temperature": temperature, "n": len(lines)}
    else:
        answers, rest = answers_of(work), torch.from_numpy(seen.images[1::2])
        temperature = fit_temperature(class_loss(answers(seen.images[::2]), seen.labels[::2]))
        generator = torch.Generator().manual_seed(seed_for("limits", work.run.seed))
        changed = augment(rest, generator, work.run.settings.augment).contiguous().numpy()
        limits = find_limits(answers(changed) / temperature, seen.labels[1::2])
        work.confidence = {"temperature": temperature, **limits}
    divide_outputs(work.state.kept, temperature)


def divide_outputs(model: nn.Module, temperature: float) -> None:
    """Divide what a net gives by a number: in its last layer, if it has no way of its own."""
    if (own := getattr(model, "divide_outputs", None)) is not None:
        own(temperature)
        return
    last = [layer for layer in model.modules() if isinstance(layer, nn.Linear | nn.Conv2d)][-1]
    with torch.no_grad():
        for weights in last.parameters():
            weights.div_(temperature)
