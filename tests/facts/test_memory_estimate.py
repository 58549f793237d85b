"""A training that would not fit into memory is refused before anything is allocated.

Source of the expected values: by hand, parameters and outputs of each layer.
"""

import pytest
from PIL import Image

from legible.data import folders, load_dataset
from legible.errors import ArgumentError
from legible.runs import memory_estimate
from legible.runs.memory_estimate import check_memory, estimate_bytes
from legible.runs.run import Run
from legible.training.settings import Settings


def run(batch_size: int) -> Run:
    return Run("mlp:16", "digits-embedded", Settings(batch_size=batch_size))


def test_the_bytes_are_those_of_weights_and_of_every_layers_outputs():
    """By hand: 784 * 16 + 16 + 16 * 10 + 10 weights, four times; flat, dense, ReLU and last layer, twice."""
    n_weights, n_outputs = 784 * 16 + 16 + 16 * 10 + 10, 784 + 16 + 16 + 10
    assert estimate_bytes(run(32), (1, 28, 28), 10) == 4 * (4 * n_weights + 2 * 32 * n_outputs)


def test_what_does_not_fit_is_refused_with_what_to_do(monkeypatch):
    needed = estimate_bytes(run(32), (1, 28, 28), 10)
    monkeypatch.setattr(memory_estimate, "free_memory", lambda: needed)
    check_memory(run(32), (1, 28, 28), 10)
    monkeypatch.setattr(memory_estimate, "free_memory", lambda: needed - 1)
    with pytest.raises(
        ArgumentError, match=r"images of 28 x 28 pixels in batches of 32 needs about .*--size"
    ):
        check_memory(run(32), (1, 28, 28), 10)


def test_large_pictures_need_gigabytes():
    """Of 3,360 x 3,360 pixels, the dense layer of 1,024 units after two pools has 46 billion weights."""
    big = estimate_bytes(Run("cnn-two-conv", "digits-embedded"), (1, 3360, 3360), 10)
    assert big > 4 * 4 * 1024 * 64 * (3360 // 4 - 4) ** 2 > 600e9


def test_where_nothing_is_known_of_the_memory_nothing_is_refused(monkeypatch):
    monkeypatch.setattr(memory_estimate, "free_memory", lambda: None)
    check_memory(Run("cnn-two-conv", "digits-embedded"), (1, 3360, 3360), 10)


def test_pictures_that_do_not_fit_are_refused_before_they_are_read(monkeypatch, tmp_path):
    """By hand: 6 pictures of 200 x 100 pixels, ten bytes each."""
    for number in range(6):
        (tmp_path / "ab"[number % 2]).mkdir(exist_ok=True)
        Image.new("L", (100, 200), 255).save(tmp_path / "ab"[number % 2] / f"{number}.png")
    monkeypatch.setattr(folders, "free_memory", lambda: 6 * 200 * 100 * 10)
    assert load_dataset(tmp_path).train.image_shape == (1, 200, 100)
    monkeypatch.setattr(folders, "free_memory", lambda: 6 * 200 * 100 * 10 - 1)
    with pytest.raises(ArgumentError, match=r"6 pictures of 200 x 100 pixels need about .*--size"):
        load_dataset(tmp_path)
