"""Datasets of single digits, and Fashion-MNIST, which has the same format but is harder.

A builder has no arguments and returns Splits, with images float32 (N, 1, 28, 28) in [0, 1], 1 = ink. Facts of
an entry: n_classes, image_shape, n_images, licence, source, size_bytes (to download), remote (Source, if
any).
"""

from __future__ import annotations

import numpy as np

from legible.data import DATASETS
from legible.data.fetch import Check, Source, fetch_file, has_sha256
from legible.data.folders import read_idx
from legible.data.split import Labelled, Splits, hold_out_last
from legible.errors import InputError, MissingExtra
from legible.images import from_array, to_labels
from legible.prepare import center_digit

DIGITS = tuple("0123456789")
GARMENTS = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_TRAIN_IMAGES, _TRAIN_LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
_TEST_IMAGES, _TEST_LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
_N_VALIDATION = 10_000


def _has_shape(shape: tuple[int, ...]) -> Check:
    def check(content: bytes) -> None:
        found = read_idx(content).shape
        if found != shape:
            raise InputError(f"it contains {found}, not {shape}")

    return check


_MNIST = Source(
    dataset="mnist",
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    files={
        _TRAIN_IMAGES: has_sha256("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        _TRAIN_LABELS: has_sha256("65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        _TEST_IMAGES: has_sha256("0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        _TEST_LABELS: has_sha256("ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    },
)
_FASHION = Source(
    dataset="fashion-mnist",
    mirrors=(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    files={  # copies with another order of images are in use, so images are checked by their shape only
        _TRAIN_IMAGES: _has_shape((60_000, 28, 28)),
        _TRAIN_LABELS: has_sha256("bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
        _TEST_IMAGES: _has_shape((10_000, 28, 28)),
        _TEST_LABELS: has_sha256("0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
    },
)


@DATASETS.register(
    "mnist",
    n_classes=10,
    image_shape=(1, 28, 28),
    n_images=70_000,
    licence="CC BY-SA 3.0",
    source="Y. LeCun, C. Cortes, C. J. C. Burges: The MNIST database of handwritten digits",
    size_bytes=11_594_722,
    remote=_MNIST,
)
def load_mnist() -> Splits:
    """70,000 handwritten digits, the standard benchmark.

    Validation is the last 10,000 of the 60,000 training images.
    """
    return _load_idx_files(_MNIST, DIGITS)


@DATASETS.register(
    "fashion-mnist",
    n_classes=10,
    image_shape=(1, 28, 28),
    n_images=70_000,
    licence="MIT",
    source="H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST, arXiv:1708.07747",
    size_bytes=30_878_645,
    remote=_FASHION,
)
def load_fashion_mnist() -> Splits:
    """70,000 pictures of clothes in ten classes, in MNIST's format but harder.

    Validation is the last 10,000 of the 60,000 training images.
    """
    return _load_idx_files(_FASHION, GARMENTS)


@DATASETS.register(
    "digits-embedded",
    n_classes=10,
    image_shape=(1, 28, 28),
    n_images=1797,
    licence="CC BY 4.0",
    source="E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits (UCI), from scikit-learn",
    size_bytes=0,
)
def load_embedded_digits() -> Splits:
    """1,797 real handwritten digits, included in scikit-learn: small, and available offline.

    They are ordered by writer, 13 in total, so the test is the last 360 and validation the 240 before: nearly
    all of their writers are not in the training set.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MissingExtra.of("train", "the embedded dataset") from None
    small = load_digits()  # (1797, 8, 8), 0 to 16
    images = np.stack([center_digit(image) for image in (small.images / 16).astype(np.float32)])[:, None]
    everything = Labelled(images, to_labels(small.target, 10), DIGITS)
    rest, test = hold_out_last(everything, 360)
    train, validation = hold_out_last(rest, 240)
    note = (
        "scikit-learn's digits, 8 x 8, scaled to 20 x 20 and centred by mass in 28 x 28 like MNIST; the last "
        "360 are the test and the 240 before them validation, so that most writers are in one part only."
    )
    return Splits("digits-embedded", train, validation, test, (note,))


def _load_idx_files(source: Source, classes: tuple[str, ...]) -> Splits:
    """Read the four files of MNIST or of a dataset in its format."""
    files = {name: fetch_file(source, name) for name in source.files}
    arrays = {name: read_idx(file.content) for name, file in files.items()}
    known, test = (
        Labelled(from_array(arrays[images], polarity="light-on-dark")[0], to_labels(arrays[labels]), classes)
        for images, labels in ((_TRAIN_IMAGES, _TRAIN_LABELS), (_TEST_IMAGES, _TEST_LABELS))
    )
    train, validation = hold_out_last(known, _N_VALIDATION)
    origins = dict.fromkeys(file.origin for file in files.values())
    notes = (*origins, f"Validation is the last {_N_VALIDATION:,} training images.")
    return Splits(source.dataset, train, validation, test, notes)
