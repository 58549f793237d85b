"""Read the user's own data: a folder of class folders, an IDX pair, or an .npz with images and labels."""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
from PIL import ExifTags

from legible.choices import Layout, Polarity
from legible.data.fetch import read_unpacked
from legible.data.split import Labelled, Splits, split_at_random
from legible.documents.formats import format_of
from legible.documents.pictures import naming, open_picture, read_picture
from legible.errors import ArgumentError, InputError
from legible.images import border_of, check_size, fit_picture, from_array, to_labels
from legible.memory import free_memory

Parts = dict[str, tuple[np.ndarray, np.ndarray]]  # train, validation, test -> images and labels as stored
_PARTS = {"train": ("train",), "validation": ("validation", "val", "valid"), "test": ("test",)}
_BYTES_OF_A_PIXEL = 10  # the picture itself, and two copies in float32 during conversion
_IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_IDX_IMAGES = "*images*idx3*"
_NPZ_KEYS = (("train", "images", "labels"), ("train", "x_train", "y_train"), ("test", "x_test", "y_test"))
_HELD_OUT = 0.15  # share of all images for validation, and for the test, if the data has none
_FORMS = (
    "a folder with one folder of pictures per class, an IDX pair (*images*idx3* and *labels*idx1*, "
    ".gz or not), or an .npz with the arrays images and labels"
)


def read_own_data(
    path: Path,
    *,
    layout: Layout = "auto",
    polarity: Polarity = "auto",
    size: tuple[int, int] | None = None,
    grey: bool = True,
    seed: int = 0,
) -> Splits:
    """Read the user's own images and labels in one of the three formats.

    layout, polarity, size, grey: as in images.from_array, the same for all parts. A missing test or
    validation set is split off at random by `seed`, 15 % of each class. Raises InputError that names the
    file.
    """
    if size is not None:
        check_size(size)
    notes: tuple[str, ...] = ()
    if path.suffix == ".npz":
        parts = _read_npz(path)
    elif path.is_file() or any(_visible(path, _IDX_IMAGES)):
        parts, notes = _read_idx_files(path)
    else:
        parts, notes = _read_class_folders(path, size, grey)
        layout = "channels-last"
    try:
        raw = _stack(parts)
        images, image_note = from_array(raw, layout=layout, polarity=polarity, size=size, grey=grey)
        classes, labels = _name_classes(parts)
        ends = np.cumsum([len(part) for _, part in parts.values()])[:-1]
        split = zip(parts, np.split(images, ends), np.split(labels, ends), strict=True)
        named = {part: Labelled(its_images, its_labels, classes) for part, its_images, its_labels in split}
        return _complete(path, named, (*notes, image_note), seed)
    except (InputError, ArgumentError) as error:
        raise type(error)(f"{path}: {error}") from error


def read_idx(source: bytes | Path) -> np.ndarray:
    """Read one array in the IDX format of MNIST's files, from a file (.gz or not) or its unpacked bytes.

    Raises InputError if it is not IDX data, or shorter or longer than its header says. Source: the format's
    description on MNIST's page, "The IDX file format".
    """
    content = read_unpacked(source) if isinstance(source, Path) else source
    where = str(source) if isinstance(source, Path) else "the data"
    kind, n_axes = content[2:4] if len(content) >= 4 else (0, 0)
    start = 4 + 4 * n_axes
    if content[:2] != b"\0\0" or kind not in _IDX_TYPES or n_axes == 0:
        first_bytes = content[:4].hex(" ") or "nothing"
        raise InputError(f"{where} is not in the IDX format: it starts with {first_bytes}.")
    if len(content) < start:
        raise InputError(f"{where} is truncated: it ends within its header.")
    shape = struct.unpack(f">{n_axes}I", content[4:start])
    kind_of_number = np.dtype(_IDX_TYPES[kind])
    expected = start + math.prod(shape) * kind_of_number.itemsize
    if len(content) != expected:
        raise InputError(f"{where} is damaged: {shape} is {expected:,} bytes, not {len(content):,}.")
    return np.frombuffer(content, kind_of_number, offset=start).reshape(shape)


