"""The user's own data as files: every format that is read, and common defects."""

import gzip
import struct

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from legible.data import load_dataset
from legible.documents.formats import FORMATS
from legible.errors import InputError
from legible.images import check_images


def draw(label: int, height: int = 12, width: int = 10) -> np.ndarray:
    """A dark bar on white paper; its row is the class."""
    picture = np.full((height, width), 255, np.uint8)
    picture[2 + label % 8, 2:-2] = 0
    return picture


@pytest.fixture
def arrays() -> tuple[np.ndarray, np.ndarray]:
    labels = np.tile(np.arange(3), 10)
    return np.stack([draw(label) for label in labels]), labels.astype(np.uint8)


def fill(folder, names, *, n=10, suffix=".png"):
    for label, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for i in range(n):
            Image.fromarray(draw(label)).save(folder / name / f"{i}{suffix}")
    return folder


def write_idx(path, array):
    content = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def assert_bars(splits, n_classes=3):
    """Every image shows the bar of its label, in every part, as light ink 1 on paper 0."""
    assert len(splits.classes) == n_classes
    for part in (splits.train, splits.validation, splits.test):
        check_images(part.images)
        assert set(part.labels.tolist()) == set(range(n_classes))
        rows = part.images[:, 0].sum(axis=2).argmax(axis=1)
        np.testing.assert_array_equal(rows - 2, part.labels)


def test_class_folders_are_read_and_split_in_70_15_15(tmp_path):
    fill(tmp_path / "bars", ["10", "9", "2"], n=20)
    (tmp_path / "bars" / ".hidden").mkdir()
    (tmp_path / "bars" / "9" / ".DS_Store").write_text("x")
    (tmp_path / "bars" / "9" / "notes.txt").write_text("not a picture")
    splits = load_dataset(tmp_path / "bars")
    assert splits.classes == ("2", "9", "10")  # numbers in their order, not the alphabet's
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [42, 9, 9]
    rows = splits.test.images[:, 0].sum(axis=2).argmax(axis=1) - 2
    np.testing.assert_array_equal(rows, 2 - splits.test.labels)  # drawn as 10, 9, 2
    said = " ".join(splits.notes)
    assert "dark ink on light paper, inverted (detected)" in said and "no test and no validation set" in said
    again, other = load_dataset(tmp_path / "bars"), load_dataset(tmp_path / "bars", seed=1)
    np.testing.assert_array_equal(again.test.labels, splits.test.labels)
    assert not np.array_equal(other.train.labels, splits.train.labels)


@pytest.mark.parametrize("validation", [None, "val"])
def test_train_and_test_folders_become_the_parts(tmp_path, validation):
    for part in filter(None, ("train", "test", validation)):
        fill(tmp_path / "bars" / part, ["ant", "bee", "cow"], n=8 if part == "train" else 3)
    splits = load_dataset(tmp_path / "bars")
    assert_bars(splits)
    assert len(splits.test) == 9 and len(splits.validation) == (9 if validation else 3)
    assert splits.classes == ("ant", "bee", "cow")


PICTURES = [form for form in FORMATS if form.pages != "pdf"]


@pytest.mark.parametrize("suffix", [".BMP", *(suffix for form in PICTURES for suffix in form.suffixes)])
def test_the_formats_of_pictures_are_read(tmp_path, suffix):
    pillow_heif.register_heif_opener()
    splits = load_dataset(fill(tmp_path / "bars", ["a", "b", "c"], n=4, suffix=suffix))
    assert_bars(splits)


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_gives_the_same_grey_images(tmp_path, mode):
    for label in range(2):
        (tmp_path / str(label)).mkdir()
        grey = Image.fromarray(draw(label))
        deep = Image.fromarray(draw(label).astype(np.uint16) * 257)
        for i in range(4):
            (deep if mode == "I;16" else grey.convert(mode)).save(tmp_path / str(label) / f"{i}.png")
    splits = load_dataset(tmp_path)
    assert_bars(splits, 2)
    assert splits.train.images.max() == 1 and splits.train.images.min() == 0


def test_transparent_pictures_are_composed_on_white(tmp_path):
    for label in range(2):
        (tmp_path / str(label)).mkdir()
        ink = 255 - draw(label)
        layers = np.dstack([np.zeros((12, 10, 3), np.uint8), ink])
        for i in range(4):
            Image.fromarray(layers, "RGBA").save(tmp_path / str(label) / f"{i}.png")
    assert_bars(load_dataset(tmp_path), 2)


