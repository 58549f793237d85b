"""A few images as text, for a row of results."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np

from legible.images import to_bytes


def encode_images(images: np.ndarray) -> dict[str, Any]:
    """Images (N, C, H, W) in [0, 1] as bytes (0 ... 255), compressed and written in letters."""
    pixels = to_bytes(images)
    return {
        "shape": list(images.shape),
        "pixels": base64.b85encode(zlib.compress(pixels.tobytes(), 9)).decode(),
    }


def decode_images(packed: dict[str, Any]) -> np.ndarray:
    """The images that encode_images wrote, float32 to the next 1/255."""
    pixels = np.frombuffer(zlib.decompress(base64.b85decode(packed["pixels"])), np.uint8)
    return pixels.reshape(packed["shape"]).astype(np.float32) / np.float32(255)
