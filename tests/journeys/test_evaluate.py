"""A saved classifier is evaluated on any images, under any noise, by the real command."""

import json

import numpy as np
import pytest

from legible.data import load_dataset

EMBEDDED = ("--dataset", "digits-embedded")


def test_a_card_is_evaluated_as_it_was_when_it_was_made(legible, trained):
    done = legible("evaluate", trained.folder, *EMBEDDED, "--json")
    found = json.loads(done.out)
    claimed = json.loads((trained.folder / "evaluation.json").read_text())["tests"]["clean"]
    assert done.code == 0 and found["dataset"] == "digits-embedded" and found["noise"] == "clean"
    assert found["n_images"] == 360 and found["accuracy"] == pytest.approx(claimed["accuracy"], abs=1 / 360)
    assert found["loss_nats"] == pytest.approx(claimed["loss_nats"], rel=1e-2)


def test_tables_go_to_stdout_and_words_to_stderr(legible, trained):
    done = legible("evaluate", trained.folder, *EMBEDDED)
    assert done.code == 0
    assert "**small-digits on digits-embedded (test), clean**" in done.out
    assert "**Classes**" in done.out and "**Confusion matrix**" in done.out
    assert "360 test images" in done.err and "|" not in done.err


def test_noise_is_named_and_makes_the_answers_worse(legible, trained):
    words = ("evaluate", trained.folder, *EMBEDDED, "--json")
    clean, noisy = legible(*words), legible(*words, "--noise", "gaussian:0.5", "--noise", "stripes")
    assert noisy.code == 0 and "noise: gaussian:std=0.5+stripes, each clipped to [0, 1]" in noisy.err
    assert json.loads(noisy.out)["noise"] == "gaussian:std=0.5+stripes"
    assert json.loads(noisy.out)["accuracy"] < json.loads(clean.out)["accuracy"] - 0.05
    assert legible(*words, "--noise", "gaussian:0.5", "--seed", 1).out != noisy.out


def test_the_test_noise_is_the_one_that_the_training_was_evaluated_under(
    legible, trained, tmp_path, monkeypatch
):
    monkeypatch.setattr("legible.report.classification.draw_report", lambda *arguments: {})
    noise = "gaussian:0.4"
    made = legible(
        "train", "mlp:32", *EMBEDDED, "--epochs", 4, "--test-noise", noise, "--output", tmp_path / "out"
    )
    assert made.code == 0, made.err
    tests = json.loads((tmp_path / "out" / "evaluation.json").read_text())["tests"]
    found = json.loads(legible("evaluate", tmp_path / "out", *EMBEDDED, "--noise", noise, "--json").out)
    assert found["loss_nats"] == pytest.approx(tests["gaussian:std=0.4"]["loss_nats"], rel=1e-2)
    assert found["accuracy"] == pytest.approx(tests["gaussian:std=0.4"]["accuracy"], abs=1 / 360)


@pytest.mark.parametrize(("split", "n_images"), [("train", 1197), ("validation", 240), ("all", 1797)])
def test_any_part_of_the_data_may_be_evaluated(legible, trained, split, n_images):
    done = legible("evaluate", trained.folder, *EMBEDDED, "--split", split, "--json")
    assert (json.loads(done.out)["n_images"], json.loads(done.out)["split"]) == (n_images, split)


def test_pictures_are_drawn_on_request_and_replace_nothing_unasked(legible, trained, tmp_path):
    words = ("evaluate", trained.folder, *EMBEDDED, "--pictures", "drawn")
    assert legible(*words).code == 0
    drawn = {path.name for path in (tmp_path / "here" / "drawn").iterdir()}
    assert drawn == {"predictions.png", "worst.png", "confusion.png", "reliability.png"}
    refused = legible(*words)
    assert refused.code == 6 and "drawn exists already" in refused.err and refused.out == ""


def test_own_pictures_of_another_size_and_polarity_are_brought_to_the_models(legible, trained, tmp_path):
    test = load_dataset("digits-embedded").test
    larger = np.repeat(np.repeat(test.images[:, 0], 2, axis=1), 2, axis=2)
    paper = np.rint(255 * (1 - larger)).astype(np.uint8)  # 56 x 56, dark on light
    np.savez(tmp_path / "own.npz", images=paper, labels=test.labels)
    done = legible("evaluate", trained.folder, "--dataset", tmp_path / "own.npz", "--split", "all", "--json")
    assert done.code == 0, done.err
    assert "inverted" in done.err and "scaled to 28 x 28" in done.err
    assert json.loads(done.out)["accuracy"] > 0.85


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--split", "tset"), 2, "Did you mean 'test'"),
        (("--noise", "gausian"), 2, "Did you mean 'gaussian'"),
        (("--noise", "gaussian:99"), 2, "std must lie between 0 and 10"),
        (("--polarity", "light"), 2, ""),
        (("--layout", "channels-last"), 2, "own data"),
    ],
)
def test_wrong_words_are_refused_without_a_traceback(legible, trained, words, code, said):
    done = legible("evaluate", trained.folder, *EMBEDDED, *words)
    assert done.code == code and said in done.err and done.out == "" and "Traceback" not in done.err


def test_images_of_a_size_that_the_model_does_not_take_are_refused(legible, trained):
    done = legible("evaluate", trained.folder, *EMBEDDED, "--size", "20x20")
    assert done.code == 3 and "takes images of 1 channel, 28 x 28 pixels, got 1 channel, 20 x 20" in done.err


def test_without_its_dataset_a_model_is_evaluated_on_no_other_one(legible):
    """`digits-fast` learnt from MNIST, which is neither here nor to be downloaded."""
    done = legible("evaluate", "digits-fast")
    assert done.code == 3 and done.out == ""
    assert "cannot download" in done.err and "LEGIBLE_DATA" in done.err and "digits-embedded" not in done.err
