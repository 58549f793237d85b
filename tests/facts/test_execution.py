"""A run from its images to its row: who meets which noise, and that being killed changes nothing.

Source of the expected values: by hand, on images that carry their number in a pixel; a run in one go
against one that was killed.
"""

import json
import resource
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from legible.data.split import Labelled, Splits
from legible.errors import InputError, ModelError, OutputError
from legible.runs import carry_out as runner
from legible.runs.carry_out import carry_out, finish, start, train_epochs
from legible.runs.generation import N_MAPPED
from legible.runs.image_codec import decode_images
from legible.runs.rows import append_row, make_row, read_rows
from legible.runs.run import Run, over_folds
from legible.runs.run_data import load_run_data
from legible.studies.results import Results
from legible.studies.study import Line
from legible.training import tasks
from legible.training.settings import Settings
from legible.training.tasks import classify
from legible.training.tasks.classify import Classify

NOISE = "gaussian:std=0.5"


@pytest.fixture(scope="module")
def splits() -> Splits:
    """Small images of two classes, a bar that stands or lies, marked by their first pixel, i / 1000."""
    rng, parts = np.random.default_rng(0), []
    for first, n in ((0, 60), (60, 20), (80, 30)):
        labels = np.arange(n) % 2
        images = rng.random((n, 1, 20, 20), dtype=np.float32) * np.float32(0.2)
        images[labels == 0, :, :, 8:12] = 1
        images[labels == 1, :, 8:12, :] = 1
        images[:, 0, 0, 0] = (first + np.arange(n)) / 1000
        parts.append(Labelled(images, labels, ("standing", "lying")))
    return Splits("bars", *parts)


def small_run(model: str = "mlp:8", **more) -> Run:
    settings = more.pop("settings", Settings(n_epochs=2, batch_size=16))
    return Run(model=model, dataset="bars", settings=settings, **more)


def marks(data: Labelled) -> list[int]:
    return [round(1000 * float(mark)) for mark in data.images[:, 0, 0, 0]]


