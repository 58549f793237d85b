"""Which pictures on a PDF's page are scans: by their share of it, and by what lies over and beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pikepdf

from legible.documents.pdf_pictures import LEAST_PX, Picture, find_pictures, shared_area, visible_box

_WHOLE_PAGE, _HALF_PAGE, _ALONE = 0.85, 0.4, 0.05  # shares of a page
_OVERLAP = 1.1  # shares that together are more: one picture lies over the other
_FEW_LETTERS = 200  # over a scan of half a page: a header, a number, a stamp
_SAME_STEP, _SAME_PLACE_PX = (
    0.01,
    1.5,
)  # how far parts of one picture may differ in scale, and be off their place
_POINTS_PER_INCH = 72
_PAPER_PX = 400  # on the longer side of the copy on which paper is looked for
_PAPER_LIGHT, _PAPER_SHARE, _DARKEST_PAPER = 0.8, 0.5, 70  # relative to its surroundings; of pixels; of 255


@dataclass(frozen=True, eq=False)
class Scan:
    """A picture of a page, in one part or in several that fit together, such as strips.

    parts: each with its place, left and top, in the whole. size_px: of the whole, width and height.
    share: of the visible page. dpi: across and down, in the picture's own directions. upright: how to bring
    the pixels upright, as for `turn`. reason: why it is left as it is; empty for one that is to be cleaned.
    """

    parts: tuple[tuple[Picture, int, int], ...]
    size_px: tuple[int, int]
    share: float
    dpi: tuple[float, float]
    upright: tuple[int, bool]
    reason: str = ""


def find_scans(page: pikepdf.Page) -> list[Scan]:
    """The pictures of a page, parts that fit together as one, each with the reason to leave it, if any.

    Pictures of a few pixels are passed over. Raises what find_pictures raises.
    """
    pictures = [each for each in find_pictures(page) if min(each.size_px) >= 1]
    box = visible_box(page)
    area = max(shared_area(box, box), 1e-6)
    groups = _fit_together(pictures)
    shares = [sum(shared_area(one.corners, box) for one, _, _ in parts) / area for parts in groups]
    unit = float(page.obj.get("/UserUnit", 1))
    turned = int(page.obj.get("/Rotate", 0))
    found = [
        _describe(parts, min(share, 1.0), unit, turned) for parts, share in zip(groups, shares, strict=True)
    ]
    return [_decide(scan, found) for scan in found if max(scan.size_px) >= LEAST_PX]


def _decide(scan: Scan, all_found: list[Scan]) -> Scan:
    first = scan.parts[0][0]
    n_letters = max(part.n_letters_above for part, _, _ in scan.parts)
    others = [
        each for each in all_found
        if each is not scan and each.share > _HALF_PAGE and each.share + scan.share > _OVERLAP
    ]  # fmt: skip
    whole = any(each is not scan and each.share > _WHOLE_PAGE for each in all_found)
    reason = ""
    if first.is_stencil and (others or scan.share < _HALF_PAGE or not first.dark):
        reason = "a mask through which a colour is painted"
    elif (first.has_mask and others) or (whole and scan.share < _HALF_PAGE):
        reason = "a layer over another picture"
    elif others and not first.has_mask and any(not each.parts[0][0].has_mask for each in others):
        reason = "one of several pictures over each other"
    elif "/Matte" in first.image.get("/SMask", {}):
        reason = "blended with its mask"
    elif scan.share < _ALONE or min(scan.size_px) < LEAST_PX:
        reason = "too small a part of the page for a scan"
    elif scan.share < _WHOLE_PAGE and n_letters > (_FEW_LETTERS if scan.share > _HALF_PAGE else 0):
        reason = "a picture on a page of text"
    return Scan(scan.parts, scan.size_px, scan.share, scan.dpi, scan.upright, reason)


def _describe(parts: list[tuple[Picture, int, int]], share: float, unit: float, turned: int) -> Scan:
    _, right, down = parts[0][0].steps
    size = (
        max(left + part.size_px[0] for part, left, _ in parts),
        max(top + part.size_px[1] for part, _, top in parts),
    )
    steps = [max(float(np.hypot(*step)) * unit, 1e-9) for step in (right, down)]
    dpi = (_POINTS_PER_INCH / steps[0], _POINTS_PER_INCH / steps[1])
    return Scan(tuple(parts), size, share, dpi, _upright(right, down, turned))


def _upright(right: np.ndarray, down: np.ndarray, turned: int) -> tuple[int, bool]:
    """How many quarter turns, counterclockwise, bring a picture upright, and whether it is mirrored before.

    right, down: the steps of its pixels on the page. turned: degrees, clockwise, of the page as it is shown.
    """
    mirrored = right[0] * down[1] - right[1] * down[0] > 0  # on paper, y grows upwards
    across = -right if mirrored else right
    angle = np.degrees(np.arctan2(across[1], across[0])) - turned  # of its rows as they are seen
    return round(float(angle) / 90) % 4, bool(mirrored)


def turn(pixels: np.ndarray, upright: tuple[int, bool], *, back: bool = False) -> np.ndarray:
    """Bring a picture's pixels upright as they are seen on the page, or back to as they are stored."""
    quarters, mirrored = upright
    if back:
        pixels = np.rot90(pixels, -quarters)
        return pixels[:, ::-1] if mirrored else pixels
    return np.rot90(pixels[:, ::-1] if mirrored else pixels, quarters)


