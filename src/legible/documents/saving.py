"""A page as a file of its format holds it: its pixels, and what is kept with them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image

from legible.documents.deep import encode_deep_png
from legible.documents.formats import Format, spoken_list, written_formats
from legible.documents.metadata import TAGS, settings_for
from legible.documents.page import Page
from legible.documents.pictures import upper_byte
from legible.documents.tiff import add_tags, dpi_tags, encode_deep
from legible.errors import ArgumentError

_MOST_COLOURS = 256
_FEW_COLOURS = 16  # in 4 bits a pixel
_PLACES = np.array([65_536, 256, 1], np.uint32)  # of red, green and blue in one number
_SMALLEST = 9  # Pillow's level for PNG files


def save_page(page: Page, file: IO[bytes], form: Format, path: Path) -> None:
    """Write a page to a file of its own, in a format that Pillow writes. path: the file's name in messages.

    Raises ArgumentError for a page that is larger than the format holds.
    """
    _check_sides(page, form, path)
    if form.pages == "tiff":
        file.write(_encode_tiff(page, form))
        return
    if page.pixels.ndim == 3 and page.pixels.dtype == np.uint16 and form.name == "PNG":
        settings = {**settings_for(page, form, "RGB"), **_dpi_of(page), **form.settings}
        file.write(encode_deep_png(page.pixels, page.alpha, settings))
        return
    picture, settings = _to_picture(page, form)
    picture.save(file, format=form.pillow_name, **settings)


def _encode_tiff(page: Page, form: Format) -> bytes:
    if page.raw is not None:
        return page.raw
    if page.pixels.ndim == 3 and page.pixels.dtype == np.uint16:
        data = encode_deep(page.pixels, page.alpha)
    else:
        picture, settings = _to_picture(page, form)
        saved = BytesIO()
        picture.save(saved, format=form.pillow_name, **settings)
        data = saved.getvalue()
    tags = {**(dpi_tags(page.dpi) if page.dpi else {}), **page.kept.get(TAGS, {})}
    if "icc_profile" in page.kept:
        tags[34675] = (7, page.kept["icc_profile"])
    return add_tags(data, tags) if tags else data


def _check_sides(page: Page, form: Format, path: Path) -> None:
    height, width = page.pixels.shape[:2]
    if form.most_px is not None and max(height, width) > form.most_px:
        others = (each for each in written_formats() if each.pillow_name and each.most_px is None)
        choice = spoken_list(each.suffixes[0] for each in others)
        raise ArgumentError(
            f"{path}: {form.name} holds {form.most_px:,} pixels a side, not {max(height, width):,}. "
            f"Choose {choice}."
        )


def _to_picture(page: Page, form: Format) -> tuple[Image.Image, dict[str, Any]]:
    """A page as Pillow writes it in a format, and the settings to save it with."""
    deep = 16 in form.bits and page.pixels.ndim == 2
    picture = Image.fromarray(page.pixels if deep else upper_byte(page.pixels))
    if page.alpha is not None and form.alpha and picture.mode in ("L", "RGB"):
        picture.putalpha(Image.fromarray(page.alpha))
    if page.bilevel and 1 in form.bits and picture.mode == "L":
        picture = picture.convert("1", dither=Image.Dither.NONE)
    # where one bit a pixel can be kept, transparency or 16 bits may still need more
    bilevel = picture.mode == "1" or (page.bilevel and 1 not in form.bits)
    settings = dict(form.bilevel_settings if bilevel and form.bilevel_settings is not None else form.settings)
    if form.name == "PNG" and page.n_colours:
        picture = _to_palette(picture, page.n_colours)
        settings["compress_level"] = _SMALLEST
    return picture, {**settings, **settings_for(page, form, picture.mode), **_dpi_of(page)}


def _dpi_of(page: Page) -> dict[str, Any]:
    return {"dpi": page.dpi} if page.dpi else {}


def _to_palette(picture: Image.Image, n_colours: int) -> Image.Image:
    """A picture with a palette again, if it had one with so many colours; white stays white."""
    if picture.mode == "L" and n_colours <= _FEW_COLOURS:
        levels = (np.asarray(picture).astype(np.uint16) + 8) // 17
        return _with_palette(levels, np.arange(16)[:, None].repeat(3, axis=1) * 17)
    if picture.mode != "RGB":
        return picture
    pixels = np.asarray(picture)
    known = picture.getcolors(_MOST_COLOURS)
    if known:
        colours = np.array([colour for _, colour in known])
        codes = colours @ _PLACES
        order = np.argsort(codes)
        return _with_palette(np.searchsorted(codes[order], pixels @ _PLACES), colours[order])
    few = picture.quantize(_MOST_COLOURS - 1, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    chosen = np.array(few.getpalette()).reshape(-1, 3)[: _MOST_COLOURS - 1]
    places = np.asarray(few).copy()
    places[(pixels == 255).all(axis=2)] = len(chosen)
    return _with_palette(places, np.vstack([chosen, [[255, 255, 255]]]))


def _with_palette(places: np.ndarray, colours: np.ndarray) -> Image.Image:
    """A picture of places in a palette, the most frequent colour first: PNG files are smaller so."""
    order = np.argsort(-np.bincount(places.ravel(), minlength=len(colours)), kind="stable")
    ranks = np.argsort(order).astype(np.uint8)
    picture = Image.fromarray(ranks[places])
    picture.putpalette(colours[order].astype(np.uint8).tobytes())
    return picture
