"""A judging that is cut off goes on, and finds what it would have found in one go."""

from dataclasses import replace

import numpy as np
import pytest

from legible.data import load_dataset
from legible.studies import perform, runner
from legible.studies.plan import Run
from legible.studies.remembered import remember
from legible.training.settings import Settings

IMAGES, LABELS = np.zeros((3, 1, 2, 2), np.float32), np.zeros(3, np.int64)


class CutOff(Exception):
    """Stands for the end of the process."""


def numbered(asked: list[int]):
    """Makes functions whose answers are the numbers of the calls, which are noted in `asked`."""

    def make(n_before: int):
        numbers = iter(range(n_before, 100))

        def weigh(images, labels, n_samples):
            asked.append(next(numbers))
            return np.full((len(images), n_samples), asked[-1], np.float32)

        return weigh

    return make


def test_answers_are_kept_and_only_those_that_are_missing_are_asked_for(tmp_path):
    asked: list[int] = []
    first = remember(numbered(asked), tmp_path / "judging")
    before = [first(IMAGES, LABELS, 4) for _ in range(3)]
    again = remember(numbered(asked), tmp_path / "judging")
    after = [again(IMAGES, LABELS, 4) for _ in range(5)]
    np.testing.assert_array_equal(after[:3], before)
    assert asked == [0, 1, 2, 3, 4] and [answer[0, 0] for answer in after] == [0, 1, 2, 3, 4]
    assert after[0].shape == (3, 4) and (tmp_path / "judging").stat().st_size == 5 * 3 * 4 * 4


@pytest.mark.parametrize("n_bytes", [0, 1, 47, 48, 49, 95])
def test_half_an_answer_is_dropped_and_asked_for_anew(tmp_path, n_bytes):
    path = tmp_path / "judging"
    weigh = remember(numbered([]), path)
    whole = [weigh(IMAGES, LABELS, 4) for _ in range(4)]
    path.write_bytes(path.read_bytes()[:n_bytes])
    again = remember(numbered([]), path)
    np.testing.assert_array_equal([again(IMAGES, LABELS, 4) for _ in range(4)], whole)
    np.testing.assert_array_equal(np.fromfile(path, np.float32), np.concatenate(whole, axis=None))


def test_a_run_that_is_killed_while_it_is_judged_goes_on_to_the_same_row(tmp_path, monkeypatch):
    splits = load_dataset("digits-embedded", n_train=64)
    splits = replace(splits, validation=splits.validation.first(8), test=splits.test.first(60))
    run = Run(
        model="vae-dense:latents=2,hidden=8", dataset="digits-embedded", train_noise=("binary",),
        tests=("binary",), task="draw:samples=50", settings=Settings(n_epochs=1, batch_size=32),
    )  # fmt: skip
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    *_, whole = perform.perform(run, splits, tmp_path / "whole")
    n_calls, weigher = [0], runner.weigher

    def make_mortal(*arguments, **settings):
        weigh = weigher(*arguments, **settings)

        def weigh_or_die(*question):
            n_calls[0] += 1
            if n_calls[0] == 4:
                raise CutOff
            return weigh(*question)

        return weigh_or_die

    monkeypatch.setattr(runner, "weigher", make_mortal)
    with pytest.raises(CutOff):
        list(perform.perform(run, splits, tmp_path / "cut"))
    assert sorted(path.suffix for path in (tmp_path / "cut").iterdir()) == [".judging-0", ".safetensors"]
    *_, resumed = perform.perform(run, splits, tmp_path / "cut")
    assert resumed["scores"] == whole["scores"] and n_calls[0] == 6 + 1  # sixty images, ten at a time
    assert not list((tmp_path / "cut").iterdir())
