"""Every registered model obeys the same contract; no test here names a model."""

import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import nn
from torch.nn import functional as F

from legible.cards import WEIGHTS, Card, open_card, write_card
from legible.errors import ArgumentError, UnknownName
from legible.inference.runtime import load_runtime
from legible.kinds import CLASSIFY, READ_LINES, RESTORE, Kind
from legible.models import (
    MODELS,
    as_used,
    build_model,
    count_parameters,
    kind_of,
    multiple_of,
    summarise,
)  # fmt: skip
from legible.seeds import rng_for
from legible.training.exchange import load_model, to_onnx
from legible.training.loop import predictor
from legible.training.settings import Settings
from legible.training.tasks import TASKS, RandomStreams

SHAPE = (1, 28, 28)
GLOBAL_POOLING = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)


def of_kind(*kinds: Kind):
    """Parametrise over the models of these kinds, or over all."""
    entries = [entry for entry in MODELS if not kinds or kind_of(entry.name) in kinds]
    return pytest.mark.parametrize("entry", entries, ids=[entry.name for entry in entries])


every_model, every_classifier, every_autoencoder = of_kind(), of_kind(CLASSIFY), of_kind(RESTORE)
every_image_model = of_kind(CLASSIFY, RESTORE)  # models whose only input is images of their dataset


def some_images(n: int, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    return rng_for("test images", n).random((n, *shape), dtype=np.float32)


def warmed_up(spec: str, shape: tuple[int, int, int] = SHAPE) -> torch.nn.Module:
    """A model whose batch norms have statistics of images, not the initial 0 and 1."""
    model = build_model(spec, shape, 10, seed=1).train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.from_numpy(some_images(32, shape)))
    return model.eval()


def keep(model: torch.nn.Module, spec: str, folder: Path) -> Card:
    folder.mkdir()
    (folder / WEIGHTS).write_bytes(save({k: v.contiguous() for k, v in model.state_dict().items()}))
    facts = {"name": folder.name, "task": kind_of(spec).name, "model": spec, "classes": list("0123456789"),
             "input": {"shape": list(SHAPE), "multiple": multiple_of(model)}, "trained": {},
             "n_parameters": count_parameters(model), "scores": []}  # fmt: skip
    write_card(folder, facts, to_onnx(model, SHAPE, kind_of(spec)))
    return open_card(folder)


@every_classifier
@pytest.mark.parametrize("channels", [1, 3])
def test_a_model_turns_images_of_any_channels_into_logits_that_differ(entry, channels):
    shape = (channels, 28, 28)
    logits = warmed_up(entry.name, shape)(torch.from_numpy(some_images(5, shape)))
    assert logits.shape == (5, 10) and logits.dtype == torch.float32
    assert torch.isfinite(logits).all() and logits.std(0).min() > 0  # the output depends on the image


@every_autoencoder
@pytest.mark.parametrize("channels", [1, 3])
def test_an_autoencoder_turns_images_of_any_channels_into_pixel_logits_that_differ(entry, channels):
    shape = (channels, 28, 28)
    logits = warmed_up(entry.name, shape)(torch.from_numpy(some_images(5, shape)))
    assert logits.shape == (5, *shape) and logits.dtype == torch.float32
    assert torch.isfinite(logits).all() and logits.std(0).mean() > 0  # the output depends on the image


@every_autoencoder
def test_an_autoencoder_with_a_multiple_takes_any_size_and_pads_to_that_multiple(entry):
    model = warmed_up(entry.name)
    multiple = multiple_of(model)
    if not multiple:
        pytest.skip("takes one size only")
    images = torch.from_numpy(some_images(2, (1, 28 + multiple, 21)))
    assert model(images).shape == images.shape
    padded = F.pad(images, (0, -21 % multiple, 0, -(28 + multiple) % multiple))
    torch.testing.assert_close(model(images), model(padded)[..., : 28 + multiple, :21])


@every_model
def test_gradients_reach_every_weight(entry):
    model = build_model(entry.name, SHAPE, 10, seed=0).train()
    task = TASKS.call(kind_of(entry.name).name, (), (), 0.0)
    streams = RandomStreams(rng_for("noise"), torch.Generator())
    inputs, targets = task.pair(torch.from_numpy(some_images(40)), torch.arange(40) % 10, streams)
    task.loss(model(inputs), targets).backward()
    unreached = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert unreached == []


@every_model
def test_the_initial_weights_depend_on_the_seed_alone(entry):
    torch.manual_seed(1)
    first = build_model(entry.name, SHAPE, 10, seed=7).state_dict()
    before = torch.get_rng_state()
    again = build_model(entry.name, SHAPE, 10, seed=7).state_dict()
    assert torch.equal(before, torch.get_rng_state())  # the global generator is not used
    other = build_model(entry.name, SHAPE, 10, seed=8).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@every_classifier