def _fit_together(pictures: list[Picture]) -> list[list[tuple[Picture, int, int]]]:
    """Groups of pictures that continue each other on one grid, with each one's left and top in pixels."""
    groups: list[list[tuple[Picture, int, int]]] = []
    for picture in pictures:
        for group in groups:
            place = None if picture.is_stencil or picture.has_mask else _place_beside(picture, group)
            if place is not None:
                group.append((picture, *place))
                break
        else:
            groups.append([(picture, 0, 0)])
    return [_from_zero(group) for group in groups]


def _place_beside(picture: Picture, group: list[tuple[Picture, int, int]]) -> tuple[int, int] | None:
    """The left and top of a picture among others that it touches, on the same grid; None for a stranger."""
    first = group[0][0]
    if first.is_stencil or first.has_mask:
        return None
    corner, right, down = first.steps
    own_corner, own_right, own_down = picture.steps
    scale = max(float(np.hypot(*right)), float(np.hypot(*down)), 1e-9)
    if max(np.abs(own_right - right).max(), np.abs(own_down - down).max()) > _SAME_STEP * scale:
        return None
    grid = np.array([right, down]).T
    if abs(np.linalg.det(grid)) < 1e-12:
        return None
    left, top = np.linalg.solve(grid, own_corner - corner)
    place = round(float(left)), round(float(top))
    return place if any(_touches(picture, place, *other) for other in group) else None


def _touches(picture: Picture, place: tuple[int, int], other: Picture, left: int, top: int) -> bool:
    """Whether two parts share a whole side and do not overlap, within the tolerance."""
    starts, other_starts = np.array(place), np.array([left, top])
    sizes, other_sizes = np.array(picture.size_px), np.array(other.size_px)
    gap = np.maximum(other_starts - (starts + sizes), starts - (other_starts + other_sizes))
    near = np.abs(gap) <= 2 * _SAME_PLACE_PX  # the sides meet in this direction
    apart = (np.abs(starts - other_starts) <= _SAME_PLACE_PX) & (np.abs(sizes - other_sizes) <= 2)
    return bool((near[1] and apart[0]) or (near[0] and apart[1]))


def _from_zero(group: list[tuple[Picture, int, int]]) -> list[tuple[Picture, int, int]]:
    left, top = min(each[1] for each in group), min(each[2] for each in group)
    return [(picture, x - left, y - top) for picture, x, y in group]


def looks_like_paper(pixels: np.ndarray) -> bool:
    """Whether a picture (H, W) or (H, W, 3) of bytes is of paper: light and even, unlike a photograph."""
    scale = min(1.0, _PAPER_PX / max(pixels.shape[:2]))
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    small: Any = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY) if small.ndim == 3 else small
    side = max(size) // 10 | 1
    paper = cv2.blur(cv2.dilate(grey, np.ones((side, side), np.uint8)), (side, side)).astype(np.float32)
    light = grey >= _PAPER_LIGHT * paper
    return bool(light.mean() >= _PAPER_SHARE and np.median(paper) >= _DARKEST_PAPER)