def same(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    """Whether two models are equal to the last bit."""
    one, two = first.state_dict(), second.state_dict()
    return set(one) == set(two) and all(torch.equal(one[name], two[name]) for name in one)


def test_what_is_watched_is_held_out_and_the_test_is_never_learnt_from(splits):
    data = load_run_data(small_run(watch="validation"), splits)
    assert marks(data.train) == list(range(60)) and marks(data.watch.seen) == list(range(60, 80))
    for watch in ("test", "nothing"):
        data = load_run_data(small_run(watch=watch), splits)
        assert marks(data.train) == list(range(80))  # nothing to hold out: learns from all but the test
        assert marks(data.tests["clean"].seen) == list(range(80, 110))
    assert load_run_data(small_run(watch="nothing"), splits).watch is None


def test_folds_cover_all_training_images_once_and_leave_the_test_alone(splits):
    data = [load_run_data(run, splits) for run in over_folds(small_run(), 4)]
    held = [marks(one.tests["clean"].seen) for one in data]
    assert sorted(mark for fold in held for mark in fold) == list(range(80))
    for one, fold in zip(data, held, strict=True):
        assert sorted(marks(one.train) + fold) == list(range(80)) and one.watch is None


def test_the_test_noise_is_the_same_for_every_model_seed_and_setting(splits):
    runs = [
        small_run(tests=("clean", NOISE)),
        small_run("cnn-one-conv", tests=("clean", "gaussian:0.5"), seed=5),
        small_run(tests=(NOISE,), train_noise=("speckle",), settings=Settings(n_epochs=9)),
        small_run(tests=(NOISE,), watch="validation"),
    ]
    noisy = [load_run_data(run, splits).tests[NOISE].seen.images for run in runs]
    assert all(np.array_equal(noisy[0], other) for other in noisy[1:])
    assert np.abs(noisy[0] - splits.test.images).mean() > 0.1
    elsewhere = load_run_data(replace(runs[0], dataset="other bars"), splits).tests[NOISE].seen.images
    assert not np.array_equal(noisy[0], elsewhere)


def test_noise_drawn_once_stays_and_noise_drawn_anew_does_not(splits, monkeypatch):
    shown: list[np.ndarray] = []

    class Noted(Classify):
        def pair(self, images, labels, streams):
            inputs, targets = super().pair(images, labels, streams)
            shown[-1].append(inputs.numpy().copy())
            return inputs, targets

    monkeypatch.setattr(classify, "Classify", Noted)
    for fresh, changes in ((False, False), (True, True)):
        shown.clear()
        execution = start(small_run(train_noise=(NOISE,), fresh_noise=fresh), splits)
        shown.append([])
        for _ in train_epochs(execution):
            shown.append([])
        first, second = (np.sort(np.concatenate(batches).reshape(80, -1), axis=0) for batches in shown[:2])
        assert np.array_equal(first, second) != changes
        assert np.array_equal(execution.data.train.images[:60], splits.train.images) == fresh
    once = [
        load_run_data(small_run(train_noise=(NOISE,), fresh_noise=False, seed=s), splits).train
        for s in (0, 0, 1)
    ]
    assert np.array_equal(once[0].images, once[1].images)
    assert not np.array_equal(once[0].images, once[2].images)


TRAININGS = {
    "sgd": ("digits-wide:filters=4,dense=8", Settings(optimiser="sgd:nesterov=yes", learning_rate=0.01)),
    "adam": ("cnn-dropout:filters=4,dense=8", Settings(optimiser="adam", l2=1e-3, average=0.9)),
    "adamw": ("cnn-two-conv:filters=4,dense=8", Settings(optimiser="adamw", weight_decay=0.1, average=0.5)),
    "muon": ("digits-wide:filters=4,dense=8", Settings(optimiser="muon", learning_rate=0.05, average=0.9)),
}


@pytest.mark.parametrize("name", TRAININGS)
def test_a_training_killed_after_any_epoch_and_resumed_ends_with_the_same_weights(splits, tmp_path, name):
    model, settings = TRAININGS[name]
    settings = replace(
        settings, n_epochs=2.5, batch_size=16, augment=("shift:1", "elastic"), label_smoothing=0.1
    )
    run = small_run(model, settings=settings, train_noise=(NOISE,), watch="validation")
    whole = start(run, splits)
    records = list(train_epochs(whole))
    assert len(records) == 3
    for n_done in range(4):
        path = tmp_path / f"after-{n_done}.safetensors"
        epochs = train_epochs(start(run, splits, path), path)
        for _ in range(max(n_done, 1)):
            next(epochs)  # the generator is then dropped, as a killed process drops it
        if n_done == 0:
            fresh = start(run, splits)
            runner.save_checkpoint(
                path, fresh.state, fresh.facts()
            )  # what stands there before the first epoch's end
        resumed = start(run, splits, path)
        assert resumed.state.n_epochs_done == n_done == len(resumed.history)
        list(train_epochs(resumed, path))
        assert same(resumed.state.model, whole.state.model), f"killed after epoch {n_done}"
        assert same(resumed.state.kept, whole.state.kept)
        assert [{**r, "seconds": 0, "images_per_second": 0} for r in resumed.history] == [
            {**r, "seconds": 0, "images_per_second": 0} for r in records
        ]


def test_there_is_a_checkpoint_from_the_first_moment(splits, tmp_path):
    path = tmp_path / "part" / "checkpoint.safetensors"
    seen = []

    class Stop(Exception):
        pass

    def look(*arguments, **more):
        seen.append(path.exists())
        raise Stop

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Stop):
        patch.setattr(runner, "fit", look)
        list(train_epochs(start(small_run(), splits, path), path))
    assert seen == [True]
    assert start(small_run(), splits, path).state.n_epochs_done == 0