def _read_npz(path: Path) -> Parts:
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            found = list(file)
            parts = {part: (file[x], file[y]) for part, x, y in _NPZ_KEYS if x in file and y in file}
    except Exception as error:  # zipfile and NumPy raise many kinds of errors for a damaged archive
        raise InputError(f"{path} is damaged, or not an .npz file of plain arrays: {error}.") from error
    if "train" not in parts:
        raise InputError(
            f"{path} contains {', '.join(found) or 'nothing'}; it needs arrays images and labels "
            "(or x_train and y_train, x_test and y_test)."
        )
    for images, labels in parts.values():
        _check_counts(path, images, labels)
    return parts


def _read_idx_files(path: Path) -> tuple[Parts, tuple[str, ...]]:
    """Read an IDX pair, and its test pair if there is one."""
    parts: Parts = {}
    files = _find_idx_images(path)
    for part, images_file in files.items():
        labels_file = _counterpart(images_file, "images", "labels", "idx3", "idx1")
        if labels_file is None:
            raise InputError(f"{images_file} has no matching *labels*idx1* file in its folder.")
        images, labels = read_idx(images_file), read_idx(labels_file)
        if images.ndim != 3 or labels.ndim != 1:
            raise InputError(
                f"{images_file} and {labels_file} contain {images.shape} and {labels.shape}, "
                "not images (N, H, W) and labels (N,)."
            )
        _check_counts(images_file, images, labels)
        parts[part] = images, labels
    return parts, tuple(f"{part} images: {file}." for part, file in files.items())


def _find_idx_images(path: Path) -> dict[str, Path]:
    """The images files in a folder, or the named one and its test file, by part."""
    if path.is_file():
        if not fnmatch(path.name, _IDX_IMAGES):
            raise InputError(f"{path} is not a dataset in a known format. Give {_FORMS}.")
        test = _counterpart(path, "train", "t10k") or _counterpart(path, "train", "test")
        return {"train": path, **({"test": test} if test else {})}
    found = {file.name.removesuffix(".gz"): file for file in reversed(list(_visible(path, _IDX_IMAGES)))}
    tests = [file for name, file in found.items() if "t10k" in name or "test" in name]
    others = [file for file in found.values() if file not in tests]
    if len(tests) > 1 or len(others) > 1:
        raise InputError(f"{path} contains several IDX pairs: name one of {', '.join(sorted(found))}.")
    return {"train": others[0], **({"test": tests[0]} if tests else {})} if others else {"train": tests[0]}


def _counterpart(path: Path, *changes: str) -> Path | None:
    """The file whose name results from the changes (old, new, old, new ...), with .gz or without."""
    name = path.name.removesuffix(".gz")
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        name = name.replace(old, new)
    if name == path.name.removesuffix(".gz"):
        return None
    return next((p for p in (path.with_name(name), path.with_name(name + ".gz")) if p.is_file()), None)


def _read_class_folders(
    folder: Path, size: tuple[int, int] | None, grey: bool
) -> tuple[Parts, tuple[str, ...]]:
    """Read pictures whose folder names their class, optionally inside train/ and test/."""
    roots = {"train": folder}
    if any(sub.is_dir() for sub in _visible(folder / "train")):
        named = ((part, folder / name) for part, names in _PARTS.items() for name in names)
        roots = {part: root for part, root in named if root.is_dir()}
    listed = {part: _list_pictures(root) for part, root in roots.items()}
    sizes = Counter(_size_of(file) for files in listed.values() for file in files)
    target = size or sizes.most_common(1)[0][0]
    _check_memory(sizes.total(), target, n_channels=1 if grey else 3)
    parts = {}
    for part, files in listed.items():
        pictures = np.stack([_read_picture(file, target, grey) for file in files])
        parts[part] = pictures, np.array([file.parent.name for file in files])
    notes: tuple[str, ...] = (f"{', '.join(map(str, roots.values()))}: {sizes.total():,} pictures.",)
    if len(sizes) > 1:
        notes += (
            f"The pictures have {len(sizes)} sizes; all were scaled to {target[0]} x {target[1]} "
            f"(height x width){'' if size else ', the most common one'}.",
        )
    return parts, notes


