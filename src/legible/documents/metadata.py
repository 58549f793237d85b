"""What a picture's file says besides its pixels: read with the page, and written with it again."""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Iterator
from typing import IO, Any

from PIL import Image, JpegImagePlugin, PngImagePlugin

from legible.documents.formats import Format, format_called
from legible.documents.page import PROFILE, Page
from legible.documents.tiff import read_tags

ORIENTATION = 0x0112  # of EXIF
DAMAGED_EXIF = "its EXIF data are damaged and were left out"
_XMP, _EXIF, _COMMENT, _IPTC, _CHUNKS = "xmp", "exif", "comment", "iptc", "chunks"
TAGS = "tags"  # of a TIFF's page
_EXIF_BEGINS = (b"", b"II*\0", b"MM\0*")
_PNG_SIGN = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = (b"tEXt", b"iTXt", b"zTXt", b"tIME", b"gAMA", b"cHRM", b"sRGB")
_PNG_XMP, _PNG_EXIF = b"XML:com.adobe.xmp", b"Raw profile type exif"
_JPEG_MOST = 65_500  # bytes in a part of a JPEG
_SAYS_TURNED = re.compile(rb'(tiff:Orientation(?:=["\']|>))[2-8]')


def read_metadata(opened: Image.Image) -> tuple[dict[str, Any], int, list[str]]:
    """What is kept of a picture, less its profile of colours; its orientation, from 1; and warnings."""
    form = format_called(opened.format)
    found: dict[str, Any] = {}
    if form is not None and form.name == "PNG" and getattr(opened, "fp", None):  # not yet read to its end
        found[_CHUNKS] = list(_read_chunks(opened.fp))  # type: ignore[attr-defined]
    exif, orientation, warned = _read_exif(opened)
    if exif and (form is None or form.exif_apart):
        found[_EXIF] = exif
    if form is not None and form.pages == "tiff":
        found[TAGS] = read_tags(opened, turned=orientation >= 5)
    else:
        found[_XMP] = _set_upright(opened.info.get("xmp"))
    if form is not None and form.name == "JPEG":
        found[_COMMENT] = opened.info.get("comment")
        parts = getattr(opened, "applist", ())
        found[_IPTC] = [data for name, data in parts if name == "APP13" and len(data) < _JPEG_MOST]
    return {name: value for name, value in found.items() if value}, orientation, warned


def _read_exif(opened: Image.Image) -> tuple[bytes, int, list[str]]:
    """EXIF data without their orientation, the orientation, and a warning of damage."""
    try:
        with warnings.catch_warnings(record=True) as noticed:
            warnings.simplefilter("always")
            block = opened.info.get("exif")
            if isinstance(block, bytes):
                Image.Exif().load(
                    block
                )  # what is damaged in it was noticed when the file was opened, and lost
            exif = opened.getexif()
            orientation = exif.pop(ORIENTATION, 1)
            data = exif.tobytes() if len(exif) else b""
    except (SyntaxError, ValueError, TypeError, LookupError, OSError, EOFError, struct.error):
        return b"", 1, [DAMAGED_EXIF]
    begins = block.removeprefix(b"Exif\0\0")[:4] if isinstance(block, bytes) else b""
    damaged = begins not in _EXIF_BEGINS or any("EXIF" in str(each.message) for each in noticed)
    known = orientation if orientation in range(1, 9) else 1
    return (b"", known, [DAMAGED_EXIF]) if damaged else (data, known, [])


def _set_upright(xmp: Any) -> bytes:
    """XMP data that do not ask for another turn."""
    data = xmp.encode() if isinstance(xmp, str) else xmp
    return _SAYS_TURNED.sub(rb"\g<1>1", data) if isinstance(data, bytes) else b""


def _read_chunks(file: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG that say something of the page."""
    before = file.tell()
    file.seek(0)
    at = len(_PNG_SIGN) if file.read(len(_PNG_SIGN)) == _PNG_SIGN else None
    while at is not None:
        file.seek(at)
        length, name = struct.unpack(">I4s", file.read(8).ljust(8, b"\0"))
        if name in _PNG_KEPT:
            data = file.read(length)
            if len(data) == length and not data.startswith(_PNG_EXIF):
                yield name, _set_upright(data)
        at = at + length + 12 if length or name.strip(b"\0") else None
    file.seek(before)


def read_encoding(opened: Image.Image) -> dict[str, Any]:
    """How a JPEG's pixels are encoded, by the names of Pillow's settings; nothing for others."""
    layers = getattr(opened, "layer", ())
    if not isinstance(opened, JpegImagePlugin.JpegImageFile) or not layers:
        return {}
    tables = [list(opened.quantization[layer[3]]) for layer in layers[:2] if layer[3] in opened.quantization]
    if len(tables) != min(2, len(layers)):
        return {}
    sampling = JpegImagePlugin.get_sampling(opened)
    return {"qtables": tables, **({"subsampling": sampling} if sampling in (0, 1, 2) else {})}


def settings_for(page: Page, form: Format, mode: str) -> dict[str, Any]:
    """What Pillow saves a page with, for what is kept. mode: of the picture that is saved."""
    kept = page.kept
    found = {name: kept[name] for name in (PROFILE, _EXIF) if name in kept}
    if form.name == "WebP" and _XMP in kept:
        found["xmp"] = kept[_XMP]
    if form.name == "JPEG":
        found |= {
            name: kept[name] for name in (_XMP, _COMMENT) if len(kept.get(name, b"")) in range(1, _JPEG_MOST)
        }
        parts = (b"\xff\xed" + struct.pack(">H", len(data) + 2) + data for data in kept.get(_IPTC, ()))
        found["extra"] = b"".join(parts)
        found |= _encode_as_before(page.encoding, mode)
    if form.name == "PNG" and (chunks := _chunks_for(kept)):
        found["pnginfo"] = PngImagePlugin.PngInfo()
        for name, data in chunks:
            found["pnginfo"].add(name, data)
    return found


def _encode_as_before(encoding: dict[str, Any], mode: str) -> dict[str, Any]:
    """The tables of a JPEG, for a JPEG that is about as large."""
    if not encoding:
        return {}
    if mode != "RGB":
        return {"qtables": encoding["qtables"][:1], "quality": -1}  # -1: the tables as they are
    return {**encoding, "quality": -1} if len(encoding["qtables"]) == 2 else {}


def _chunks_for(kept: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    chunks = list(kept.get(_CHUNKS, ()))
    if _XMP in kept and not any(data.startswith(_PNG_XMP) for _, data in chunks):
        chunks.append((b"iTXt", _PNG_XMP + b"\0\0\0\0\0" + kept[_XMP]))
    return chunks
