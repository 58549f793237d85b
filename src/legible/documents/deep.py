"""Pages with more than 8 bits a value: colours, which Pillow reduces to 8, numbers of 32 bits and floats."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

_BITS = 258  # the tag of a TIFF
_HIGHEST = 65_535
_NOT_TEXT = (b"IHDR", b"IDAT", b"IEND", b"PLTE", b"tRNS")


def is_deep_colour(opened: Image.Image) -> bool:
    """Whether the current picture is of colours, or of greys with transparency, in 16 bits a value."""
    if opened.format == "PNG" and getattr(opened, "tile", None):
        return str(opened.tile[0][3]) in ("RGB;16B", "RGBA;16B")  # type: ignore[attr-defined]
    if opened.format == "TIFF":
        tags: Any = opened.tag_v2  # type: ignore[attr-defined]
        return opened.mode in ("RGB", "RGBA") and set(tags.get(_BITS, ())) == {16}
    return False


def read_deep_colour(source: Path | bytes, number: int) -> tuple[np.ndarray, np.ndarray | None] | None:
    """Pixels (H, W, 3) of 16 bits on white paper, and transparency (H, W) as bytes; None if that fails.

    number: which page, from 0.
    """
    data = np.frombuffer(source if isinstance(source, bytes) else source.read_bytes(), np.uint8)
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        done, found = cv2.imdecodemulti(data, cv2.IMREAD_UNCHANGED, None, (number, number + 1))
    except cv2.error:
        return None
    finally:
        cv2.utils.logging.setLogLevel(level)
    if not done or found[0].dtype != np.uint16 or found[0].ndim != 3 or found[0].shape[2] not in (3, 4):
        return None
    pixels = np.ascontiguousarray(found[0][..., 2::-1])  # from BGR or BGRA
    return (pixels, None) if found[0].shape[2] == 3 else lay_on_white(pixels, found[0][..., 3])


def lay_on_white(pixels: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colours of 16 bits (H, W, 3) with transparency (H, W), on white paper; and that as bytes."""
    share = alpha.astype(np.float32)[..., None] / _HIGHEST
    laid = np.rint(pixels * share + _HIGHEST * (1 - share)).astype(np.uint16)
    return laid, np.rint(share[..., 0] * 255).astype(np.uint8)


def to_16_bits(numbers: np.ndarray) -> np.ndarray:
    """Floats in [0, 1] or whole numbers in 0..65535 as 16 bits. Raises ValueError for any other."""
    low, high = (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 0.0)
    most = 1 if numbers.dtype.kind == "f" else _HIGHEST
    if not (low >= 0 and high <= most):  # nor is NaN
        kind = "floating-point numbers" if most == 1 else "whole numbers of 32 bits"
        raise ValueError(
            f"its pixels are {kind} from {low:g} to {high:g}, not within 0 to {most:,}; "
            "convert it to 8 or 16 bits"
        )
    return (np.rint(numbers * float(_HIGHEST)) if most == 1 else numbers).astype(np.uint16)


def encode_deep_png(pixels: np.ndarray, alpha: np.ndarray | None, settings: dict[str, Any]) -> bytes:
    """A PNG of 16 bits a value. settings: those of Pillow, for all but the pixels."""
    layers = [pixels[..., ::-1]] + ([alpha.astype(np.uint16) * 257] if alpha is not None else [])
    done, encoded = cv2.imencode(".png", np.dstack(layers), [cv2.IMWRITE_PNG_COMPRESSION, 2])
    if not done:
        raise ValueError("its pixels cannot be encoded")
    small = BytesIO()
    Image.new("RGB", (1, 1)).save(small, "PNG", **settings)
    said = b"".join(chunk for name, chunk in _chunks(small.getvalue()) if name not in _NOT_TEXT)
    pieces = [chunk for name, chunk in _chunks(encoded.tobytes()) if name in _NOT_TEXT]
    return small.getvalue()[:8] + pieces[0] + said + b"".join(pieces[1:])


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a PNG, each whole, with its name."""
    found, at = [], 8
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        found.append((name, data[at : at + length + 12]))
        at += length + 12
    return found
