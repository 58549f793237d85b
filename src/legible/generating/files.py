"""Generated digits as files: one sheet, a labelled dataset, or class folders. Ink is dark on white."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from legible.errors import ArgumentError
from legible.images import to_bytes
from legible.output import new_file, new_folder

GAP_PX = 2


def write_sheet(images: np.ndarray, path: Path, *, overwrite: bool = False) -> None:
    """Write images (N, 1, H, W) as one PNG, as draw_sheet lays them out."""
    with new_file(path, overwrite=overwrite) as temporary:
        draw_sheet(images).save(temporary, format="PNG")


def draw_sheet(images: np.ndarray) -> Image.Image:
    """Images (N, 1, H, W) as one picture, row by row, about as wide as high."""
    n, _, height, width = images.shape
    columns = math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    sheet = np.zeros((rows * (height + GAP_PX) + GAP_PX, columns * (width + GAP_PX) + GAP_PX), np.float32)
    for i, image in enumerate(images):
        top = GAP_PX + (i // columns) * (height + GAP_PX)
        left = GAP_PX + (i % columns) * (width + GAP_PX)
        sheet[top : top + height, left : left + width] = image[0]
    return _to_picture(sheet)


def write_dataset(images: np.ndarray, labels: Sequence[int], path: Path, *, overwrite: bool = False) -> None:
    """Write images (N, 1, H, W) with their labels as an NPZ of `images` (bytes, 255 = ink) and `labels`."""
    pixels = to_bytes(images[:, 0])
    with new_file(path, overwrite=overwrite) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, images=pixels, labels=np.asarray(labels, np.int64))


def write_folder(images: np.ndarray, names: Sequence[str], folder: Path, *, overwrite: bool = False) -> None:
    """Write images (N, 1, H, W) as PNG files FOLDER/NAME/0001.png, a folder for each name."""
    with new_folder(folder, overwrite=overwrite) as temporary:
        counts: dict[str, int] = {}
        for image, name in zip(images, names, strict=True):
            counts[name] = counts.get(name, 0) + 1
            (temporary / name).mkdir(exist_ok=True)
            _to_picture(image[0]).save(temporary / name / f"{counts[name]:04d}.png", format="PNG")


def _to_picture(ink: np.ndarray) -> Image.Image:
    return Image.fromarray(to_bytes(1 - ink))


def check_ending(output: Path) -> None:
    """Raise ArgumentError for an ending that generated digits are not written with."""
    if output.suffix not in (".png", ".npz", ""):
        raise ArgumentError(f"{output}: digits are written as .png, as .npz, or into a folder.")


def write_images(
    images: np.ndarray, names: list[str], classes: tuple[str, ...], output: Path, *, overwrite: bool
) -> None:
    """Write generated digits in the format of the output's ending: .png, .npz, or none for a folder.

    images: (N, C, H, W) float32 in [0, 1], 1 = ink. names: of their classes. classes: of the dataset.
    """
    if output.suffix == ".png":
        write_sheet(images, output, overwrite=overwrite)
    elif output.suffix == ".npz":
        write_dataset(images, [classes.index(name) for name in names], output, overwrite=overwrite)
    else:
        write_folder(images, names, output, overwrite=overwrite)