def _check_memory(n_pictures: int, size: tuple[int, int], *, n_channels: int) -> None:
    """Raise ArgumentError if pictures of this size would not fit into memory."""
    needed, free = n_pictures * size[0] * size[1] * n_channels * _BYTES_OF_A_PIXEL, free_memory()
    if free is not None and needed > free:
        raise ArgumentError(
            f"{n_pictures:,} pictures of {size[0]} x {size[1]} pixels need about {needed / 1e9:.1f} GB of "
            f"memory, and {free / 1e9:.1f} GB are free. Scale them down (--size)."
        )


def _list_pictures(root: Path) -> list[Path]:
    """The pictures of every class folder, sorted by name."""
    pictures: list[Path] = []
    for folder in (sub for sub in _visible(root) if sub.is_dir()):
        found = [file for file in _visible(folder) if _is_picture(file)]
        if not found:
            raise InputError(f"the class folder {folder} contains no pictures. Add some, or remove it.")
        pictures += found
    if not pictures:
        raise InputError(f"{root} contains no dataset in a known format. Give {_FORMS}.")
    return pictures


def _is_picture(file: Path) -> bool:
    form = format_of(file)
    return form is not None and form.pages != "pdf"


def _visible(folder: Path, pattern: str = "*") -> Iterator[Path]:
    """The files and folders in a folder, sorted by name, except hidden ones; none if it doesn't exist."""
    if folder.is_dir():
        yield from (p for p in sorted(folder.glob(pattern)) if not p.name.startswith((".", "__")))


def _size_of(file: Path) -> tuple[int, int]:
    with naming(file), open_picture(file) as picture:
        on_its_side = picture.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
        return (picture.width, picture.height) if on_its_side else (picture.height, picture.width)


def _read_picture(file: Path, size: tuple[int, int], grey: bool) -> np.ndarray:
    """One picture as bytes (H, W, 1 or 3), scaled to `size` and padded with its paper colour."""
    array = read_picture(file, grey=grey)
    if array.shape[:2] == size:
        return array
    paper = np.median(border_of(np.moveaxis(array, -1, 0)), axis=-1)  # (channels,)
    return fit_picture(array, size, paper)


def _check_counts(path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    if images.ndim == 0 or labels.ndim == 0 or len(images) != len(labels):
        raise InputError(f"{path}: images {images.shape} and labels {labels.shape} differ in number.")


def _stack(parts: Parts) -> np.ndarray:
    """The images of all parts in one array, so that all are converted in the same way."""
    shapes = {images.shape[1:] for images, _ in parts.values()}
    if len(shapes) > 1:
        raise InputError(f"the parts have images of different shapes: {', '.join(map(str, shapes))}.")
    return np.concatenate([images for images, _ in parts.values()])


def _name_classes(parts: Parts) -> tuple[tuple[str, ...], np.ndarray]:
    """The names of the classes, sorted by number if all are numbers, and each label's index in them."""
    given = [y.astype(str) if y.dtype.kind in "US" else to_labels(y).astype(str) for _, y in parts.values()]
    found, positions = np.unique(np.concatenate(given), return_inverse=True)
    names = [str(name) for name in found]
    numeric = all(name.isdecimal() for name in names)
    classes = sorted(names, key=lambda name: (int(name), name) if numeric else (0, name))
    unseen = sorted(set(names) - set(given[0].tolist()))
    if unseen:
        raise InputError(f"no training image has the class {', '.join(unseen)}, which is in other parts.")
    return tuple(classes), np.array([classes.index(name) for name in names], np.int64)[positions]


def _complete(path: Path, parts: dict[str, Labelled], notes: tuple[str, ...], seed: int) -> Splits:
    """Split off missing parts at random, stratified, with a note."""
    train, share = parts["train"], _HELD_OUT
    missing = [part for part in ("test", "validation") if part not in parts]
    for part in missing:
        train, parts[part] = split_at_random(train, share, seed)
        share = _HELD_OUT / (1 - _HELD_OUT)  # the same number of the remaining images
    if missing:
        notes += (
            f"The data has no {' and no '.join(missing)} set: {_HELD_OUT:.0%} of each class were "
            f"drawn at random for {'each' if len(missing) > 1 else 'it'} (seed {seed}).",
        )
    return Splits(path.resolve().name, train, parts["validation"], parts["test"], notes)
