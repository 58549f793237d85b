"""Checkpoints: everything a training needs to go on, in one safetensors file, replaced after each epoch."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from legible.errors import ModelError
from legible.output import new_file
from legible.training.loop import State


def save_checkpoint(path: Path, state: State, facts: dict[str, Any]) -> None:
    """Write weights, averaged weights and the optimiser's memory, with `facts` (JSON-able) beside them."""
    notes = {"n_epochs_done": str(state.n_epochs_done), "facts": json.dumps(facts)}
    with new_file(path, overwrite=True) as temporary:
        _write(temporary, _collect(state), notes)


def read_facts(path: Path) -> dict[str, Any]:
    """The facts that were saved with a checkpoint. Raises ModelError when it is damaged."""
    return _read(path)[1]


def load_checkpoint(path: Path, state: State) -> None:
    """Bring a freshly prepared state to where the checkpoint stands. Raises ModelError when it is damaged."""
    tensors, _, n_epochs_done = _read(path)
    expected = {name: tensor.shape for name, tensor in _collect_weights(state).items()}
    if expected != {name: tensors[name].shape for name in expected if name in tensors}:
        raise ModelError(f"{path} is a checkpoint of another model. Start again with --overwrite.")
    state.model.load_state_dict(_below("model.", tensors))
    if state.average is not None:
        state.average.load_state_dict(_below("average.", tensors))
    memory: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _below("optimiser.", tensors).items():
        index, _, key = name.partition(".")
        memory.setdefault(int(index), {})[key] = tensor
    groups = state.optimiser.state_dict()["param_groups"]
    state.optimiser.load_state_dict({"state": memory, "param_groups": groups})
    for parameter, kept in state.optimiser.state.items():
        for key, value in kept.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                # laid out as its parameter: fused steps walk both as they lie in memory
                kept[key] = torch.empty_like(parameter).copy_(value)
    state.n_epochs_done = n_epochs_done


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
    """Write from where the tensors lie, without a copy: of a large net there is no room for one."""
    try:
        save_file(tensors, path, metadata=notes)
    except SafetensorError as error:
        code = re.search(r"os error (\d+)", str(error))
        if code is None:
            raise
        raise OSError(int(code[1]), os.strerror(int(code[1]))) from error


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any], int]:
    """The tensors, the facts and the number of epochs done."""
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            notes = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if not {"facts", "n_epochs_done"} <= set(notes):
            raise ValueError("it tells nothing of a training")
        return tensors, dict(json.loads(notes["facts"])), int(notes["n_epochs_done"])
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(
            f"{path} is not a usable checkpoint: {error}. Start again with --overwrite."
        ) from error
