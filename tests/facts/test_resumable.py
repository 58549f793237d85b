"""An evaluation that is cut off goes on, and finds what it would have found in one go.

Source of the expected values: an evaluation in one go against one that was cut off.
"""

from dataclasses import replace

import numpy as np
import pytest

from legible.data import load_dataset
from legible.runs import generation
from legible.runs.carry_out import carry_out
from legible.runs.resumable import resumable
from legible.runs.run import Run
from legible.training.settings import Settings

IMAGES, LABELS = np.zeros((3, 1, 2, 2), np.float32), np.zeros(3, np.int64)


class CutOff(Exception):
    """Stands for the end of the process."""


def numbered(asked: list[int]):
    """Makes functions whose answers are the numbers of the calls, which are noted in `asked`."""

    def make(n_before: int):
        numbers = iter(range(n_before, 100))

        def log_weights(images, labels, n_samples):
            asked.append(next(numbers))
            return np.full((len(images), n_samples), asked[-1], np.float32)

        return log_weights

    return make


def test_answers_are_kept_and_only_those_that_are_missing_are_asked_for(tmp_path):
    asked: list[int] = []
    first = resumable(numbered(asked), tmp_path / "evaluation")
    before = [first(IMAGES, LABELS, 4) for _ in range(3)]
    again = resumable(numbered(asked), tmp_path / "evaluation")
    after = [again(IMAGES, LABELS, 4) for _ in range(5)]
    np.testing.assert_array_equal(after[:3], before)
    assert asked == [0, 1, 2, 3, 4] and [answer[0, 0] for answer in after] == [0, 1, 2, 3, 4]
    assert after[0].shape == (3, 4) and (tmp_path / "evaluation").stat().st_size == 5 * 3 * 4 * 4


@pytest.mark.parametrize("n_bytes", [0, 1, 47, 48, 49, 95])
def test_half_an_answer_is_dropped_and_asked_for_anew(tmp_path, n_bytes):
    path = tmp_path / "evaluation"
    log_weights = resumable(numbered([]), path)
    whole = [log_weights(IMAGES, LABELS, 4) for _ in range(4)]
    path.write_bytes(path.read_bytes()[:n_bytes])
    again = resumable(numbered([]), path)
    np.testing.assert_array_equal([again(IMAGES, LABELS, 4) for _ in range(4)], whole)
    np.testing.assert_array_equal(np.fromfile(path, np.float32), np.concatenate(whole, axis=None))


def test_a_run_that_is_killed_while_it_is_evaluated_goes_on_to_the_same_row(tmp_path, monkeypatch):
    splits = load_dataset("digits-embedded", n_train=64)
    splits = replace(splits, validation=splits.validation.first(8), test=splits.test.first(60))
    run = Run(
        model="vae-dense:latents=2,hidden=8", dataset="digits-embedded", train_noise=("binary",),
        tests=("binary",), task="generate:samples=50", settings=Settings(n_epochs=1, batch_size=32),
    )  # fmt: skip
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    *_, whole = carry_out(run, splits, tmp_path / "whole")
    n_calls, importance_sampler = [0], generation.importance_sampler

    def make_mortal(*arguments, **settings):
        log_weights = importance_sampler(*arguments, **settings)

        def weigh_or_die(*question):
            n_calls[0] += 1
            if n_calls[0] == 4:
                raise CutOff
            return log_weights(*question)

        return weigh_or_die

    monkeypatch.setattr(generation, "importance_sampler", make_mortal)
    with pytest.raises(CutOff):
        list(carry_out(run, splits, tmp_path / "cut"))
    assert sorted(path.suffix for path in (tmp_path / "cut").iterdir()) == [".evaluation-0", ".safetensors"]
    *_, resumed = carry_out(run, splits, tmp_path / "cut")
    assert resumed["scores"] == whole["scores"] and n_calls[0] == 6 + 1  # sixty images, ten at a time
    assert not list((tmp_path / "cut").iterdir())
