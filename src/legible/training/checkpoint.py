"""Checkpoints: everything needed to resume a training, in one safetensors file, replaced after each epoch."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from legible.errors import ModelError
from legible.output import new_file
from legible.training.loop import State


def save_checkpoint(path: Path, state: State, facts: dict[str, Any]) -> float:
    """Write weights, averaged weights and the optimiser's state, with `facts` (JSON-serialisable).

    Returns the seconds that it took.
    """
    started = perf_counter()
    notes = {"n_epochs_done": str(state.n_epochs_done), "facts": json.dumps(facts)}
    with new_file(path, overwrite=True) as temporary:
        _write(temporary, _collect(state), notes)
    return perf_counter() - started


def read_facts(path: Path) -> dict[str, Any]:
    """The facts saved with a checkpoint. Raises ModelError if it is damaged."""
    with _opened(path) as file:
        return dict(json.loads(_read_notes(file)["facts"]))


def load_checkpoint(path: Path, state: State) -> None:
    """Load a checkpoint into a newly prepared state. Raises ModelError if it is damaged.

    Copies tensor by tensor into place: two copies of a large net's weights would not fit into memory.
    """
    with _opened(path) as file:
        notes = _read_notes(file)
        names = set(file.keys())
        weights = _collect_weights(state)
        shapes = {name: list(tensor.shape) for name, tensor in weights.items()}
        if shapes != {name: file.get_slice(name).get_shape() for name in weights if name in names}:
            raise ModelError(
                f"{path} is a checkpoint of another model. Remove it, or start again with --overwrite."
            )
        with torch.no_grad():
            for name, tensor in weights.items():
                tensor.copy_(file.get_tensor(name))
        parameters = [p for group in state.optimiser.param_groups for p in group["params"]]
        for name in sorted(name for name in names if name.startswith("optimiser.")):
            _, index, key = name.split(".", 2)
            parameter, value = parameters[int(index)], file.get_tensor(name)
            # same memory layout as the parameter: fused optimiser steps walk both in memory order
            like = parameter if value.shape == parameter.shape else value
            memory = torch.empty_like(like, device=parameter.device)
            state.optimiser.state[parameter][key] = memory.copy_(value)
        state.n_epochs_done = int(notes["n_epochs_done"])


def _collect_weights(state: State) -> dict[str, Tensor]:
    tensors = {f"model.{k}": v for k, v in state.model.state_dict().items()}
    if state.average is not None:
        tensors |= {f"average.{k}": v for k, v in state.average.state_dict().items()}
    return tensors


def _collect(state: State) -> dict[str, Tensor]:
    tensors = _collect_weights(state)
    for index, memory in state.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{key}": v for key, v in memory.items() if isinstance(v, Tensor)}
    return {k: v.detach().contiguous() for k, v in tensors.items()}


def _write(path: Path, tensors: dict[str, Tensor], notes: dict[str, str]) -> None:
    """Write the tensors from where they are in memory: a copy of a large net might not fit."""
    try:
        save_file(tensors, path, metadata=notes)
    except SafetensorError as error:
        code = re.search(r"os error (\d+)", str(error))
        if code is None:
            raise
        raise OSError(int(code[1]), os.strerror(int(code[1]))) from error


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """An open checkpoint whose tensors are read on demand. Raises ModelError if it is damaged."""
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            yield file
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(
            f"{path} is not a usable checkpoint: {error}. Remove it, or start again with --overwrite."
        ) from error


def _read_notes(file: Any) -> dict[str, str]:
    notes = dict(file.metadata() or {})
    if not {"facts", "n_epochs_done"} <= set(notes):
        raise ValueError("it has no training state")
    return notes
