"""Pages of black and white alone: what is kept keeps its shape, and only dirt goes."""

from __future__ import annotations

import cv2
import numpy as np

_KEPT = 0.2  # of a connected component's pixels: with as many left, all of it stays
_NEAR = np.ones((3, 3), np.uint8)


def keep_shapes(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """A cleaned page with the shapes of the page it was made of: strokes are neither redrawn nor added.

    before, after: (H, W) bytes, 0 = ink, 255 = paper. A connected component of ink stays whole where a fifth
    of it is left; of others the pixels at what is left stay. Returns the same form.
    """
    ink, near = before < 128, cv2.dilate((after < 128).astype(np.uint8), _NEAR) > 0
    n_components, components = cv2.connectedComponents(ink.astype(np.uint8), ltype=cv2.CV_32S)
    area = np.bincount(components.ravel(), minlength=n_components)
    left = np.bincount(components[near], minlength=n_components)
    whole = left >= _KEPT * area
    whole[0] = False  # the paper
    return np.where(ink & (near | whole[components]), np.uint8(0), np.uint8(255))