def test_pictures_of_other_sizes_are_scaled_and_padded_with_their_paper(tmp_path):
    fill(tmp_path, ["a", "b", "c"], n=6)
    wide = np.full((12, 40), 200, np.uint8)
    Image.fromarray(wide).save(tmp_path / "a" / "wide.png")
    splits = load_dataset(tmp_path)
    assert splits.train.images.shape[1:] == (1, 12, 10)
    assert "2 sizes" in " ".join(splits.notes) and "12 x 10" in " ".join(splits.notes)
    pages = np.concatenate([part.images for part in (splits.train, splits.validation, splits.test)])
    plain = pages[pages.max(axis=(1, 2, 3)) < 0.5]
    np.testing.assert_allclose(plain, 55 / 255, atol=1e-6)  # no white bands above and below
    assert load_dataset(tmp_path, size=(24, 20)).train.images.shape[1:] == (1, 24, 20)


def test_colour_is_kept_if_asked(tmp_path):
    """Report D's volume of width x height x 3 channels."""
    for name, colour in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
        (tmp_path / name).mkdir()
        picture = Image.new("RGB", (8, 8))
        picture.paste(colour, (2, 2, 6, 6))
        for i in range(4):
            picture.save(tmp_path / name / f"{i}.png")
    splits = load_dataset(tmp_path, grey=False)
    assert splits.train.images.shape[1:] == (3, 8, 8)
    middle = splits.train.images[:, :, 4, 4]
    np.testing.assert_array_equal(middle, np.array([[0, 0, 1], [1, 0, 0]])[splits.train.labels])


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("by", ["folder", "file"])
def test_an_idx_pair_is_read_with_its_test_pair(tmp_path, arrays, suffix, by):
    images, labels = arrays
    for part, n in (("train", 30), ("t10k", 9)):
        write_idx(tmp_path / f"{part}-images-idx3-ubyte{suffix}", images[:n])
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte{suffix}", labels[:n] + 1)
    path = tmp_path if by == "folder" else tmp_path / f"train-images-idx3-ubyte{suffix}"
    splits = load_dataset(path)
    assert_bars(splits)
    assert splits.classes == ("1", "2", "3")
    assert len(splits.test) == 9 and len(splits.train) + len(splits.validation) == 30
    assert "no test" not in " ".join(splits.notes)


def test_a_lone_idx_pair_is_split(tmp_path, arrays):
    write_idx(tmp_path / "my-images.idx3-ubyte", arrays[0])
    write_idx(tmp_path / "my-labels.idx1-ubyte", arrays[1])
    assert_bars(load_dataset(tmp_path))


@pytest.mark.parametrize("one_hot", [False, True])
def test_an_npz_with_images_and_labels_is_read(tmp_path, arrays, one_hot):
    images, labels = arrays
    np.savez(tmp_path / "bars.npz", images=images / 255, labels=np.eye(3)[labels] if one_hot else labels)
    splits = load_dataset(tmp_path / "bars.npz")
    assert_bars(splits)
    assert splits.name == "bars.npz"


def test_keras_own_npz_of_mnist_is_read(tmp_path, arrays):
    images, labels = arrays
    parts = {"x_train": images, "y_train": labels, "x_test": images[:6], "y_test": labels[:6]}
    np.savez_compressed(tmp_path / "mnist.npz", **parts)
    splits = load_dataset(tmp_path / "mnist.npz", layout="auto", size=(24, 20))
    assert len(splits.test) == 6 and splits.test.images.shape[1:] == (1, 24, 20)


def test_an_npz_may_have_words_as_labels_and_colour_in_any_layout(tmp_path, arrays):
    images, labels = arrays
    words = np.array(["zwei", "drei", "eins"])[labels]
    np.savez(tmp_path / "bars.npz", images=np.repeat(images[..., None], 3, axis=3), labels=words)
    splits = load_dataset(tmp_path / "bars.npz")
    assert splits.classes == ("drei", "eins", "zwei") and splits.train.images.shape[1:] == (1, 12, 10)


