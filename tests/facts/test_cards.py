"""Each kind of damage to a card is an error of its own.

Source of the expected values: damage done here on purpose, one kind at a time.
"""

import hashlib
import json
import shutil
import struct

import numpy as np
import pytest
from safetensors.torch import load_file, save

from legible.cards import (
    NETWORK,
    WEIGHTS,
    ModelNotFound,
    card_folders,
    count_weights,
    find_card,
    list_cards,
    open_card,
    verify_files,
    write_card,
)
from legible.errors import ExitCode, ModelError
from legible.evaluation.verify import verify_card
from legible.inference.runtime import load_runtime
from legible.kinds import CLASSIFY
from legible.models import build_model
from legible.training.exchange import load_model, to_onnx

KEYS = ("format", "name", "task", "model", "classes", "input", "n_parameters", "n_weights", "files",
        "trained", "scores")  # fmt: skip
N_WEIGHTS = 8 * 9 + 8 + 13 * 13 * 8 * 32 + 32 + 32 * 10 + 10  # of the trained fixture, by hand


@pytest.fixture
def folder(trained, tmp_path):
    """A copy of the trained model that a test may damage."""
    return shutil.copytree(trained.folder, tmp_path / "runs" / "small-digits")


def change(folder, **changes):
    """Change facts in card.json; ... removes one."""
    facts = json.loads((folder / "card.json").read_text()) | changes
    (folder / "card.json").write_text(json.dumps({k: v for k, v in facts.items() if v is not ...}))


def update_hashes(folder):
    """Update the hashes on the card, as a forger would."""
    change(
        folder, files={n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in (WEIGHTS, NETWORK)}
    )


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


def test_a_card_has_its_facts_and_verifies(folder):
    card = find_card(str(folder))
    assert card.name == "small-digits" and card.image_shape == (1, 28, 28)
    assert card.classes == tuple("0123456789") and card.main_score["accuracy"] > 0.8
    assert card.facts["n_parameters"] == card.facts["n_weights"] == N_WEIGHTS
    found = verify_card(card)
    assert any(f"{N_WEIGHTS:,} weights" in sentence for sentence in found)
    assert any("agree" in sentence for sentence in found)


def test_a_card_is_the_same_after_writing_and_opening(folder, tmp_path):
    facts = {k: v for k, v in open_card(folder).facts.items() if k not in ("format", "files", "n_weights")}
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(folder / WEIGHTS, copy)
    written = write_card(copy, facts, (folder / NETWORK).read_bytes())
    assert open_card(copy) == written and written.facts == open_card(folder).facts


def test_weights_are_counted_from_the_header(tmp_path):
    """Source: the safetensors format: eight bytes of length, a JSON table, then the values."""
    table = {
        "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "b": {"dtype": "F32", "shape": [], "data_offsets": [24, 28]},
        "__metadata__": {},
    }
    header = json.dumps(table)
    path = tmp_path / "w.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode() + bytes(28))
    assert count_weights(path) == 7
    for damaged in (b"", b"\xff" * 20, path.read_bytes()[:30]):
        path.write_bytes(damaged)
        with pytest.raises(ModelError, match=r"w.safetensors is not a readable safetensors file"):
            count_weights(path)


@pytest.mark.parametrize("name", [WEIGHTS, NETWORK])
def test_a_changed_byte_is_detected_wherever_the_file_is_used(folder, name):
    flip_a_byte(folder / name)
    card = open_card(folder)
    users = (verify_files, verify_card, load_model if name == WEIGHTS else load_runtime)
    for use in users:
        with pytest.raises(ModelError, match=f"{name} is damaged or changed: its SHA-256 starts") as caught:
            use(card)
        assert caught.value.exit_code == ExitCode.MODEL == 4


@pytest.mark.parametrize("name", [WEIGHTS, NETWORK])
def test_a_missing_file_is_named_wherever_it_is_used(folder, name):
    (folder / name).unlink()
    for use in (verify_files, load_model if name == WEIGHTS else load_runtime):
        with pytest.raises(ModelError, match=f"{name} is missing. Copy the whole folder"):
            use(open_card(folder))


