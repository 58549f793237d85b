"""The tasks of reading lines and of recognising digits among other things.

Source of the expected values: by hand, and PyTorch's loss.
"""

import numpy as np
import pytest
import torch

from legible.data.split import Labelled
from legible.errors import ArgumentError
from legible.inference.saved import load
from legible.models import build_model
from legible.seeds import rng_for
from legible.training.loop import fit, prepare
from legible.training.settings import Settings
from legible.training.tasks import TASKS, RandomStreams
from legible.training.tasks.read_lines import PADDING, ReadLines
from legible.training.tasks.recognise import NOT_A_DIGIT, Recognise

LABELS = np.tile(np.arange(10), 6)


@pytest.fixture(scope="module")
def data():
    drawn = load("digit-generator").generate(list("0123456789" * 6), rng_for("tasks"))
    return Labelled(drawn, LABELS, tuple("0123456789"))


def streams(seed=0):
    return RandomStreams(rng_for("draws", seed), torch.Generator().manual_seed(seed))


def pair(task, data, seed=0):
    return task.pair(torch.from_numpy(data.images), torch.from_numpy(data.labels), streams(seed))


def test_lines_are_paired_with_their_digits(data):
    lines, texts = pair(ReadLines(), data)
    assert lines.shape[1:3] == (1, 40) and lines.shape[3] % 8 == 0 and len(lines) == len(texts)
    assert sorted(texts[texts != PADDING].tolist()) == sorted(LABELS.tolist())


def test_a_line_reader_has_one_output_for_two_pixels_of_any_width():
    model = build_model("line-reader:filters=4", (1, 28, 28), 10, seed=0).eval()
    for width in (8, 64, 200):
        assert model(torch.zeros(2, 1, 40, width)).shape == (2, 11, width // 2)


def test_line_reading_is_scored_by_whole_strings():
    answers = torch.full((2, 11, 6), -9.0)
    for line, path in enumerate([[3, 0, 4, 0, 0, 0], [3, 3, 0, 0, 0, 0]]):
        answers[line, path, range(6)] = 9.0
    texts = torch.tensor([[2, 3], [2, 3]])
    assert ReadLines().score(answers, texts) == pytest.approx(0.5 * 4)
    assert ReadLines().loss(answers[:1], texts[:1]) < 0.01 < ReadLines().loss(answers[1:], texts[1:])


@pytest.mark.parametrize(
    ("model", "task"), [("line-reader:filters=4", ReadLines()), ("digits-strong:filters=4", Recognise())]
)
def test_learning_lowers_the_loss(data, model, task):
    settings = Settings(n_epochs=40, batch_size=60, optimiser="muon", learning_rate=0.05, schedule="constant")
    state = prepare(build_model(model, (1, 28, 28), 10, seed=0), settings)
    losses = [epoch.loss for epoch in fit(state, task, data, settings, seed=0)]
    assert np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])


def test_digits_are_shown_with_pictures_of_other_things(data):
    shown, targets = pair(Recognise(others=0.5), data)
    assert shown.shape == (90, 1, 28, 28) and shown.min() >= 0 and shown.max() <= 1
    assert targets[:60].tolist() == LABELS.tolist() and set(targets[60:].tolist()) == {NOT_A_DIGIT}
    again, _ = pair(Recognise(others=0.5), data)
    assert torch.equal(shown, again)


def test_the_loss_of_a_non_digit_is_least_at_equal_probabilities():
    """For a digit it is least at its own class."""
    task, none, three = Recognise(), torch.tensor([NOT_A_DIGIT]), torch.tensor([3])
    even, sure = torch.zeros(1, 10), 5 * torch.eye(10)[[3]]
    assert task.loss(even, none) == pytest.approx(np.log(10)) and task.loss(even, none) < task.loss(
        sure, none
    )
    assert task.loss(sure, three) < task.loss(even, three)
    assert task.score(torch.cat([sure, sure]), torch.cat([three, none])) == 1


def test_tasks_refuse_unusable_settings():
    with pytest.raises(ArgumentError, match="no labels to smooth"):
        TASKS.call("read-lines", (), (), 0.1)
    with pytest.raises(ArgumentError, match="others"):
        TASKS.call("recognise:others=2", (), (), 0.1)
