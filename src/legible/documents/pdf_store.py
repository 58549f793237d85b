"""Put pixels in the place of a picture's in a PDF, in the form that it was stored in."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pikepdf
from PIL import Image, ImageCms

from legible.documents.pdf_pixels import JPEG, JPEG_2000, Stored, n_channels_of
from legible.documents.pictures import upper_byte

_QUALITIES = (90, 80, 70)  # of JPEG in place of JPEG 2000: the first that makes it no larger
_STALE = ("/DecodeParms", "/Decode", "/DP", "/D", "/SMaskInData")
_GAMMA, _WHITE = 2.2, (0.9505, 1.0, 1.089)  # of a monitor with the white of D65
_PNG_HEAD = 8  # bytes
Encoded = tuple[bytes, str, dict[str, Any]]  # the data, the filter's name, its settings


def write_pixels(pdf: pikepdf.Pdf, image: Any, stored: Stored, pixels: np.ndarray, *, bilevel: bool) -> None:
    """Put other pixels of the same size in the place of a picture's.

    pixels: (H, W) or (H, W, 3). bilevel: each pixel is black or white: one bit is stored. Masks, and all else
    that the picture says of itself, stay; parts that are transparent by their colour become a mask.
    """
    key = image.get("/Mask")
    if isinstance(key, pikepdf.Array):
        image["/Mask"] = _make_stencil(pdf, colour_key_mask(image, key, pixels.shape[:2]))
    is_stencil = bool(image.get("/ImageMask", False))
    if bilevel:
        data, name, settings = encode_bilevel(pixels)
        bits = 1
    else:
        lossy = stored.form in (JPEG, JPEG_2000)
        data, name, settings = _encode_jpeg(stored, pixels) if lossy else _encode_flate(stored, pixels)
        bits = settings.get("/BitsPerComponent", 8)
    for stale in _STALE:
        if stale in image:
            del image[stale]
    parms = pikepdf.Dictionary(settings) if settings else None
    image.write(data, filter=pikepdf.Name(name), decode_parms=parms, type_check=False)
    image["/BitsPerComponent"] = bits
    n_channels = 1 if pixels.ndim == 2 else 3
    if not is_stencil and (n_channels_of(image) != n_channels or not stored.as_stored):
        image["/ColorSpace"] = _colour_space(pdf, n_channels)


def encode_bilevel(pixels: np.ndarray) -> Encoded:
    """Pixels (H, W) of 0 or 255 in one bit each: CCITT G4, or JBIG2 where a `jbig2` program is found."""
    picture = Image.fromarray(pixels).convert("1", dither=Image.Dither.NONE)
    written = io.BytesIO()
    picture.save(written, "TIFF", compression="group4", tiffinfo={278: picture.height})  # rows in a strip
    with Image.open(io.BytesIO(written.getvalue()), formats=["TIFF"]) as opened:
        tags: Any = getattr(opened, "tag_v2", {})
        start, length, light = tags[273][0], tags[279][0], tags[262] == 1  # offset, bytes, photometric
    data = written.getvalue()[start : start + length]
    settings = {"/K": -1, "/Columns": picture.width, "/Rows": picture.height, "/BlackIs1": light}
    smaller = _encode_jbig2(picture)
    if smaller is not None and len(smaller) < len(data):
        return smaller, "/JBIG2Decode", {}
    return data, "/CCITTFaxDecode", settings


def _encode_jbig2(picture: Image.Image) -> bytes | None:
    """JBIG2 without loss, by the program of that name; None where there is none or it fails."""
    program = shutil.which("jbig2")
    if program is None:
        return None
    with tempfile.TemporaryDirectory(prefix="legible-") as folder:
        path = Path(folder) / "page.png"
        picture.save(path)
        done = subprocess.run([program, "--pdf", str(path)], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 and done.stdout else None


def _encode_jpeg(stored: Stored, pixels: np.ndarray) -> Encoded:
    picture = Image.fromarray(upper_byte(pixels))
    if stored.tables:
        tables = [list(stored.tables[key]) for key in sorted(stored.tables)]
        tables = tables[:1] if picture.mode == "L" else [*tables, *tables][:2]
        return _as_jpeg(picture, qtables=tables, subsampling=max(stored.sampling, 0)), JPEG, {}
    for quality in _QUALITIES:
        data = _as_jpeg(picture, quality=quality)
        if len(data) <= stored.n_bytes:
            break
    return data, JPEG, {}


def _as_jpeg(picture: Image.Image, **settings: Any) -> bytes:
    written = io.BytesIO()
    picture.save(written, "JPEG", optimize=True, **settings)
    return written.getvalue()


def _encode_flate(stored: Stored, pixels: np.ndarray) -> Encoded:
    """Without loss, as the data of a PNG, whose filters PDF has too."""
    bits = 16 if pixels.dtype == np.uint16 else 8
    if bits == 16:
        ordered = pixels if pixels.ndim == 2 else pixels[..., ::-1]
        png = cv2.imencode(".png", ordered)[1].tobytes()
    else:
        picture, written = Image.fromarray(pixels), io.BytesIO()
        if stored.bits <= 4 and pixels.ndim == 2:
            bits = 4
            picture = Image.fromarray(np.rint(pixels / 17).astype(np.uint8), mode=None)
            picture.putpalette([level * 17 for level in range(16) for _ in range(3)])
            picture.save(written, "PNG", bits=4)
        else:
            picture.save(written, "PNG")
        png = written.getvalue()
    settings = {
        "/Predictor": 15, "/Colors": 1 if pixels.ndim == 2 else 3, "/BitsPerComponent": bits,
        "/Columns": pixels.shape[1],
    }  # fmt: skip
    return _png_data(png), "/FlateDecode", settings


def _png_data(png: bytes) -> bytes:
    """The compressed pixels of a PNG."""
    at, parts = _PNG_HEAD, []
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            parts.append(png[at + 8 : at + 8 + length])
        at += length + 12
    return b"".join(parts)


def colour_key_mask(image: Any, key: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Where a picture is transparent because of its colour: (H, W) booleans. key: its ranges of numbers."""
    ranges = np.array([int(each) for each in key]).reshape(-1, 2)
    n_channels, bits = len(ranges), int(image.get("/BitsPerComponent", 8))
    if str(image.get("/Filter", "")) == JPEG:
        with Image.open(io.BytesIO(image.read_raw_bytes()), formats=["JPEG"]) as opened:
            numbers = np.asarray(opened).reshape(*shape, -1).astype(np.int64)
    else:
        rows = np.frombuffer(image.read_bytes(), np.uint8).reshape(shape[0], -1)
        numbers = _unpack(rows, bits)[:, : shape[1] * n_channels].reshape(*shape, n_channels)
    inside: Any = ((numbers >= ranges[:, 0]) & (numbers <= ranges[:, 1])).all(axis=2)
    return np.asarray(inside)