def break_picture(folder):
    fill(folder, ["a", "b"])
    whole = (folder / "b" / "7.png").read_bytes()
    (folder / "b" / "7.png").write_bytes(whole[: len(whole) // 2])
    return folder


def lose_labels(folder):
    folder.mkdir()
    write_idx(folder / "x-images-idx3-ubyte", np.zeros((4, 5, 5), np.uint8))
    return folder


def miscount_labels(folder):
    lose_labels(folder)
    write_idx(folder / "x-labels-idx1-ubyte", np.zeros(3, np.uint8))
    return folder


def cut_gzip(folder):
    path = miscount_labels(folder) / "x-images-idx3-ubyte.gz"
    write_idx(path, np.zeros((4, 5, 5), np.uint8))
    path.write_bytes(path.read_bytes()[:-9])
    return path


def pickle_npz(folder):
    folder.mkdir()
    np.savez(folder / "x.npz", images=np.array([{}], object), labels=np.zeros(1))
    return folder / "x.npz"


def cut_npz(folder):
    folder.mkdir()
    np.savez(folder / "x.npz", images=np.zeros((9, 9, 9)), labels=np.zeros(9))
    (folder / "x.npz").write_bytes((folder / "x.npz").read_bytes()[:900])
    return folder / "x.npz"


def rename_arrays(folder):
    folder.mkdir()
    np.savez(folder / "x.npz", pictures=np.zeros((9, 9, 9)), labels=np.zeros(9))
    return folder / "x.npz"


def shorten_labels(folder):
    folder.mkdir()
    np.savez(folder / "x.npz", images=np.zeros((9, 9, 9)), labels=np.zeros(8))
    return folder / "x.npz"


def empty_class(folder):
    fill(folder, ["a", "b"])
    (folder / "c").mkdir()
    return folder


def unseen_class(folder):
    fill(folder / "train", ["a", "b"])
    fill(folder / "test", ["a", "z"])
    return folder


def negative_label(folder):
    folder.mkdir()
    np.savez(folder / "x.npz", images=np.zeros((3, 9, 9)), labels=[0, 1, -1])
    return folder / "x.npz"


def unlike_parts(folder):
    folder.mkdir()
    square, label = np.zeros((2, 9, 9)), np.arange(2)
    np.savez(folder / "x.npz", x_train=square, y_train=label, x_test=square[:, 1:], y_test=label)
    return folder / "x.npz"


def text_file(folder):
    folder.mkdir()
    (folder / "x.csv").write_text("1,2")
    return folder / "x.csv"


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (break_picture, r"b.7\.png is not a picture, or damaged"),
        (lose_labels, r"x-images-idx3-ubyte has no matching \*labels\*idx1\* file"),
        (miscount_labels, r"images \(4, 5, 5\) and labels \(3,\) differ"),
        (cut_gzip, r"x-images-idx3-ubyte\.gz is damaged or cannot be read"),
        (pickle_npz, r"x\.npz is damaged, or not an \.npz file of plain arrays"),
        (cut_npz, r"x\.npz is damaged"),
        (rename_arrays, "contains pictures, labels; it needs arrays images and labels"),
        (shorten_labels, r"labels \(8,\) differ"),
        (negative_label, r"x\.npz: label 2 is -1"),
        (unlike_parts, r"x\.npz: the parts have images of different shapes"),
        (empty_class, "class folder .*c contains no picture"),
        (unseen_class, "no training image has the class z"),
        (lambda folder: folder.parent, "one folder of pictures per class"),
        (text_file, r"x\.csv is not a dataset in a known format"),
        (lambda folder: fill(folder, ["a", "b"], n=1), "too few"),
        (lambda folder: folder / "absent.npz", "there is no file or folder"),
    ],
)
def test_unusable_data_is_an_error_with_file_and_reason(tmp_path, make, hint):
    with pytest.raises(InputError, match=hint):
        load_dataset(make(tmp_path / "data"))


def test_several_idx_pairs_in_one_folder_are_listed_to_choose_from(tmp_path, arrays):
    for name in ("letters", "digits"):
        write_idx(tmp_path / f"{name}-images-idx3-ubyte", arrays[0])
        write_idx(tmp_path / f"{name}-labels-idx1-ubyte", arrays[1])
    with pytest.raises(InputError, match="several IDX pairs"):
        load_dataset(tmp_path)
    assert_bars(load_dataset(tmp_path / "letters-images-idx3-ubyte"))


def test_mnists_test_files_are_read_by_path(real_data):
    splits = load_dataset(real_data / "mnist" / "t10k-images-idx3-ubyte.gz")
    assert splits.classes == tuple("0123456789")
    assert len(splits.train) + len(splits.validation) + len(splits.test) == 10_000
