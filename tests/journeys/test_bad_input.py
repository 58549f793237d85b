"""Whatever is wrong with what a user gives: one clear sentence, its exit code, and nothing half-written."""

import gzip
import json
import shutil
import struct

import numpy as np
import pytest

SHORT = ("--dataset", "digits-embedded", "--epochs", 1)


def assert_one_sentence(done, code, *words):
    """The command failed as it should: in words on stderr, no data on stdout, no traceback."""
    assert done.code == code, done.err
    last = done.err.strip().splitlines()[-1]
    assert last.startswith("legible: ") and "Traceback" not in done.err and done.out == ""
    for word in words:
        assert word in last, f"{word!r} is not in {last!r}"


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("train", "digits-fats", *SHORT), "digits-fast"),
        (("train", "cnn-one-conv:filter=3", *SHORT), "filters"),
        (("train", "mlp", "--noise", "gausian:0.5", *SHORT), "gaussian"),
        (("train", "mlp", "--augment", "shfit", *SHORT), "shift"),
        (("train", "mlp", "--optimiser", "adm", *SHORT), "adam"),
        (("train", "mlp", "--schedule", "onecycle", *SHORT), "one-cycle"),
        (("train", "mlp", "--dataset", "digits-embeded"), "digits-embedded"),
        (("reproduce", "A11"), "a1"),
        (("evaluate", "digits-fst"), "digits-fast"),
    ],
)
def test_a_name_that_is_nearly_right_is_suggested(legible, tmp_path, words, near):
    done = legible(*words)
    assert_one_sentence(done, 4 if words[0] == "evaluate" else 2, near)
    assert not (tmp_path / "here" / "runs").exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--epochs", "-1"), ("--batch-size", "0"), ("--learning-rate", "nan"), ("--average", "2"),
        ("--precision", "float8"), ("--size", "28"), ("--folds", "1"), ("--label-smoothing", "1"),
        ("--noise", "gaussian:-1"), ("--noise", "gaussian:loud"), ("--augment", "rotation:1,2,3"),
    ],
)  # fmt: skip
def test_a_setting_out_of_range_is_refused(legible, tmp_path, option, value):
    done = legible("train", "mlp", "--dataset", "digits-embedded", option, value)
    assert_one_sentence(done, 2, option.strip("-").replace("augment", "rotation").replace("-", "_")[:5])
    assert not (tmp_path / "here" / "runs").exists()


def test_a_truncated_idx_file_is_named(legible, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    header = struct.pack(">IIII", 2051, 100, 28, 28)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(header + bytes(1000)))
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(
        gzip.compress(struct.pack(">II", 2049, 100) + bytes(100))
    )
    assert_one_sentence(legible("train", "mlp", "--dataset", folder), 3, "train-images-idx3-ubyte")


def test_arrays_of_a_wrong_shape_are_refused(legible, tmp_path):
    path = tmp_path / "own.npz"
    np.savez(path, images=np.zeros((10, 5), np.uint8), labels=np.zeros(10, np.int64))
    assert_one_sentence(legible("train", "mlp", "--dataset", path), 3)


def test_images_and_labels_that_differ_in_number_are_refused(legible, tmp_path):
    path = tmp_path / "own.npz"
    np.savez(path, images=np.zeros((10, 8, 8), np.uint8), labels=np.zeros(9, np.int64))
    assert_one_sentence(legible("train", "mlp", "--dataset", path), 3, "10", "9")


def test_a_model_for_other_classes_is_refused(legible, trained, tmp_path):
    path = tmp_path / "two.npz"
    images = np.zeros((40, 28, 28), np.uint8)
    images[:, 10:18, 10:18] = np.random.default_rng(0).integers(0, 255, (40, 8, 8))
    np.savez(path, images=images, labels=np.arange(40) % 2)
    assert_one_sentence(legible("evaluate", trained.folder, "--dataset", path), 3, "classes")


def test_a_training_that_diverges_says_so_and_saves_nothing(legible, tmp_path):
    done = legible(
        "train", "mlp", "--dataset", "digits-embedded", "--optimiser", "sgd", "--learning-rate", 100,
        "--l2", 10, "--schedule", "constant", "--epochs", 9, "--output", tmp_path / "wild",
    )  # fmt: skip
    assert_one_sentence(done, 4, "diverged", "learning rate")
    assert not (tmp_path / "wild").exists()


def test_an_output_folder_that_exists_is_left_alone(legible, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "note.txt").write_text("keep me")
    assert_one_sentence(legible("train", "mlp", *SHORT, "--output", folder), 6, "--overwrite")
    assert [p.name for p in folder.iterdir()] == ["note.txt"]


def test_a_disk_that_is_full_leaves_nothing_half_written(legible, tmp_path, monkeypatch):
    def no_room(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("legible.report.look.save_figure", no_room)
    assert_one_sentence(legible("train", "mlp", *SHORT, "--output", tmp_path / "out"), 6, "No space left")
    assert [p.name for p in tmp_path.iterdir() if "out" in p.name] == [
        "out.part"
    ]  # the checkpoint, to resume


@pytest.mark.parametrize(
    ("name", "word"),
    [("weights.safetensors", "SHA-256"), ("model.onnx", "SHA-256"), ("card.json", "cannot be read")],
)
def test_a_damaged_card_is_found_out(legible, trained, tmp_path, name, word):
    folder = tmp_path / "damaged"
    shutil.copytree(trained.folder, folder)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 0xFF
    (folder / name).write_bytes(bytes(content))
    done = legible("models", "verify", folder)
    assert done.code == 4 and word in done.err and "Traceback" not in done.err


def test_mnist_asked_for_without_a_network_says_what_to_put_where(legible):
    assert_one_sentence(
        legible("train", "mlp", "--dataset", "mnist"), 3, "train-images-idx3-ubyte.gz", "LEGIBLE_DATA"
    )


def test_without_a_network_the_main_job_goes_on_with_the_embedded_digits(legible, tmp_path):
    done = legible("train", "digits-fast", "--json", "--output", tmp_path / "fast")
    assert done.code == 0, done.err
    assert "digits-embedded" in done.err
    assert json.loads(done.out)["clean"]["n_images"] == 360
    assert {"card.json", "weights.safetensors", "model.onnx", "worst.png"} <= {
        p.name for p in (tmp_path / "fast").iterdir()
    }


def test_a_training_that_would_not_fit_into_memory_says_so_before_it_starts(legible, monkeypatch, tmp_path):
    monkeypatch.setattr("legible.runs.memory_estimate.free_memory", lambda: 1_000_000)
    done = legible("train", "mlp", "-d", "digits-embedded", "-o", tmp_path / "out")
    assert_one_sentence(done, 2, "--size")
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.part").exists()