@pytest.fixture
def checkpoint(splits, tmp_path):
    """A checkpoint after one epoch of the small run."""
    path = tmp_path / "checkpoint.safetensors"
    next(train_epochs(start(small_run(), splits, path), path))
    return path


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "header", "foreign"])
def test_a_damaged_checkpoint_is_a_model_error_that_says_what_to_do(splits, checkpoint, damage):
    content = checkpoint.read_bytes()
    tensors = load_file(checkpoint)
    checkpoint.write_bytes({"empty": b"", "cut": content[: len(content) // 2], "text": b"not a checkpoint",
                            "header": b"\xff" * 8 + content[8:], "foreign": content}[damage])  # fmt: skip
    if damage == "foreign":
        save_file(tensors, checkpoint)  # valid, but without training state
    with pytest.raises(ModelError, match=r"checkpoint.safetensors is not a usable checkpoint.*--overwrite"):
        start(small_run(), splits, checkpoint)


def test_a_checkpoint_of_other_settings_or_other_data_is_refused(splits, checkpoint):
    for other in (
        small_run(seed=1),
        small_run(settings=Settings(n_epochs=3, batch_size=16)),
        small_run("mlp:9"),
    ):
        with pytest.raises(ModelError, match="of a run with other settings or other data"):
            start(other, splits, checkpoint)
    changed = replace(splits, test=splits.test.first(29))
    with pytest.raises(ModelError, match="other data"):
        start(small_run(), changed, checkpoint)


def test_a_checkpoint_of_another_model_is_refused_whatever_it_says(splits, checkpoint, tmp_path):
    state = start(small_run("mlp:9"), splits).state
    with pytest.raises(ModelError, match="checkpoint of another model"):
        runner.load_checkpoint(checkpoint, state)


def test_a_disk_full_at_a_checkpoint_keeps_the_one_before(splits, checkpoint):
    before = checkpoint.read_bytes()
    execution = start(small_run(), splits, checkpoint)
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, usual[1]))
    try:
        with pytest.raises(OutputError, match=r"cannot write .*: File too large"):
            list(train_epochs(execution, checkpoint))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert checkpoint.read_bytes() == before and len(list(checkpoint.parent.iterdir())) == 1


def test_a_checkpoint_that_takes_long_is_saved_seldom(splits, tmp_path, monkeypatch):
    """By a clock of our own: an epoch takes 10 seconds, a checkpoint 6, so the next one waits for 60."""
    now, saved = [0.0], []

    def save(path, state, facts):
        now[0] += 6
        saved.append(len(facts["history"]))
        return 6.0

    monkeypatch.setattr(runner, "perf_counter", lambda: now[0])
    monkeypatch.setattr(runner, "save_checkpoint", save)
    run = small_run(settings=Settings(n_epochs=20, batch_size=8))
    for record in train_epochs(start(run, splits), tmp_path / "x.safetensors"):
        now[0] += 10
        assert record["epoch"] <= 20
    assert saved == [0, 7, 13, 19]


def test_a_run_is_performed_once_to_a_row_that_can_be_read_again(splits, tmp_path):
    run = small_run(watch="test", tests=("clean", NOISE), settings=Settings(n_epochs=6, batch_size=8))
    *records, row = carry_out(run, splits, tmp_path / "unfinished")
    assert [record["epoch"] for record in records] == [1, 2, 3, 4, 5, 6]
    assert row["key"] == run.key(splits.data_hash) and Run.of(row["run"]) == run
    assert row["scores"]["clean"]["accuracy"] > 0.9 and row["scores"][NOISE]["n_images"] == 30
    assert row["n_parameters"] == 20 * 20 * 8 + 8 + 8 * 2 + 2
    assert row["precision"] in ("float32", "bfloat16") and row["n_threads"] == torch.get_num_threads()
    assert [len(r) for r in row["samples"]["clean"]["probabilities"]] == [2] * 24
    assert row["samples"]["clean"]["indices"][:4] == [0, 1, 2, 3]
    assert "watch_accuracy" in row["history"][0] and row["train_seconds"] > 0
    assert list((tmp_path / "unfinished").iterdir()) == []  # nothing left to resume
    for _ in range(2):
        append_row(tmp_path / "rows.jsonl", row)
    assert read_rows(tmp_path / "rows.jsonl") == {row["key"]: json.loads(json.dumps(row))}


