"""Read the pixels of a picture in a PDF, as they are stored where that can be."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pikepdf
from PIL import Image

from legible.documents.pdf import draw_picture
from legible.errors import InputError

JPEG, JPEG_2000 = "/DCTDecode", "/JPXDecode"
_SHORT = {"/DCT": JPEG, "/AHx": "/ASCIIHexDecode", "/A85": "/ASCII85Decode", "/LZW": "/LZWDecode",
          "/Fl": "/FlateDecode", "/RL": "/RunLengthDecode", "/CCF": "/CCITTFaxDecode"}  # fmt: skip
_LARGEST_PT = 14_000  # a page of a PDF has at most 14,400 points a side
_BILEVEL = {"/CCITTFaxDecode", "/JBIG2Decode"}
_PLAIN = {"/FlateDecode", "/LZWDecode", "/RunLengthDecode", "/ASCII85Decode", "/ASCIIHexDecode"}
_CHANNELS = {"/DeviceGray": 1, "/G": 1, "/CalGray": 1, "/DeviceRGB": 3, "/RGB": 3, "/CalRGB": 3}


class CannotDecode(InputError):
    """A picture inside a PDF that cannot be decoded."""


@dataclass(frozen=True, eq=False)
class Stored:
    """A picture's pixels, and how they were stored.

    pixels: (H, W) or (H, W, 3), bytes or 16 bits, the highest number white. bilevel: stored with one bit.
    as_stored: whether the pixels are the stored numbers, in the picture's own colour space. form: its last
    filter. n_bytes: as stored. tables: the quantization of a JPEG. sampling: its chroma subsampling.
    """

    pixels: np.ndarray
    bilevel: bool
    as_stored: bool
    form: str
    n_bytes: int
    bits: int = 8
    tables: dict[int, list[int]] | None = None
    sampling: int = -1


def read_pixels(image: Any, *, most_pixels: int) -> Stored:
    """The pixels of an image XObject's stream.

    Raises CannotDecode, with the reason alone, for a damaged picture, or one of more than most_pixels.
    """
    width, height = int(image.get("/Width", 0)), int(image.get("/Height", 0))
    if width < 1 or height < 1:
        raise CannotDecode("it has no pixels")
    if width * height > most_pixels:
        raise CannotDecode(f"it has {width:,} x {height:,} pixels, more than the limit of --max-megapixels")
    form = last_filter(image)
    try:
        found = _read_jpeg(image, (width, height)) if form == JPEG else _read_plain(image, (width, height))
        return _notice_two_values(found or _read_drawn(image, (width, height), form))
    except (OSError, ValueError, SyntaxError, pikepdf.PdfError, NotImplementedError) as error:
        raise CannotDecode("its data are damaged") from error


def _notice_two_values(stored: Stored) -> Stored:
    """The same, as bilevel where all pixels of a picture stored without loss are black or white."""
    pixels = stored.pixels
    if stored.form in (JPEG, JPEG_2000) or pixels.ndim == 3 or pixels.dtype != np.uint8:
        return stored
    two = bool(((pixels == 0) | (pixels == 255)).all())
    return replace(stored, bilevel=two)


def last_filter(image: Any) -> str:
    """The name of the filter that holds a picture's pixels; empty where they are not compressed."""
    filters = image.get("/Filter", [])
    names = [str(filters)] if isinstance(filters, pikepdf.Name) else [str(each) for each in filters]
    return _SHORT.get(names[-1], names[-1]) if names else ""


def n_channels_of(image: Any) -> int:
    """How many channels its colour space has, where stored numbers are grey or RGB light; 0 for others."""
    space = image.get("/ColorSpace")
    if isinstance(space, pikepdf.Name):
        return _CHANNELS.get(str(space), 0)
    if not isinstance(space, pikepdf.Array) or len(space) == 0:
        return 0
    if str(space[0]) == "/ICCBased":
        n_channels = int(space[1].get("/N", 0))
        return n_channels if n_channels in (1, 3) and str(space[1].get("/Alternate", "")) != "/Lab" else 0
    return _CHANNELS.get(str(space[0]), 0)


def _inverted(image: Any, n_channels: int) -> bool | None:
    """Whether its /Decode turns light into dark; None for any other mapping."""
    decode = image.get("/Decode")
    if decode is None:
        return False
    numbers = [float(each) for each in decode]
    if numbers == [0, 1] * n_channels:
        return False
    return True if numbers == [1, 0] * n_channels else None


