"""Models: name -> a builder `(image_shape, n_classes, *, settings...) -> torch.nn.Module`.

Every model takes images (N, C, H, W) float32 in [0, 1]. Its fact `kind` (kinds.py) determines its output: a
classifier (`classify`) returns logits (N, n_classes); a restorer (`restore`) returns pixel logits (N, C, H,
W), whose sigmoid is the restored image; a generator (`generate`) takes labels too (vae.py); a line reader
(`read-lines`) takes lines of writing (lines.py). A model may be registered with a `recipe`, a dict of
training settings that suit it. A model with an attribute `multiple` takes images of any size: it pads their
sides with paper to multiples of that number, and crops its output.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import nn

from legible.errors import ArgumentError
from legible.kinds import CLASSIFY, KINDS, Kind
from legible.registry import Registry, Spec
from legible.seeds import seed_for

ImageShape = tuple[int, int, int]
MODELS: Registry[nn.Module] = Registry("model", "legible models list", package="legible.models")


def build_model(spec: Spec | str, image_shape: ImageShape, n_classes: int, *, seed: int) -> nn.Module:
    """Build a model with initial weights that depend on the seed alone.

    image_shape: (C, H, W) in pixels. Raises UnknownName for an unknown name or setting, ArgumentError if the
    images are too small for the model or a setting has an unusable value.
    """
    spec = MODELS.parse(spec) if isinstance(spec, str) else spec
    smallest, (_, height, width) = MODELS.get(spec.name).facts["smallest"], image_shape
    if min(height, width) < smallest:
        raise ArgumentError(
            f"model {spec.name!r} takes images of {smallest} x {smallest} pixels and more, not "
            f"{height} x {width}. Choose another model, or scale the images (--size)."
        )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.filterwarnings("error", "Initializing zero-element")  # a layer without units
        torch.manual_seed(seed_for("initial weights", seed))
        try:
            model = MODELS.call(spec, image_shape, n_classes)
        except (RuntimeError, ValueError, ArithmeticError, UserWarning) as error:
            raise ArgumentError(f"model {str(spec)!r} cannot be built: {error}.") from error
    # kernels laid out as convolutions need them on this processor: twice as fast, same numbers
    return model.to(memory_format=torch.channels_last)  # type: ignore[no-any-return,call-overload]


def kind_of(spec: Spec | str) -> Kind:
    """The kind of a registered model; a classifier if the model states none."""
    name = MODELS.parse(spec).name if isinstance(spec, str) else spec.name
    return KINDS[MODELS.get(name).facts.get("kind", CLASSIFY.name)]


def as_used(model: nn.Module, kind: Kind) -> nn.Module:
    """The part of the model that is exported and used: a restorer with its sigmoid, a generator's decoder."""
    used: nn.Module = kind.part("as_used")(model) if kind.as_used else model
    return used


def example_inputs(model: nn.Module, image_shape: ImageShape) -> Any:
    """Example arguments of a model: zeros for one image, or what its own `example_inputs` returns."""
    own = getattr(model, "example_inputs", None)
    return own(image_shape) if own else torch.zeros(1, *(own_input_shape(model) or image_shape))


def multiple_of(model: nn.Module) -> int:
    """The number that images' sides are padded to multiples of; 0 for a model that takes one size only."""
    return int(getattr(model, "multiple", 0))


def own_input_shape(model: nn.Module) -> ImageShape | None:
    """The (C, H, W) of a model whose input is not an image of its dataset, such as a line; else None."""
    return getattr(model, "own_input_shape", None)


def count_parameters(model: nn.Module) -> int:
    """The number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def summarise(model: nn.Module, image_shape: ImageShape) -> list[tuple[str, tuple[int, ...], int]]:
    """Each layer's class, output shape (without the batch) and parameter count, in the order of execution."""
    rows: list[tuple[str, tuple[int, ...], int]] = []
    leaves = [m for m in model.modules() if not list(m.children())]

    def note(module: nn.Module, _: object, output: torch.Tensor) -> None:
        rows.append((type(module).__name__, tuple(output.shape[1:]), count_parameters(module)))

    handles = [leaf.register_forward_hook(note) for leaf in leaves]
    training = model.training
    with torch.no_grad():
        model.eval()(example_inputs(model, image_shape))
    model.train(training)
    for handle in handles:
        handle.remove()
    return rows


def describe_layers(model: nn.Module, image_shape: ImageShape) -> str:
    """The summary as text: each layer's class, output shape and parameters."""
    return "; ".join(
        f"{kind} -> {' x '.join(map(str, shape))}, {n:,} parameters"
        for kind, shape, n in summarise(model, image_shape)
    )
