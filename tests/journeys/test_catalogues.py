"""What there is: datasets and noises, listed, fetched and shown by the real command."""

import json
from importlib.metadata import version

import pytest
from PIL import Image

from legible.data import DATASETS
from legible.noise import NOISES


def test_datasets_are_listed_with_licence_and_as_json(legible):
    done = legible("datasets", "list")
    assert done.code == 0 and done.err == ""
    assert all(f"| {entry.name}" in done.out and entry.facts["licence"] in done.out for entry in DATASETS)
    found = json.loads(legible("datasets", "list", "--json").out)
    assert [dataset["name"] for dataset in found] == DATASETS.names()
    assert all(dataset["n_images"] > 0 and "remote" not in dataset for dataset in found)


def test_fetching_needs_nothing_for_what_comes_along_and_a_network_for_the_rest(legible, tmp_path):
    assert legible("datasets", "fetch", "digits-embedded").code == 0
    done = legible("datasets", "fetch", "mnist")
    assert done.code == 3 and "cannot download train-images-idx3-ubyte.gz of mnist" in done.err
    assert "127.0.0.1" in done.err and "LEGIBLE_DATA" in done.err and done.out == ""
    wrong = legible("datasets", "fetch", "digits-embedded", "mnits")
    assert wrong.code == 2 and "Did you mean 'mnist'" in wrong.err and wrong.out == ""


def test_files_at_hand_are_checked_and_named(legible, real_data, monkeypatch):
    monkeypatch.setenv("LEGIBLE_DATA", str(real_data))
    done = legible("datasets", "fetch", "mnist")
    assert done.code == 0 and len(done.out.split()) == 4 and str(real_data) in done.out


def test_noises_are_listed_with_their_settings(legible):
    done = legible("noise", "list")
    assert done.code == 0 and done.err == ""
    assert all(f"| {entry.name}" in done.out and entry.settings in done.out for entry in NOISES)
    found = json.loads(legible("noise", "list", "--json").out)
    assert {noise["name"]: noise["settings"] for noise in found} == {e.name: e.defaults for e in NOISES}


def test_noises_are_shown_as_a_picture_that_is_not_overwritten_unasked(legible, tmp_path):
    words = ("noise", "show", "gaussian:0.5", "stripes", "--output", "shown.png")
    done = legible(*words)
    assert done.code == 0 and done.out == "shown.png\n"
    path = tmp_path / "here" / "shown.png"
    with Image.open(path) as picture:
        assert picture.format == "PNG" and picture.width > 300
    before = path.read_bytes()
    refused = legible(*words, "--seed", 1)
    assert refused.code == 6 and "shown.png exists already" in refused.err and path.read_bytes() == before
    assert (
        legible(*words, "--overwrite").code == 0 and path.read_bytes() == before
    )  # equal seeds, equal files


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("noise", "show", "gausian"), "no noise 'gausian'. Did you mean 'gaussian'"),
        (("noise", "show", "gaussian:sdt=1"), "Did you mean 'std'"),
        (("noise", "show", "gaussian", "--dataset", "mnits"), "Did you mean 'mnist'"),
        (("noise", "--nothing"), "No such option"),
        (("trian",), "No such command"),
    ],
)
def test_wrong_words_give_code_2_and_no_traceback(legible, words, said):
    done = legible(*words)
    assert done.code == 2 and said in done.err and done.out == "" and "Traceback" not in done.err


def test_the_version_is_that_of_the_installation(legible):
    done = legible("--version")
    assert done.code == 0 and done.out == f"legible {version('legible')}\n"
