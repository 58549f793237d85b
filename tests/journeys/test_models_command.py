"""Saved models are listed, shown, verified and exported by the real command."""

import json
import shutil

import numpy as np
import onnxruntime
import pytest

from legible.cards import SHIPPED, card_folders
from legible.data import load_dataset
from legible.inference.saved import load


@pytest.fixture
def runs(trained, legible, tmp_path):
    """./runs with the trained model in it."""
    folder = tmp_path / "here" / "runs"
    shutil.copytree(trained.folder, folder / "small-digits")
    return folder


def test_saved_and_trainable_models_are_listed(legible, runs):
    from legible.models import MODELS

    done = legible("models", "list")
    assert done.code == 0 and "| small-digits" in done.out and "43,706" in done.out
    assert all(name in done.out for name in MODELS.names())
    assert all(folder.name in done.out for folder in card_folders(SHIPPED))
    found = json.loads(legible("models", "list", "--json").out)
    assert [card["name"] for card in found["saved"]][-1] == "small-digits"
    assert [model["name"] for model in found["trainable"]] == MODELS.names()


def test_a_damaged_model_is_named_and_the_others_are_listed(legible, runs):
    shutil.copytree(runs / "small-digits", runs / "broken")
    (runs / "broken" / "card.json").write_text("{")
    done = legible("models", "list")
    assert done.code == 0 and "| small-digits" in done.out and "broken" not in done.out
    assert "runs/broken/card.json cannot be read" in done.err


def test_a_model_is_shown_by_name_or_path(legible, runs, trained):
    for name in ("small-digits", trained.folder):
        done = legible("models", "show", name)
        assert done.code == 0 and done.err == ""
        for said in ("43,706 parameters", "images (N, 1, 28, 28) float32 in [0, 1], 1 = ink", "legible train",
                     "1,197 images", "digits-embedded"):  # fmt: skip
            assert said in done.out
    shown = json.loads(legible("models", "show", "small-digits", "--json").out)
    assert shown == json.loads((runs / "small-digits" / "card.json").read_text())


def test_a_sound_model_is_verified_line_by_line(legible, runs):
    done = legible("models", "verify", "small-digits")
    assert done.code == 0 and done.err == ""
    lines = done.out.splitlines()
    assert len(lines) == 4 and all(line.startswith("small-digits: ") for line in lines)


def test_without_a_name_all_shipped_models_are_verified(legible):
    done = legible("models", "verify")
    assert done.code == 0
    shipped = {folder.name for folder in card_folders(SHIPPED)}
    lines = done.out.splitlines()
    assert {line.partition(":")[0] for line in lines} == shipped
    measured_again = {line.partition(":")[0] for line in lines if "as the card says" in line}
    assert measured_again == shipped  # a figure of each


def test_an_exported_pair_loads_back_to_the_same_predictions(legible, runs, trained, tmp_path):
    from legible.training.keras_pair import load_pair
    from legible.training.loop import predictor

    done = legible("models", "export", "small-digits", "--format", "hdf5", "--output", "out/pair.h5")
    assert done.code == 0 and done.out.split() == ["out/pair.json", "out/pair.h5"]
    images = load_dataset("digits-embedded").test.images
    model, shape = load_pair(tmp_path / "here" / "out" / "pair")
    assert shape == (1, 28, 28)
    np.save("images.npy", images)
    np.testing.assert_allclose(predictor(model)(images), load("small-digits").run(images), atol=1e-4)
    assert legible("models", "export", "small-digits", "--output", "out/pair").code == 6
    assert legible("models", "export", "small-digits", "--output", "out/pair", "--overwrite").code == 0


def test_an_exported_network_is_the_cards_own(legible, runs):
    done = legible("models", "export", "small-digits", "--format", "onnx")
    assert done.code == 0 and done.out == "small-digits.onnx\n"
    exported = runs.parent / "small-digits.onnx"
    own, weights = (runs / "small-digits" / name for name in ("model.onnx", "weights.safetensors"))
    assert exported.stat().st_size > weights.stat().st_size > own.stat().st_size  # it stands alone
    images = load_dataset("digits-embedded").test.images[:8]
    alone = onnxruntime.InferenceSession(exported).run(None, {"images": images})[0]
    np.testing.assert_allclose(alone, load("small-digits").run(images), atol=1e-5)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("show", "smal-digits"), 4, "no saved model 'smal-digits'. Did you mean 'small-digits'"),
        (("verify", "small-digits", "nothing"), 4, "no saved model 'nothing'"),
        (("export", "small-digits", "--format", "hdf"), 2, "no export format 'hdf'. Did you mean 'hdf5'"),
        (("export", "small-digits", "--output", "runs"), 2, "runs is a folder; --output needs a file name"),
        (("show", "runs"), 4, "runs has no card.json, so it is not a saved model"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(legible, runs, words, code, said):
    done = legible("models", *words)
    assert done.code == code and said in done.err and done.out == ""
    assert done.err.startswith("legible: ") and done.err.count("\n") == 1


def test_a_damaged_network_is_neither_exported_nor_used(legible, runs):
    path = runs / "small-digits" / "model.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    for words in (("models", "export", "small-digits", "--format", "onnx"),
                  ("evaluate", "small-digits", "--dataset", "digits-embedded")):  # fmt: skip
        done = legible(*words)
        assert done.code == 4 and "model.onnx is damaged or changed" in done.err and done.out == ""
    assert not (runs.parent / "small-digits.onnx").exists()
