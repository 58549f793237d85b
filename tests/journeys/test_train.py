"""From images to a evaluated, saved classifier, by the real command."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from legible.cards import open_card
from legible.cli.screen import Screen

PICTURES = {"confusion.png", "curves.png", "predictions.png", "reliability.png", "worst.png"}
FILES = {"card.json", "evaluation.json", "model.onnx", "weights.safetensors"}
EMBEDDED = ("--dataset", "digits-embedded")


@pytest.fixture
def undrawn(monkeypatch):
    """Leave the pictures out where they are not what is tested: they take most of the time."""
    monkeypatch.setattr("legible.report.classification.draw_report", lambda *arguments: {})


def names_in(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_training_leaves_a_whole_folder_and_nothing_beside_it(trained):
    assert names_in(trained.folder) == FILES | PICTURES
    assert names_in(trained.folder.parent) == {"small-digits"}  # no .part, nothing hidden
    for name in PICTURES:
        with Image.open(trained.folder / name) as picture:
            assert picture.format == "PNG" and min(picture.size) > 200
    card, whole = open_card(trained.folder), json.loads((trained.folder / "evaluation.json").read_text())
    assert whole["tests"]["clean"]["accuracy"] == card.main_score["accuracy"] > 0.85
    assert [record["epoch"] for record in whole["history"]] == [1, 2, 3]
    assert card.facts["trained"]["run"] == whole["run"]
    command = card.facts["trained"]["command"]
    assert command.startswith("legible train cnn-one-conv:filters=8,dense=32 --dataset digits-embedded")


def test_data_goes_to_stdout_and_words_to_stderr(trained):
    assert "accuracy" in trained.done.out and "**Classes**" in trained.done.out
    assert "epoch" not in trained.done.out and "saved in" not in trained.done.out
    words = trained.done.err
    assert "1,197 training, 240 validation and 360 test images" in words
    for said in (
        "epoch   1/3",
        "epoch   3/3",
        "held out",
        "images/s",
        "trained in",
        f"saved in {trained.folder}",
    ):
        assert said in words


def test_json_is_all_there_is_on_stdout(legible, undrawn, tmp_path):
    done = legible("train", "mlp:16", *EMBEDDED, "--epochs", 1, "--json", "--output", tmp_path / "out")
    report = json.loads(done.out)["clean"]
    assert done.code == 0 and report["n_images"] == 360 and len(report["confusion"]) == 10


def test_a_second_training_replaces_the_first_only_when_asked(legible, undrawn, tmp_path):
    words = ("train", "mlp:16", *EMBEDDED, "--epochs")
    assert legible(*words, 1).code == 0
    [folder] = (tmp_path / "here" / "runs").iterdir()
    assert folder.name == "mlp-widths16.digits-embedded-seed0"
    before = (folder / "weights.safetensors").read_bytes()
    refused = legible(*words, 2)
    assert refused.code == 6 and refused.out == "" and refused.err.count("\n") <= 4
    assert (
        f"{folder.relative_to(tmp_path / 'here')} exists already" in refused.err
        and "--overwrite" in refused.err
    )
    assert (folder / "weights.safetensors").read_bytes() == before
    assert legible(*words, 2, "--overwrite").code == 0
    assert (folder / "weights.safetensors").read_bytes() != before
    assert names_in(folder.parent) == {folder.name} and names_in(folder) == FILES


def test_equal_words_give_equal_weights_and_another_seed_gives_others(legible, undrawn, tmp_path):
    words = ("train", "mlp:16", *EMBEDDED, "--epochs", 1, "--noise", "gaussian:0.1", "--augment", "shift:1")
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        assert legible(*words, "--seed", seed, "--output", tmp_path / name).code == 0
    a, b, c = ((tmp_path / name / "weights.safetensors").read_bytes() for name in "abc")
    assert a == b != c
    # model.onnx is what the card is used by: it too depends on the words alone
    assert (tmp_path / "a" / "model.onnx").read_bytes() == (tmp_path / "b" / "model.onnx").read_bytes()


def test_noise_for_training_and_for_testing_is_put_on_and_named(legible, undrawn, tmp_path):
    done = legible(
        "train", "mlp:16", *EMBEDDED, "--epochs", 2, "--noise", "gaussian:0.3", "--noise", "stripes",
        "--test-noise", "clean", "--test-noise", "gaussian:.9", "--json", "--output", tmp_path / "out",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert list(json.loads(done.out)) == ["gaussian:std=0.3+stripes", "clean", "gaussian:std=0.9"]
    assert "noise: gaussian:std=0.3 + stripes, each clipped to [0, 1], new in every epoch" in done.err
    scores = open_card(tmp_path / "out").facts["scores"]
    assert [score["noise"] for score in scores] == ["gaussian:std=0.3+stripes", "clean", "gaussian:std=0.9"]
    once = legible("train", "mlp:16", *EMBEDDED, "--epochs", 1, "--noise", "gaussian:0.3", "--noise-once")
    assert once.code == 0 and "the same in every epoch" in once.err


def test_folds_give_a_score_each_and_keep_no_model(legible, tmp_path):
    words = ("train", "cnn-one-conv:filters=4,dense=16", *EMBEDDED, "--epochs", 1, "--folds", 3)
    done = legible(*words, "--json")
    found = json.loads(done.out)
    assert len(found["folds"]) == 3 and found["mean"] == pytest.approx(np.mean(found["folds"]))
    assert found["spread"] == pytest.approx(np.std(found["folds"], ddof=1))
    assert [f"fold {i}/3" in done.err for i in (1, 2, 3)] == [True] * 3
    assert names_in(tmp_path / "here") == set()


@pytest.mark.parametrize("n_folds", [1, -2, 5000])
def test_folds_that_cannot_be_dealt_are_refused(legible, n_folds):
    done = legible("train", "mlp:16", *EMBEDDED, "--folds", n_folds)
    assert done.code == 2 and f"into {n_folds} folds" in done.err and "Traceback" not in done.err


def test_settings_left_out_follow_the_recipe_and_given_ones_win(legible, undrawn, tmp_path):
    from legible.runs.run import recipe_of

    folder = tmp_path / "out"
    done = legible(
        "train", "digits-fast", *EMBEDDED, "--epochs", 1, "--schedule", "constant", "--output", folder
    )
    assert done.code == 0, done.err
    settings = open_card(folder).facts["trained"]["run"]["settings"]
    recipe = recipe_of("digits-fast").to_json()
    assert recipe | {"n_epochs": 1, "schedule": "constant"} == settings


def test_a_training_without_validation_learns_from_those_images_too(legible, undrawn, tmp_path):
    done = legible("train", "mlp:16", *EMBEDDED, "--epochs", 1, "--no-hold-out", "--output", tmp_path / "out")
    assert done.code == 0 and "held out" not in done.err
    assert open_card(tmp_path / "out").facts["trained"]["n_images"] == 1197 + 240


class TestCutOff:
    """A training that stopped after its first epoch, as a kill or a full disk leaves it."""

    WORDS = ("train", "mlp:16", *EMBEDDED, "--epochs", 3, "--output", "run")

    @pytest.fixture
    def part(self, legible, undrawn, tmp_path):
        def stop(*_):
            raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Screen, "epoch", stop)
            done = legible(*self.WORDS)
        assert done.code == 130 and "interrupted after epoch 1 of 3; go on with:" in done.err
        assert "legible train mlp:16 --dataset digits-embedded --epochs 3 --output run --resume" in done.err
        return tmp_path / "here" / "run.part"

    def test_it_is_not_thrown_away_unasked(self, legible, part):
        refused = legible(*self.WORDS)
        assert refused.code == 6 and "an unfinished training is in run.part. Add --resume" in refused.err
        assert (part / "checkpoint.safetensors").exists()

    def test_resumed_it_does_only_the_rest_and_ends_with_the_same_weights(self, legible, part):
        done = legible(*self.WORDS, "--resume")
        assert done.code == 0 and "after epoch 1" in done.err
        assert "epoch   1/3" not in done.err and "epoch   2/3" in done.err and "epoch   3/3" in done.err
        assert not part.exists()
        legible(*self.WORDS[:-1], "whole")
        whole, resumed = (load_file(part.with_name(n) / "weights.safetensors") for n in ("whole", "run"))
        assert all(np.array_equal(whole[name], resumed[name]) for name in whole)
        history = json.loads((part.with_name("run") / "evaluation.json").read_text())["history"]
        assert [record["epoch"] for record in history] == [1, 2, 3]

    def test_with_other_settings_it_is_refused(self, legible, part):
        done = legible(*self.WORDS, "--batch-size", 7, "--resume")
        assert done.code == 4 and "other settings or other data" in done.err and "--overwrite" in done.err

    def test_with_a_damaged_checkpoint_it_says_so_and_can_be_started_anew(self, legible, part):
        checkpoint = part / "checkpoint.safetensors"
        checkpoint.write_bytes(checkpoint.read_bytes()[:500])
        done = legible(*self.WORDS, "--resume")
        assert done.code == 4 and "not a usable checkpoint" in done.err and "Traceback" not in done.err
        assert legible(*self.WORDS, "--overwrite").code == 0 and not part.exists()


def test_labels_outside_the_classes_are_refused_with_their_place(legible, tmp_path):
    labels = np.zeros((30, 3), np.float32)
    labels[:, 0] = 1
    labels[7] = 0
    for bad, words in ((labels, "label 7 is not one-hot"), (np.arange(30) - 1, "label 0 is -1")):
        np.savez(tmp_path / "own.npz", images=np.zeros((30, 8, 8), np.uint8), labels=bad)
        done = legible("train", "mlp:16", "--dataset", tmp_path / "own.npz")
        assert done.code == 3 and words in done.err and "own.npz" in done.err


def test_own_images_of_another_size_are_learnt_and_too_small_ones_refused(legible, undrawn, tmp_path):
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    images = rng.integers(0, 60, (60, 12, 9), np.uint8)
    images[labels == 1, 4:8] = 255
    np.savez(tmp_path / "own.npz", images=images, labels=labels)
    words = ("train", "cnn-one-conv:filters=4,dense=8", "--dataset", tmp_path / "own.npz", "--epochs", 20)
    done = legible(*words, "--batch-size", 8, "--learning-rate", 0.01, "--json", "--output", tmp_path / "out")
    assert done.code == 0, done.err
    assert json.loads(done.out)["clean"]["accuracy"] == 1.0
    assert open_card(tmp_path / "out").image_shape == (1, 12, 9)
    small = legible("train", "digits-wide", *words[2:], "--output", tmp_path / "out2")
    assert small.code == 2 and "pixels and more, not 12 x 9" in small.err and "--size" in small.err


HELP = """
import sys
from legible.cli import main
sys.argv = ["legible", "--help"]
try:
    main()
