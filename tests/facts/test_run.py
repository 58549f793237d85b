"""What names a run: its settings, written in one way, and its data.

Source of the expected values: by hand.
"""

import json
from dataclasses import fields, replace

import pytest

from legible.errors import ArgumentError, UnknownName
from legible.runs.run import Run, over_folds, over_seeds, recipe_of
from legible.studies import STUDIES
from legible.studies.study import Line, shrink
from legible.training.settings import Settings

RUN = Run(model="mlp:64-64", settings=Settings(n_epochs=10), seed=3, train_noise=("gaussian:.5",))


def test_a_run_is_written_in_one_way_however_it_was_said():
    same = Run(model="mlp:widths=64-64", settings=Settings(n_epochs=10.0, optimiser="adam:"), seed=3,
               train_noise=("gaussian:std=0.50",))  # fmt: skip
    assert same == RUN and hash(same) == hash(RUN)
    assert RUN.train_noise == ("gaussian:std=0.5",)
    two = Run(model="mlp", tests=("gaussian:0.5+stripes", "clean"))
    assert two.tests == ("gaussian:std=0.5+stripes", "clean")


def test_a_run_survives_json():
    run = replace(RUN, tests=("clean", "gaussian:0.5"), settings=Settings(augment=("shift:2",)), watch="test")
    assert Run.of(json.loads(json.dumps(run.to_json()))) == run


def test_a_key_differs_with_every_setting_and_with_the_data():
    others = {"model": "mlp:64", "dataset": "fashion-mnist", "settings": Settings(n_epochs=11), "seed": 4,
              "train_noise": (), "fresh_noise": False, "tests": ("gaussian:0.5",), "watch": "test", "fold": 1,
              "n_folds": 5, "after": "small@0123", "n_held_out": 100}  # fmt: skip
    assert {*others, "task"} == {field.name for field in fields(Run)}
    base = replace(RUN, n_folds=4, watch="validation")
    keys = [base.key("data")] + [replace(base, **{name: value}).key("data") for name, value in others.items()]
    assert len({*keys, base.key("other data")}) == len(keys) + 1
    first, second = (Run("unet", task=f"restore:{loss}").key("data") for loss in ("bce", "mse"))
    assert first != second


def test_a_key_stays_what_it_was_or_every_row_measured_so_far_would_be_lost():
    """A constant on purpose: who changes it has to measure all rows again, or to rename their keys."""
    assert Run(model="mlp", seed=1).key("0123456789abcdef") == "a0b7c38684e5e86a"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"model": "mpl"}, "Did you mean 'mlp'"),
        ({"train_noise": ("gausian",)}, "Did you mean 'gaussian'"),
        ({"train_noise": ("gaussian:-1",)}, "std must lie between"),
        ({"tests": ("clean", "gaussian:0.5+stripess")}, "Did you mean .stripes."),
        ({"watch": "validaton"}, "Did you mean 'validation'"),
        ({"fold": 5, "n_folds": 5}, "cannot take fold 6 of 5"),
        ({"n_folds": 1}, "at least 2 folds"),
        ({"watch": "nothing", "n_held_out": 10}, "no images are held out to watch nothing"),
        ({"task": "restore"}, "is for a restorer; 'mlp:widths=64-64' is a classifier"),
        ({"task": "restor"}, "Did you mean 'restore'"),
        (
            {"model": "unet", "task": "", "after": "small@0123"},
            "takes no images that went through a restorer",
        ),
    ],
)
def test_a_run_that_cannot_be_done_is_refused_before_any_work(wrong, words):
    with pytest.raises(ArgumentError, match=words):
        replace(RUN, **wrong)


def test_runs_are_repeated_over_seeds_and_folds():
    assert [run.seed for run in over_seeds(RUN, 3)] == [0, 1, 2]
    assert [(run.fold, run.n_folds) for run in over_folds(RUN, 3)] == [(0, 3), (1, 3), (2, 3)]
    for n_folds in (1, -1):
        with pytest.raises(ArgumentError, match=f"into {n_folds} folds"):
            over_folds(RUN, n_folds)


def test_the_quick_version_is_the_same_system_on_small_data_with_nothing_to_reach():
    line = Line("X1", "a system", "99 %", over_seeds(RUN, 5), 0.99)
    quick = shrink(line, n_seeds=2)
    assert [run.seed for run in quick.runs] == [0, 1] and quick.target is None
    assert {run.dataset for run in quick.runs} == {"digits-embedded"}
    assert {run.model for run in quick.runs} == {RUN.model}


def test_a_line_that_is_heavy_even_when_small_is_left_out_of_the_quick_version_with_a_word():
    line = Line("X1", "a system", "99 %", over_seeds(RUN, 2), 0.99, quick_epochs=0)
    quick = shrink(line)
    assert quick.runs == () and quick.target is None and "left out" in quick.note
    single = shrink(replace(line, quick_epochs=1))
    assert [run.settings.n_epochs for run in single.runs] == [1, 1]


def test_a_run_with_a_setting_that_is_not_known_is_refused():
    stored = RUN.to_json()
    assert Run.of(stored) == RUN
    with pytest.raises(UnknownName, match="no setting of a run 'batchsize'"):
        Run.of(stored | {"batchsize": 32})


def test_a_model_without_a_recipe_gets_the_usual_settings():
    assert recipe_of("mlp:32") == Settings()
    assert recipe_of("digits-fast") != Settings()
    with pytest.raises(UnknownName):
        recipe_of("digits-fats")


@pytest.mark.parametrize("entry", list(STUDIES), ids=STUDIES.names())
def test_a_study_has_lines_of_different_names_whose_runs_all_meet_the_shown_test(entry):
    study = entry.build()
    rows = [line.row for line in study.lines]
    assert len(set(rows)) == len(rows) and study.title and all(line.system for line in study.lines)
    for line in study.lines:
        assert study.line(line.row) is line
        assert all(line.test in run.tests for run in line.runs), line.row
        assert len({run.key("") for run in line.runs}) == len(line.runs)
        assert line.target is None or (line.runs and (line.measure != "accuracy" or 0.9 < line.target < 1))


PROTOCOL = {  # epochs and batch of the reports' rows, as they were published
    "A1": (10, 32), "A2": (10, 32), "A3": (10, 32), "C1": (3, 32), "D1": (10, 32), "E5": (32, 64),
    **{f"B1.{number}": (50, 128) for number in range(1, 8)},
    **{f"B2.{number}": (50, 128) for number in range(1, 6)},
    **{f"B3.{number}": (25, 16) for number in range(1, 25)}, "B3.25": (100, 8),
}  # fmt: skip


def test_each_row_has_the_epochs_and_the_batch_that_its_report_says():
    lines = {line.row: line for entry in STUDIES for line in entry.build().lines}
    planned = {row: lines[row].runs[0].settings for row in PROTOCOL}
    assert {row: (each.n_epochs, each.batch_size) for row, each in planned.items()} == PROTOCOL
