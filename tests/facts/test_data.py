"""Datasets, splits and the IDX format agree with what is published about them.

Source of the expected values: the files' publishers (counts, checksums, the IDX format), and files written by
hand.
"""

import struct

import numpy as np
import pytest

from legible.data import load_dataset
from legible.data.folders import read_idx
from legible.data.split import Labelled, folds, hold_out_last, split_at_random
from legible.errors import ArgumentError, InputError


@pytest.fixture(scope="module")
def mnist(real_data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEGIBLE_DATA", str(real_data))
        return load_dataset("mnist")


@pytest.fixture
def numbered() -> Labelled:
    """Twenty images of class 0, ten of class 1, one of class 2; image i is filled with i / 100."""
    labels = np.repeat([0, 1, 2], [20, 10, 1])
    images = np.full((31, 1, 4, 4), 0.01, np.float32) * np.arange(31, dtype=np.float32)[:, None, None, None]
    return Labelled(images, labels, ("a", "b", "c"))


def test_mnist_has_the_published_mean_and_standard_deviation(mnist):
    """Source: mean 0.1307 and standard deviation 0.3081 of the 60,000 training images (PyTorch examples)."""
    ink = np.concatenate([mnist.train.images, mnist.validation.images])
    assert ink.mean(dtype=np.float64) == pytest.approx(0.1307, abs=5e-5)
    assert ink.std(dtype=np.float64) == pytest.approx(0.3081, abs=5e-5)


def test_mnist_is_in_its_original_order(mnist):
    """Source: report C's first four test digits, and the first training labels on MNIST's page."""
    assert mnist.test.labels[:4].tolist() == [7, 2, 1, 0]
    assert mnist.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert [len(part) for part in (mnist.train, mnist.validation, mnist.test)] == [50_000, 10_000, 10_000]
    assert mnist.validation.images.base is mnist.train.images.base  # held out without a copy


def test_fashion_mnist_has_equally_many_images_per_class(real_data, monkeypatch):
    """Source: the dataset's page: 7,000 images a class, 1,000 of them in the test."""
    monkeypatch.setenv("LEGIBLE_DATA", str(real_data))
    fashion = load_dataset("fashion-mnist")
    assert np.bincount(fashion.test.labels).tolist() == [1000] * 10
    known = np.concatenate([fashion.train.labels, fashion.validation.labels])
    assert np.bincount(known).tolist() == [6000] * 10
    assert fashion.classes[9] == "Ankle boot" and known[0] == 9


def test_the_embedded_digits_are_those_of_scikit_learn_centred_like_mnist():
    """Source: class counts printed by scikit-learn's description; MNIST's page for the centring."""
    digits = load_dataset("digits-embedded")
    parts = (digits.train, digits.validation, digits.test)
    counts = np.bincount(np.concatenate([part.labels for part in parts]))
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert [len(part) for part in parts] == [1197, 240, 360]
    ink = digits.train.images[:, 0]
    down = (ink.sum(axis=2) * np.arange(28)).sum(axis=1) / ink.sum(axis=(1, 2))
    across = (ink.sum(axis=1) * np.arange(28)).sum(axis=1) / ink.sum(axis=(1, 2))
    assert np.abs(down - 14).max() <= 0.51 and np.abs(across - 14).max() <= 0.51
    assert (ink.max(axis=1) > 0).sum(axis=1).max() <= 20


def test_n_train_keeps_the_first_training_images_and_size_scales_all():
    small = load_dataset("digits-embedded", n_train=100, size=(20, 24))
    assert small.train.images.shape == (100, 1, 20, 24) and small.test.images.shape == (360, 1, 20, 24)
    assert small.train.labels[:10].tolist() == list(range(10))
    with pytest.raises(ArgumentError, match="1 to 1,197"):
        load_dataset("digits-embedded", n_train=1198)


def test_a_random_split_holds_out_its_share_of_each_class_and_loses_nothing(numbered):
    """By hand: 30 % of 20, 10 and 1 is 6, 3 and none, since a class's only image is not held out."""
    rest, held_out = split_at_random(numbered, 0.3, seed=1)
    assert np.bincount(held_out.labels, minlength=3).tolist() == [6, 3, 0]
    both = np.concatenate([rest.images, held_out.images])[:, 0, 0, 0]
    np.testing.assert_array_equal(np.sort(both), numbered.images[:, 0, 0, 0])
    assert not (np.diff(rest.labels) >= 0).all()  # shuffled: its first images are of every class
    again, other = split_at_random(numbered, 0.3, seed=1)[1], split_at_random(numbered, 0.3, seed=2)[1]
    np.testing.assert_array_equal(again.images, held_out.images)
    assert not np.array_equal(other.images, held_out.images)
    few = split_at_random(numbered, 0.01, seed=1)[1]
    assert np.bincount(few.labels, minlength=3).tolist() == [1, 1, 0]  # at least one if there are two


def test_every_image_is_held_out_by_exactly_one_fold():
    """Source: the definition of k-fold; 23 in 5 gives sizes 5, 5, 5, 4, 4 as scikit-learn's KFold does."""
    parts = list(folds(23, 5, seed=0))
    assert [len(held_out) for _, held_out in parts] == [5, 5, 5, 4, 4]
    assert sorted(np.concatenate([held_out for _, held_out in parts])) == list(range(23))
    assert all(sorted([*train, *held_out]) == list(range(23)) for train, held_out in parts)
    assert parts[0][1].tolist() != list(range(5))
    assert parts[0][1].tolist() == next(folds(23, 5, seed=0))[1].tolist()


def test_impossible_splits_are_refused(numbered):
    rest, last = hold_out_last(numbered, 30)
    assert (len(rest), len(last)) == (1, 30)
    for n in (0, 31, -1):
        with pytest.raises(ArgumentError, match="cannot hold out"):
            hold_out_last(numbered, n)
    for share in (0.0, 1.0, -0.1):
        with pytest.raises(ArgumentError, match="between 0 and 1"):
            split_at_random(numbered, share, seed=0)
    with pytest.raises(InputError, match="too few"):
        split_at_random(numbered.take(np.array([0, 20, 30])), 0.5, seed=0)
    for k in (1, 24):
        with pytest.raises(ArgumentError, match=f"{k} folds"):
            folds(23, k, seed=0)


def test_labels_that_do_not_match_images_or_classes_are_refused(numbered):
    with pytest.raises(InputError, match="31 images but 30 labels"):
        Labelled(numbered.images, numbered.labels[:30], numbered.classes)
    with pytest.raises(InputError, match="label 30 is 2"):
        Labelled(numbered.images, numbered.labels, ("a", "b"))


@pytest.mark.parametrize(
    ("code", "kind"), [(0x08, "B"), (0x09, "b"), (0x0B, "h"), (0x0C, "i"), (0x0D, "f"), (0x0E, "d")]
)
def test_the_idx_format_is_read_as_its_description_says(code, kind):
    """Source: MNIST's page: two zeros, type, number of axes, sizes and values, all big-endian."""
    content = bytes([0, 0, code, 2]) + struct.pack(f">2I6{kind}", 2, 3, 1, 2, 3, 4, 5, 100)
    assert read_idx(content).tolist() == [[1, 2, 3], [4, 5, 100]]


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"", "starts with nothing"),
        (b"PK\x03\x04" + bytes(50), "not in the IDX format: it starts with 50 4b 03 04"),
        (b"\0\0\x07\x01" + bytes(50), "not in the IDX format"),
        (b"\0\0\x08\x03\0\0\0\1", "within its header"),
        (b"\0\0\x08\x01\0\0\0\5abcd", "is 13 bytes, not 12"),
        (b"\0\0\x08\x01\0\0\0\3abcd", "is 11 bytes, not 12"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "not 16"),
    ],
)
def test_bytes_that_contradict_their_idx_header_are_refused(content, hint):
    with pytest.raises(InputError, match=hint):
        read_idx(content)