def _unpack(rows: np.ndarray, bits: int) -> np.ndarray:
    """Numbers of so many bits, from rows of bytes (H, n)."""
    if bits == 16:
        return rows.view(">u2").astype(np.int64)
    single = np.unpackbits(rows, axis=1).reshape(len(rows), -1, bits)
    answer: np.ndarray = single @ (1 << np.arange(bits)[::-1])
    return answer


def _make_stencil(pdf: pikepdf.Pdf, hidden: np.ndarray) -> pikepdf.Stream:
    """A mask that hides these pixels (H, W)."""
    data, name, settings = encode_bilevel(np.where(hidden, np.uint8(255), np.uint8(0)))  # 1 = hidden
    mask = pikepdf.Stream(pdf, b"")
    mask.write(
        data, filter=pikepdf.Name(name), decode_parms=pikepdf.Dictionary(settings) if settings else None
    )
    mask.stream_dict.update(
        pikepdf.Dictionary(
            Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, ImageMask=True, BitsPerComponent=1,
            Width=hidden.shape[1], Height=hidden.shape[0],
        )
    )  # fmt: skip
    return pdf.make_indirect(mask)


def _claims_a_standard(pdf: pikepdf.Pdf) -> bool:
    """Whether the file says that it is PDF/A or PDF/X."""
    if "/OutputIntents" in pdf.Root:
        return True
    try:
        metadata = pdf.open_metadata()
        return bool(metadata.pdfa_status or metadata.pdfx_status)
    except (pikepdf.PdfError, ValueError, KeyError, AttributeError, TypeError):
        return False


def _colour_space(pdf: pikepdf.Pdf, n_channels: int) -> Any:
    """Grey or RGB; where the file claims PDF/A or PDF/X, one that depends on no device."""
    if not _claims_a_standard(pdf):
        return pikepdf.Name.DeviceGray if n_channels == 1 else pikepdf.Name.DeviceRGB
    if n_channels == 1:
        described = pikepdf.Dictionary(WhitePoint=list(_WHITE), Gamma=_GAMMA)
        return pikepdf.Array([pikepdf.Name.CalGray, described])
    profile = pdf.make_stream(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile.N, profile.Alternate = 3, pikepdf.Name.DeviceRGB
    return pikepdf.Array([pikepdf.Name.ICCBased, profile])