def test_without_its_data_a_row_is_known_by_its_settings_and_with_other_data_it_is_not(splits, tmp_path):
    run = small_run()
    *_, done = carry_out(run, splits, tmp_path)
    append_row(tmp_path / "rows.jsonl", done)
    rows = read_rows(tmp_path / "rows.jsonl")
    (row,) = rows.values()

    def lost(name):
        raise InputError(f"{name} is not here")

    without = Results(rows, lost)
    assert without.row(run) == row
    assert without.row(replace(run, seed=1)) is None
    other = Labelled(1 - splits.train.images, splits.train.labels, splits.classes)
    assert Results(rows, lambda name: replace(splits, train=other)).row(run) is None
    assert Results(rows, lambda name: splits).row(run) == row
    line = Line("X1", "a thing proven", "nothing", prove=lambda: lost("it"))
    assert without.proof(line) == "not run\nit is not here"


def test_a_line_that_is_no_row_is_named_by_its_number(tmp_path):
    path = tmp_path / "rows.jsonl"
    assert read_rows(path) == {}
    path.write_text('{"key": "a"}\n{"key": "b", "sco')
    with pytest.raises(InputError, match=r"rows.jsonl, line 2, is not a row of results.*Remove that line"):
        read_rows(path)
    path.write_text("[1]\n")
    with pytest.raises(InputError, match="line 1"):
        read_rows(path)


def test_a_denoiser_learns_from_noise_drawn_once_to_give_the_clean_images(splits):
    run = small_run("dense-autoencoder:8", train_noise=(NOISE,), fresh_noise=False, tests=(NOISE,))
    execution = start(run, splits)
    clean = splits.train.joined(splits.validation).images
    task = execution.task
    streams = tasks.RandomStreams(np.random.default_rng(0), torch.Generator())
    inputs, targets = task.pair(
        torch.from_numpy(execution.data.train.images), torch.zeros(len(clean)), streams
    )
    np.testing.assert_array_equal(targets.numpy(), clean)
    assert inputs.shape == targets.shape and np.abs(inputs.numpy() - clean).mean() > 0.05
    again, _ = task.pair(torch.from_numpy(execution.data.train.images), torch.zeros(len(clean)), streams)
    assert torch.equal(inputs, again)
    list(train_epochs(execution))
    assert {"mse", "noisy_mse"} <= set(finish(execution)[run.tests[0]].scores)


def test_the_row_of_a_plane_of_latents_holds_its_map_and_where_the_images_lie(splits):
    run = small_run(
        "vae-dense:latents=2,hidden=8,condition=no",
        train_noise=("binary",), tests=("binary",), task="generate:samples=2",
    )  # fmt: skip
    execution = start(run, splits)
    sample = make_row(execution, {})["samples"]["binary"]
    drawn, steps = decode_images(sample["map"]), sample["steps"]
    assert drawn.shape == (N_MAPPED**2, 1, 20, 20) and steps == sorted(steps)
    latents = torch.tensor([[steps[3], steps[0]]])  # x to the right, y upwards
    expected = execution.state.model.decode(latents).sigmoid().detach().numpy()
    np.testing.assert_allclose(drawn[3], expected[0], atol=0.5 / 255 + 1e-6)
    points = execution.state.model.encode(
        torch.from_numpy(execution.data.tests["binary"].seen.images)
    ).detach()
    np.testing.assert_allclose(sample["points"], points, atol=6e-4)