def test_the_smallest_image_that_a_model_states_works_and_one_pixel_less_does_not(entry):
    size = entry.facts["smallest"]
    for shape in ((1, size, size), (1, size, size + 9), (1, size + 9, size)):
        model = build_model(entry.name, shape, 3, seed=0)
        assert model.train()(torch.rand(4, *shape)).shape == (4, 3)
    for shape in ((1, size - 1, size), (1, size, size - 1)):
        with pytest.raises(ArgumentError, match=f"{size} x {size} pixels and more, not {shape[1]} x"):
            build_model(entry.name, shape, 3, seed=0)
        assert is_too_small(partial(entry.build, n_classes=3), shape)  # the stated limit is real


def is_too_small(build, shape: tuple[int, int, int]) -> bool:
    """Whether a model cannot be built for, or run on, images of this shape.

    A model with global pooling runs on any size: the smallest size that it states is its author's choice and
    cannot be tested.
    """
    try:
        model = build(shape)
        if any(isinstance(layer, GLOBAL_POOLING) for layer in model.modules()):
            return True
        model(torch.rand(4, *shape))
    except (RuntimeError, ArgumentError, UserWarning):
        return True
    return False


def test_only_a_net_with_global_pooling_may_state_any_smallest_size():
    layers = nn.Conv2d(1, 4, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    assert is_too_small(lambda shape: nn.Sequential(*layers), (1, 5, 5))
    assert not is_too_small(lambda shape: nn.Sequential(nn.Flatten(), nn.Linear(25, 3)), (1, 5, 5))


@every_model
def test_the_summary_adds_up_to_all_parameters(entry):
    model = build_model(entry.name, SHAPE, 10, seed=0)
    rows = summarise(model, SHAPE)
    assert sum(n for _, _, n in rows) == count_parameters(model)
    multiple = getattr(model, "multiple", 0) or 1
    given = (SHAPE[0], *(side + -side % multiple for side in SHAPE[1:]))  # padded with paper
    assert (
        rows[-1][1] == {CLASSIFY: (10,), READ_LINES: (22, 1, 64)}.get(kind_of(entry.name), given)
        and model.training
    )
    assert len(rows) == sum(not list(module.children()) for module in model.modules())


@every_model
def test_the_docstring_states_the_right_parameter_count(entry):
    stated = re.search(r"([\d,]+) parameters", entry.build.__doc__)
    assert stated, f"{entry.name}: its docstring names no parameter count"
    assert stated[1] == f"{count_parameters(build_model(entry.name, SHAPE, 10, seed=0)):,}"


@every_model
def test_a_model_states_its_facts_and_a_valid_recipe(entry):
    assert entry.summary.endswith(".") and {"paper", "smallest"} <= set(entry.facts)
    Settings.of(entry.facts.get("recipe", {}))


@every_image_model
def test_a_saved_and_loaded_model_has_the_same_output_in_every_runtime(entry, tmp_path):
    import onnxruntime

    model, images = warmed_up(entry.name), some_images(7)
    kind = kind_of(entry.name)
    outputs = predictor(as_used(model, kind))(images)
    card = keep(model, entry.name, tmp_path / "kept")
    np.testing.assert_array_equal(predictor(as_used(load_model(card), kind))(images), outputs)
    np.testing.assert_allclose(load_runtime(card)(images), outputs, atol=1e-4)
    session = onnxruntime.InferenceSession(card.network.read_bytes(), providers=["CPUExecutionProvider"])
    padded = np.pad(
        images, ((0, 0), (0, 0), (0, -28 % (card.multiple or 1)), (0, -28 % (card.multiple or 1)))
    )
    answers = session.run([kind.returns], {"images": padded})[0]
    np.testing.assert_allclose(answers[..., :28, :28] if card.multiple else answers, outputs, atol=1e-4)


@every_model
def test_an_unusable_setting_is_an_error_that_names_the_model(entry):
    for name, default in entry.defaults.items():
        bad = {int: "-3", float: "7.5", str: "none", bool: "perhaps"}[type(default)]
        with pytest.raises(ArgumentError, match=entry.name):
            build_model(f"{entry.name}:{name}={bad}", SHAPE, 10, seed=0)


def test_a_layer_without_units_is_refused():
    with pytest.raises(ArgumentError, match="cannot be built"):
        build_model("cnn-one-conv:dense=0", SHAPE, 10, seed=0)


def test_a_misspelt_model_gets_a_suggestion():
    with pytest.raises(UnknownName, match="Did you mean 'mlp'"):
        build_model("mpl", SHAPE, 10, seed=0)