def _read_jpeg(image: Any, size: tuple[int, int]) -> Stored | None:
    data = _without_outer_filters(image)
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as opened:
        if opened.size != size:
            raise ValueError(f"its JPEG data have {opened.size[0]} x {opened.size[1]} pixels")
        tables, n_channels = getattr(opened, "quantization", None), n_channels_of(image)
        layers = getattr(opened, "layer", [])
        sampling = _sampling_of(layers)
        pixels = np.asarray(opened)
    details = {"form": JPEG, "n_bytes": len(data), "tables": tables, "sampling": sampling}
    inverted = _inverted(image, n_channels)
    plain = n_channels == (1 if pixels.ndim == 2 else pixels.shape[2]) and inverted is not None
    if not plain or "/ColorTransform" in str(image.get("/DecodeParms", "")):
        drawn = _read_drawn(image, size, JPEG)
        return Stored(drawn.pixels, False, False, **details)  # type: ignore[arg-type]
    return Stored(255 - pixels if inverted else pixels, False, True, **details)  # type: ignore[arg-type]


def _without_outer_filters(image: Any) -> bytes:
    """The data of a picture with all filters undone but the last, as those of a JPEG in ASCII."""
    data: bytes = image.read_raw_bytes()
    filters = image.get("/Filter")
    if isinstance(filters, pikepdf.Name) or len(filters) == 1:
        return data
    with pikepdf.new() as pdf:
        outer = pikepdf.Stream(pdf, b"")
        outer.write(data, filter=pikepdf.Array([pikepdf.Name(str(each)) for each in filters][:-1]))
        return bytes(outer.read_bytes())


def _sampling_of(layers: list[Any]) -> int:
    """Pillow's number of a JPEG's chroma subsampling: 0 = none, 1 = 4:2:2, 2 = 4:2:0."""
    if len(layers) != 3:
        return 0
    return {(1, 1): 0, (2, 1): 1, (2, 2): 2}.get(tuple(layers[0][1:3]), 0)


def _read_plain(image: Any, size: tuple[int, int]) -> Stored | None:
    """Pixels of 8 or 16 bits, grey or RGB, without loss; None for what is stored in another way."""
    n_channels, bits, form = n_channels_of(image), int(image.get("/BitsPerComponent", 8)), last_filter(image)
    inverted = _inverted(image, n_channels)
    if not n_channels or bits not in (8, 16) or inverted is None or form not in {"", *_PLAIN}:
        return None
    data = image.read_bytes()
    width, height = size
    if len(data) < width * height * n_channels * bits // 8:
        raise ValueError("its data end too early")
    numbers = np.frombuffer(data, np.uint8 if bits == 8 else ">u2", width * height * n_channels)
    pixels = numbers.reshape((height, width) if n_channels == 1 else (height, width, n_channels))
    pixels = pixels.astype(np.uint8 if bits == 8 else np.uint16)
    if inverted:
        pixels = np.iinfo(pixels.dtype).max - pixels
    return Stored(pixels, False, True, form, len(image.read_raw_bytes()), bits=bits)


def _read_drawn(image: Any, size: tuple[int, int], form: str) -> Stored:
    """The pixels as pdfium draws them: any colour space and any filter."""
    bits = 1 if image.get("/ImageMask", False) else int(image.get("/BitsPerComponent", 8))
    grey = bits == 1 if form in _BILEVEL else n_channels_of(image) == 1
    pixels = draw_picture(picture_alone(image, size), size, grey=grey or bool(image.get("/ImageMask", False)))
    if pixels is None:
        raise ValueError("nothing of it can be drawn")
    if pixels.ndim == 3 and not (pixels[..., :1] != pixels).any():
        pixels = np.ascontiguousarray(pixels[..., 0])
    bilevel = (bits == 1 or form in _BILEVEL) and pixels.ndim == 2
    if bilevel:
        pixels = np.where(pixels < 128, np.uint8(0), np.uint8(255))
    return Stored(pixels, bilevel, False, form, len(image.read_raw_bytes()), bits=bits)


def picture_alone(image: Any, size: tuple[int, int]) -> bytes:
    """A PDF of one page with this picture on it, without its masks."""
    with pikepdf.new() as pdf:
        points: Any = tuple(side * min(1.0, _LARGEST_PT / max(size)) for side in size)
        page = pdf.add_blank_page(page_size=points)
        copy = pdf.copy_foreign(image) if image.is_indirect else pdf.make_indirect(image)
        for key in ("/SMask", "/Mask", "/OC", "/Matte"):
            if key in copy:
                del copy[key]
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(I=copy))
        page.Contents = pdf.make_stream(b"0 g %g 0 0 %g 0 0 cm /I Do" % points)
        written = io.BytesIO()
        pdf.save(written)
    return written.getvalue()
