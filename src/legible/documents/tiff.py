"""What a page of a TIFF says besides its pixels, and pages of TIFFs put together from tags and strips.

Pillow writes a page number that libtiff misreads, and letters beyond ASCII as question marks; pages are put
together here instead.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from io import BytesIO
from typing import IO, Any

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

Tags = dict[int, tuple[int, Any]]  # of each number: the type, as the format counts types, and the value
_ASCII, _SHORT, _LONG = 2, 3, 4
_X_RESOLUTION, _Y_RESOLUTION, _UNIT = 282, 283, 296
_STRIP_OFFSETS, _STRIP_BYTES, _TILE_OFFSETS = 273, 279, 324
_BITS = 258
_POINTERS = (330, 34665, 34853, 40965)  # to data elsewhere in the file
# document name, description, maker, model; page name, position; page number; software, date, artist, host;
# copyright; IPTC, Photoshop's data, XMP
_SAID = (269, 270, 271, 272, 285, 286, 287, 297, 305, 306, 315, 316, 33432, 33723, 34377, 700)
_RESOLUTION = (_X_RESOLUTION, _Y_RESOLUTION, _UNIT)
_ROWS = 64  # in a strip


def read_tags(opened: Any, *, turned: bool = False) -> Tags:
    """What the current page says of itself. turned: whether its width becomes its height."""
    tags = _tags_of(opened, (*_SAID, *_RESOLUTION))
    if turned and _X_RESOLUTION in tags and _Y_RESOLUTION in tags:
        tags[_X_RESOLUTION], tags[_Y_RESOLUTION] = tags[_Y_RESOLUTION], tags[_X_RESOLUTION]
    return tags


def _tags_of(opened: Any, numbers: Sequence[int]) -> Tags:
    found = opened.tag_v2
    return {n: (found.tagtype[n], _to_bytes(found[n])) for n in numbers if n in found}


def _to_bytes(value: Any) -> Any:
    """Text as the bytes that it was read from."""
    return value.encode("latin-1", "replace") if isinstance(value, str) else value


def add_tags(data: bytes, tags: Tags) -> bytes:
    """The TIFF with one page that `data` is, with further tags."""
    with Image.open(BytesIO(data), formats=["TIFF"]) as opened:
        own = _tags_of(opened, [n for n in opened.tag_v2 if n not in _POINTERS])  # type: ignore[attr-defined]
        return join_page({**own, **tags}, _read_strips(own, BytesIO(data)))


def copy_page(opened: Any, file: IO[bytes], *, without: Sequence[int] = ()) -> bytes | None:
    """The current page as a TIFF of its own, its pixels not decoded; None where that cannot be.

    file: that of the page, open. without: tags that are left out.
    """
    try:
        own = _tags_of(opened, [n for n in opened.tag_v2 if n not in (*_POINTERS, *without)])
        deep = max(own.get(_BITS, (_SHORT, (1,)))[1]) > 8
        if _TILE_OFFSETS in own or _STRIP_OFFSETS not in own or (deep and opened.tag_v2.prefix != b"II"):
            return None
        return join_page(own, _read_strips(own, file))
    except (OSError, ValueError, TypeError, LookupError, OverflowError):
        return None


def _read_strips(tags: Tags, file: IO[bytes]) -> list[bytes]:
    strips = []
    for offset, n_bytes in zip(tags[_STRIP_OFFSETS][1], tags[_STRIP_BYTES][1], strict=False):
        file.seek(offset)
        strips.append(file.read(n_bytes))
    return strips


def join_page(tags: Tags, strips: Sequence[bytes]) -> bytes:
    """A TIFF with one page."""
    directory = ImageFileDirectory_v2(prefix=b"II")
    lengths = [len(strip) for strip in strips]
    offsets = tuple(int(n) for n in np.cumsum([0, *lengths[:-1]]))
    placed: Tags = {_STRIP_OFFSETS: (_LONG, offsets), _STRIP_BYTES: (_LONG, tuple(lengths))}
    for number, (kind, value) in {**tags, **placed}.items():
        directory.tagtype[number] = kind
        directory[number] = value
    file = BytesIO()
    directory.save(file)
    file.seek(0, 2)
    for strip in strips:
        file.write(strip)
    return file.getvalue()


def encode_deep(pixels: np.ndarray, alpha: np.ndarray | None) -> bytes:
    """A TIFF with one page of colours with 16 bits a value, which Pillow cannot write.

    pixels: (H, W, 3) 16-bit numbers. alpha: (H, W) bytes.
    """
    if alpha is not None:
        pixels = np.dstack([pixels, alpha.astype(np.uint16) * 257])
    height, width, channels = pixels.shape
    changes = np.diff(pixels, axis=1, prepend=np.zeros_like(pixels[:, :1])).astype("<u2")
    strips = [zlib.compress(changes[top : top + _ROWS].tobytes()) for top in range(0, height, _ROWS)]
    tags: Tags = {
        256: (_LONG, width), 257: (_LONG, height), _BITS: (_SHORT, (16,) * channels), 259: (_SHORT, 8),
        262: (_SHORT, 2), 277: (_SHORT, channels), 278: (_LONG, _ROWS), 284: (_SHORT, 1), 317: (_SHORT, 2),
    }  # fmt: skip
    if alpha is not None:
        tags[338] = (_SHORT, 2)
    return join_page(tags, strips)


def dpi_tags(dpi: tuple[float, float]) -> Tags:
    """The resolution of a page, in the tags of a TIFF."""
    return {_X_RESOLUTION: (5, dpi[0]), _Y_RESOLUTION: (5, dpi[1]), _UNIT: (_SHORT, 2)}