finally:
    print([name for name in ("torch", "numpy", "cv2", "openvino", "matplotlib") if name in sys.modules])
"""
WITHOUT = """
import sys
for name in sys.argv.pop(1).split(","):
    sys.modules[name] = None
from legible.cli import main
main()
"""


@pytest.mark.parametrize(
    ("missing", "words"), [("torch", ("train", "mlp", *EMBEDDED)), ("sklearn", ("noise", "show", "gaussian"))]
)
def test_a_missing_part_is_named_with_the_command_that_installs_it(tmp_path, missing, words):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, missing, *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 5 and done.stdout == "" and done.stderr.count("\n") == 1
    assert "needs the 'train' extra. Install it: pip install 'legible[train]'" in done.stderr
    assert names_in(tmp_path) == set()


def test_a_reader_who_goes_away_gets_no_traceback(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "legible", "noise", "list", "--json"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    process.stdout.close()
    words = process.stderr.read()
    process.stderr.close()
    process.wait(60)
    assert words == ""


def test_help_comes_at_once_and_loads_nothing_heavy(tmp_path):
    used = []
    for _ in range(3):  # the quickest counts: the machine may be busy with other things
        before = os.times()
        done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True)
        after = os.times()
        used.append(
            after.children_user + after.children_system - before.children_user - before.children_system
        )
    assert done.stdout.endswith("[]\n") and "reproduce" in done.stdout
    assert min(used) < 0.5
