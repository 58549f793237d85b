"""Models: name -> a builder `(image_shape, n_classes, *, settings...) -> torch.nn.Module`.

Every model takes images (N, C, H, W) float32 in [0, 1]. Its fact `kind` says what it returns: a `classifier`
logits (N, n_classes), an `autoencoder` pixel logits (N, C, H, W), whose sigmoid is the restored image; a
`vae` takes the labels too, and draws (vae.py); a `reader` takes lines of writing (lines.py).
A registered model may carry a `recipe`: the training settings that suit it, as a dict. A model with an
attribute `multiple` takes any size; where a side is no multiple of it, paper is added and cut off again.
"""

from __future__ import annotations

import warnings

import torch
from torch import nn

from legible.errors import ArgumentError
from legible.registry import Registry, Spec
from legible.seeds import seed_for

ImageShape = tuple[int, int, int]
CLASSIFIER, AUTOENCODER, VAE, READER = "classifier", "autoencoder", "vae", "reader"
MODELS: Registry[nn.Module] = Registry("model", "legible models list")

from legible.models import autoencoder as autoencoder  # noqa: E402
from legible.models import committee as committee  # noqa: E402
from legible.models import convnet as convnet  # noqa: E402  (fills the catalogue)
from legible.models import digits as digits  # noqa: E402
from legible.models import lines as lines  # noqa: E402
from legible.models import mlp as mlp  # noqa: E402
from legible.models import page_net as page_net  # noqa: E402
from legible.models import unet as unet  # noqa: E402
from legible.models import vae as vae  # noqa: E402


def build_model(spec: Spec | str, image_shape: ImageShape, n_classes: int, *, seed: int) -> nn.Module:
    """Build a model with initial weights that depend on the seed alone.

    image_shape: (C, H, W) in pixels. Raises UnknownName for the name or a setting, ArgumentError when
    the images are too small for the model or a setting cannot be built.
    """
    spec = MODELS.parse(spec) if isinstance(spec, str) else spec
    smallest, (_, height, width) = MODELS.get(spec.name).facts["smallest"], image_shape
    if min(height, width) < smallest:
        raise ArgumentError(
            f"model {spec.name!r} takes images of {smallest} x {smallest} pixels and more, not "
            f"{height} x {width}. Choose another model, or scale the images (--size)."
        )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.filterwarnings("error", "Initializing zero-element")  # a layer of no units
        torch.manual_seed(seed_for("initial weights", seed))
        try:
            model = MODELS.call(spec, image_shape, n_classes)
        except (RuntimeError, ValueError, ArithmeticError, UserWarning) as error:
            raise ArgumentError(f"model {str(spec)!r} cannot be built: {error}.") from error
    return to_channels_last(model)


def kind_of(spec: Spec | str) -> str:
    """The kind of a registered model: classifier, unless it says otherwise."""
    name = MODELS.parse(spec).name if isinstance(spec, str) else spec.name
    return str(MODELS.get(name).facts.get("kind", CLASSIFIER))


def as_used(model: nn.Module, kind: str) -> nn.Module:
    """The model as people use it: an autoencoder gives pixels, not logits; of a vae, the half that draws."""
    if isinstance(model, vae.Ladder):
        return vae.Decoder(model)
    return nn.Sequential(model, nn.Sigmoid()) if kind == AUTOENCODER else model


def multiple_of(model: nn.Module) -> int:
    """What the sides of a model's images are brought to multiples of; 0 where it takes one size only."""
    return int(getattr(model, "multiple", 0))


def takes(model: nn.Module) -> ImageShape | None:
    """What a model takes where that is not an image of its dataset: lines composed from them, for one."""
    return getattr(model, "takes", None)


def to_channels_last(model: nn.Module) -> nn.Module:
    """Lay a model's kernels out as convolutions on this processor want them: twice as fast, same numbers."""
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model


def count_parameters(model: nn.Module) -> int:
    """How many numbers the training may change."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def summarise(model: nn.Module, image_shape: ImageShape) -> list[tuple[str, tuple[int, ...], int]]:
    """Each layer's kind, output shape (without the batch) and parameter count, in the order of use."""
    rows: list[tuple[str, tuple[int, ...], int]] = []
    leaves = [m for m in model.modules() if not list(m.children())]

    def note(module: nn.Module, _: object, output: torch.Tensor) -> None:
        rows.append((type(module).__name__, tuple(output.shape[1:]), count_parameters(module)))

    handles = [leaf.register_forward_hook(note) for leaf in leaves]
    training = model.training
    images = torch.zeros(1, *(takes(model) or image_shape))
    with torch.no_grad():
        model.eval()((images, torch.zeros(1, dtype=torch.int64)) if isinstance(model, vae.Ladder) else images)
    model.train(training)
    for handle in handles:
        handle.remove()
    return rows


def tell_layers(model: nn.Module, image_shape: ImageShape) -> str:
    """The summary in words: each layer, what it gives, and its parameters."""
    return "; ".join(
        f"{kind} -> {' x '.join(map(str, shape))}, {n:,} parameters"
        for kind, shape, n in summarise(model, image_shape)
    )