def test_a_truncated_or_invalid_card_is_refused(folder):
    content = (folder / "card.json").read_text()
    for damaged in (content[: len(content) // 2], "", "\x00\xff"):
        (folder / "card.json").write_text(damaged)
        with pytest.raises(ModelError, match=r"card.json cannot be read: .* Train or copy the model again"):
            open_card(folder)
    (folder / "card.json").write_bytes(b"\xff\xfe\xfd")
    with pytest.raises(ModelError, match=r"card.json cannot be read"):
        open_card(folder)
    for wrong in ("[]", "3", '"card"', "null"):
        (folder / "card.json").write_text(wrong)
        with pytest.raises(ModelError, match="it is not a card of Legible"):
            open_card(folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        *(({key: ...}, f"lacks a valid {key}") for key in KEYS),
        ({"name": ..., "files": ...}, "lacks a valid name, files"),
        ({"classes": "0123456789"}, "lacks a valid classes"),
        ({"n_weights": "many"}, "lacks a valid n_weights"),
        ({"input": {}}, "lacks a valid input.shape"),
        ({"input": {"shape": [28, 28]}}, "lacks a valid input.shape"),
        ({"input": {"shape": [1, 28, -28]}}, "lacks a valid input.shape"),
        ({"files": {}}, "lacks a valid files"),
        ({"files": {"../../secret": "00"}}, "lacks a valid files"),
        ({"format": 99}, "has format 99; this version reads format 1"),
    ],
)  # fmt: skip
def test_missing_facts_are_named(folder, changes, words):
    change(folder, **changes)
    with pytest.raises(ModelError, match=words):
        open_card(folder)


def test_wrong_counts_are_refused(folder):
    change(folder, n_weights=N_WEIGHTS + 1)
    with pytest.raises(ModelError, match=rf"has {N_WEIGHTS:,} weights, the card says {N_WEIGHTS + 1:,}"):
        verify_card(open_card(folder))
    change(folder, n_weights=N_WEIGHTS, n_parameters=5)
    with pytest.raises(ModelError, match=rf"the model has {N_WEIGHTS:,} parameters, the card says 5"):
        verify_card(open_card(folder))


def test_a_score_that_cannot_be_reproduced_is_refused(folder):
    facts = open_card(folder).facts
    probe = {
        "dataset": "digits-embedded",
        "split": "test",
        "noise": "clean",
        "n_images": 360,
        "accuracy": 0.123,
    }
    change(folder, input={**facts["input"], "prepared_as": "mnist"}, scores=[probe])
    with pytest.raises(
        ModelError, match=r"accuracy on digits-embedded is 9\d\.\d\d %, the card says 12.30 %"
    ):
        verify_card(open_card(folder))


def test_files_of_two_different_models_are_distinguished(folder):
    other = build_model("cnn-one-conv:filters=8,dense=32", (1, 28, 28), 10, seed=99)
    (folder / NETWORK).write_bytes(to_onnx(other, (1, 28, 28), CLASSIFY))
    update_hashes(folder)
    with pytest.raises(ModelError, match=r"model.onnx and weights.safetensors disagree by"):
        verify_card(open_card(folder))


@pytest.mark.parametrize("spec", ["cnn-one-conv:filters=4,dense=32", "no-such-model", "mlp:widths=none"])
def test_weights_that_do_not_fit_the_stated_model_are_refused(folder, spec):
    change(folder, model=spec)
    with pytest.raises(ModelError, match=f"weights.safetensors does not fit model '{spec}'"):
        load_model(open_card(folder))


@pytest.mark.parametrize("name", [WEIGHTS, NETWORK])
def test_an_invalid_file_with_a_matching_hash_is_refused_in_one_line(folder, name):
    (folder / name).write_bytes(b"this is not a model" * 100)
    update_hashes(folder)
    with pytest.raises(ModelError, match=name) as caught:
        (load_model if name == WEIGHTS else load_runtime)(open_card(folder))
    assert "\n" not in str(caught.value).strip() and ".cpp" not in str(caught.value)


def test_a_card_is_found_by_its_path_and_in_runs_by_its_name(folder, monkeypatch):
    monkeypatch.chdir(folder.parents[1])
    for name in (str(folder), "runs/small-digits", "small-digits"):
        assert find_card(name).name == "small-digits"
    assert [card.name for card in list_cards(folder.parent)] == ["small-digits"]


def test_a_misspelt_name_gets_a_suggestion_even_next_to_a_damaged_card(folder, monkeypatch):
    monkeypatch.chdir(folder.parents[1])
    (folder / "card.json").write_text("damaged")
    with pytest.raises(ModelNotFound, match=r"no saved model 'smal-digits'\. Did you mean 'small-digits'"):
        find_card("smal-digits")
    with pytest.raises(ModelError, match=r"runs has no card\.json, so it is not a saved model"):
        find_card("runs")
    with pytest.raises(ModelNotFound, match="no saved model ''"):
        find_card("")


def test_leftovers_of_a_killed_training_are_not_listed(folder):
    shutil.copytree(folder, folder.parent / ".small-digits.x7f3")
    assert card_folders(folder.parent) == [folder]


def test_a_forged_weight_is_detected(folder):
    tensors = load_file(folder / WEIGHTS)
    next(iter(tensors.values()))[0] += 1
    (folder / WEIGHTS).write_bytes(save(tensors))
    update_hashes(folder)
    with pytest.raises(ModelError, match="disagree by"):
        verify_card(open_card(folder))


def test_the_runtime_gives_the_same_outputs_for_any_number_of_images(trained, rng):
    predict = load_runtime(open_card(trained.folder))
    images = rng.random((1003, 1, 28, 28), dtype=np.float32)
    whole = predict(images)
    for n in (1, 2, 499, 500, 501, 1000):
        np.testing.assert_allclose(predict(images[:n]), whole[:n], atol=1e-5)
    np.testing.assert_allclose(predict(images[::-1]), whole[::-1], atol=1e-5)  # a view that lies backwards


def test_a_network_reads_its_weights_from_the_other_file(folder):
    """This halves the size; a damaged weight is detected before it is used."""
    numbers = (folder / WEIGHTS).stat().st_size
    assert (folder / NETWORK).stat().st_size < numbers / 4
    flip_a_byte(folder / WEIGHTS)
    with pytest.raises(ModelError, match=r"weights.safetensors is damaged or changed"):
        load_runtime(open_card(folder))


def test_other_weights_have_another_identity(folder, tmp_path):
    card = open_card(folder)
    facts = {k: v for k, v in card.facts.items() if k not in ("format", "files", "n_weights", "identity")}
    assert write_card(folder, facts, card.network.read_bytes()).identity == card.identity
    flip_a_byte(folder / WEIGHTS)
    assert write_card(folder, facts, card.network.read_bytes()).identity != card.identity
    assert write_card(folder, facts | {"identity": "kept"}, card.network.read_bytes()).identity == "kept"
