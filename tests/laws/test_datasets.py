"""Every registered dataset obeys the same contract; no test here names a dataset."""

import numpy as np
import pytest

from legible.data import DATASETS, fetch_dataset, load_dataset
from legible.data.split import Splits
from legible.errors import ArgumentError, InputError, UnknownName
from legible.images import check_images

every_dataset = pytest.mark.parametrize("entry", list(DATASETS), ids=DATASETS.names())


@pytest.fixture
def splits(entry, request, monkeypatch) -> Splits:
    if entry.facts.get("remote") or entry.facts.get("folder"):
        real_data = request.getfixturevalue("real_data")
        if not (real_data / entry.facts.get("folder", "")).is_dir():
            pytest.skip(f"{entry.facts['folder']} is not in {real_data}")
        monkeypatch.setenv("LEGIBLE_DATA", str(real_data))
    return entry.build()


@every_dataset
def test_a_dataset_has_valid_images_and_labels_in_three_parts(entry, splits):
    assert splits.name == entry.name
    assert splits.notes and all(note.endswith(".") for note in splits.notes)
    for part in (splits.train, splits.validation, splits.test):
        check_images(part.images, entry.name)
        assert part.images.shape[1:] == entry.facts["image_shape"]
        assert part.labels.dtype == np.int64 and part.classes == splits.classes
        assert set(part.labels.tolist()) == set(range(entry.facts["n_classes"]))
    assert len(splits.train) + len(splits.validation) + len(splits.test) == entry.facts["n_images"]
    assert len(set(splits.classes)) == entry.facts["n_classes"]
    paper = np.median(splits.train.images[:, :, 0])
    assert paper < 0.1 < splits.train.images.max()  # 1 is ink


@every_dataset
def test_an_available_dataset_is_loaded_without_a_network(entry, request, monkeypatch, tmp_path):
    monkeypatch.setattr("legible.data.fetch.urlopen", None)  # calling it would fail
    monkeypatch.setenv("LEGIBLE_CACHE", str(tmp_path))
    source = entry.facts.get("remote")
    if source:
        monkeypatch.setenv("LEGIBLE_DATA", str(request.getfixturevalue("real_data")))
    files = fetch_dataset(entry.name)
    assert [file.name for file in files] == (list(source.files) if source else [])
    assert not any(tmp_path.iterdir())


@every_dataset
def test_a_dataset_states_its_facts_and_takes_no_settings(entry):
    assert {"n_classes", "image_shape", "n_images", "licence", "source", "size_bytes"} <= set(entry.facts)
    assert entry.summary.endswith(".") and entry.defaults == {}


@every_dataset
def test_a_dataset_to_download_has_two_mirrors_and_a_check_for_every_file(entry):
    source = entry.facts.get("remote")
    assert (source is not None) == (entry.facts["size_bytes"] > 0)
    if source:
        assert source.dataset == entry.name and len(source.mirrors) >= 2
        assert all(mirror.startswith("http") and mirror.endswith("/") for mirror in source.mirrors)
        for check in source.files.values():
            with pytest.raises(InputError, match=r"SHA-256|IDX"):
                check(b"not the file")


def test_a_misspelt_dataset_gets_a_suggestion():
    with pytest.raises(UnknownName, match="Did you mean 'mnist'"):
        load_dataset("mnits")


def test_settings_for_own_data_are_refused_for_registered_names():
    with pytest.raises(ArgumentError, match="own data"):
        load_dataset(DATASETS.names()[0], polarity="dark-on-light")
