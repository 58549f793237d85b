"""Find what may be lines of digits in a picture: tell ink from paper under any light, group what is ink."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from legible.documents.pictures import upper_byte
from legible.images import Box, border_of, shrink_to
from legible.reading.ruled_lines import find_ruled_lines

MOST_PIXELS = 3_000_000  # a larger picture is searched reduced
_PIXELS_LOOKED_AT = 60_000  # to tell the contrast
_PAGE_PX = 120  # the shorter side of a picture that may show a page
_SMALL_PX = 96  # the longer side of a picture whose paper is one colour
_LEAST_CONTRAST = 12  # of 255, between paper and ink: with less a picture is blank
_SMALLEST_PX = 7  # height of a digit
_LONG = 12  # times as long as wide: a rule of the form, no digit
_NEAR = 1.1  # heights of a digit between two of one line, at most
_ALIKE = 2.4  # times as high as its neighbour, at most
_LEVEL, _LEAST_FOR_SLOPE = 0.06, 3  # a slope that readers take as it is; components of ink that tell a slope
_MARGIN = 0.15  # around a line, of its height; twice as much at its sides
_INK = 0.8  # of Otsu's threshold: faint strokes must not break


@dataclass(frozen=True, eq=False)
class NormalizedPage:
    """A picture made ready to search: dark ink on light paper.

    darkness: (H, W) float32, 1 = black, as it was seen; of pages, without their rules. ink: the same above
    its paper, 1 = the darkest ink.
    scale: its pixels for each pixel of the picture on a side. contrast: of ink to paper, 0 to 255.
    """

    darkness: np.ndarray
    ink: np.ndarray
    scale: float
    contrast: float

    @property
    def is_blank(self) -> bool:
        """Whether nothing stands out from the paper."""
        return self.contrast < _LEAST_CONTRAST


@dataclass(frozen=True, eq=False)
class Crop:
    """A part of a picture, set upright. darkness, ink: (h, w), as in NormalizedPage.

    matrix: 2 x 3, from its places (x, y) to those of the picture that was given. n_components: how many
    connected components of ink it has; 0 if that is not known.
    """

    darkness: np.ndarray
    ink: np.ndarray
    matrix: np.ndarray
    n_components: int = 0

    def place(self, box: Box) -> Box:
        """A box of it, as the box around that in the picture that was given."""
        left, top, right, bottom = box
        corners = np.array([[left, right, left, right], [top, top, bottom, bottom], [1, 1, 1, 1]])
        x, y = self.matrix @ corners
        return round(float(x.min())), round(float(y.min())), round(float(x.max())), round(float(y.max()))


def flatten_illumination(pixels: np.ndarray) -> NormalizedPage:
    """Bring any picture to dark ink on light paper, its light page out: what all reading starts from.

    pixels: (H, W) or (H, W, 3) RGB, bytes or 16 bits, the highest number white; not changed.
    """
    grey = upper_byte(pixels)
    if grey.ndim == 3:
        grey = cv2.cvtColor(np.ascontiguousarray(grey), cv2.COLOR_RGB2GRAY)
    scale = min(1.0, (MOST_PIXELS / grey.size) ** 0.5)
    grey = shrink_to(grey, scale * max(grey.shape))
    paper = _estimate_paper(grey)
    apart = grey - paper
    some = apart.ravel()[:: max(1, apart.size // _PIXELS_LOOKED_AT)]
    darker, lighter = np.abs(np.percentile(some, (0.5, 99.5)))
    is_light_on_dark = bool(lighter > 1.5 * darker)
    apart = apart if is_light_on_dark else -apart
    darkest = np.percentile(some, 99.8 if is_light_on_dark else 0.2) if apart.size > 5000 else apart.max()
    contrast = float(abs(darkest))
    ink = (apart / max(contrast, 1.0)).clip(0, 1)
    # a picture of one line keeps its rules: readers of lines know them
    rules = find_ruled_lines(ink) if min(ink.shape) >= _PAGE_PX else np.zeros(ink.shape, bool)
    bare: np.ndarray = np.where(rules, paper, grey)
    darkness = (bare if is_light_on_dark else 255 - bare).astype(np.float32) / 255
    return NormalizedPage(darkness, np.where(rules, np.float32(0), ink), scale, contrast)


def whole(page: NormalizedPage) -> Crop:
    """All of a picture as one line."""
    return Crop(page.darkness, page.ink, np.eye(2, 3) / page.scale)


def find_lines(page: NormalizedPage) -> list[Crop]:
    """What may be lines of digits, in reading order, each set upright and cut out with a margin."""
    groups = {bounds(group): group for group in _group(find_components(page.ink))}
    return [_crop(page, box, groups[box]) for box in _in_reading_order(list(groups))]


def find_components(ink: np.ndarray) -> list[Box]:
    """Boxes of connected ink (H, W) that may be a digit, or several that touch."""
    as_bytes = np.rint(ink * 255).astype(np.uint8)
    threshold, _ = cv2.threshold(as_bytes, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    is_ink = (as_bytes > max(threshold * _INK, 40)).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(is_ink, connectivity=8)
    return [
        (left, top, left + wide, top + tall)
        for left, top, wide, tall, area in stats[1:].tolist()
        if tall >= _SMALLEST_PX and max(wide / tall, tall / wide) < _LONG and area > 0.02 * wide * tall
    ]


def _crop(page: NormalizedPage, box: Box, components: Sequence[Box]) -> Crop:
    """A line cut out with a margin; one that rises or falls is turned until it does not."""
    height, width = page.ink.shape
    left, top, right, bottom = box
    slope = _slope(components)
    if abs(slope) < _LEVEL:
        rim = max(2, round(_MARGIN * (bottom - top)))
        left, top = max(0, left - 2 * rim), max(0, top - rim)
        part = np.s_[top : min(height, bottom + rim), left : min(width, right + 2 * rim)]
        matrix = np.array([[1, 0, left], [0, 1, top]]) / page.scale
        return Crop(page.darkness[part], page.ink[part], matrix, len(components))
    cos, sin = np.cos(np.arctan(slope)), np.sin(np.arctan(slope))
    turn = np.array([[cos, -sin], [sin, cos]])  # from the upright line to the picture
    corners = np.array([(x, y) for piece in components for x in piece[::2] for y in piece[1::2]])
    upright = corners @ turn
    margin = _MARGIN * np.median([lower - upper for _, upper, _, lower in components]) * np.array([2, 1])
    first, last = upright.min(0) - margin, upright.max(0) + margin
    size = np.ceil(last - first).astype(int)
    matrix = np.column_stack([turn, turn @ first])
    darkness, ink = (
        cv2.warpAffine(plane, matrix, size.tolist(), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                       borderMode=cv2.BORDER_REPLICATE)
        for plane in (page.darkness, page.ink)
    )  # fmt: skip
    return Crop(darkness, ink, matrix / page.scale, len(components))


def _slope(components: Sequence[Box]) -> float:
    """How much the middles of three components or more fall for each pixel to the right: least squares."""
    if len(components) < _LEAST_FOR_SLOPE:
        return 0.0
    boxes = np.array(components, float)
    x, y = boxes[:, [0, 2]].mean(1), boxes[:, [1, 3]].mean(1)
    spread = float(np.square(x - x.mean()).sum())
    return float((x - x.mean()) @ (y - y.mean()) / spread) if spread else 0.0


def _estimate_paper(grey: np.ndarray) -> np.ndarray:
    """How light the paper is at each pixel: the middle of what is around, wider than any stroke; float32."""
    if max(grey.shape) <= _SMALL_PX:
        return np.full(grey.shape, np.median(border_of(grey)), np.float32)
    small = shrink_to(grey, _SMALL_PX)
    side = min(max(3, min(small.shape) // 2 | 1), 31)
    around = cv2.copyMakeBorder(small, side, side, side, side, cv2.BORDER_REPLICATE)
    middle = cv2.medianBlur(around, side)[side:-side, side:-side]
    soft = cv2.GaussianBlur(middle, (0, 0), 2).astype(np.float32)
    paper: np.ndarray = cv2.resize(soft, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return paper


def _group(boxes: list[Box]) -> list[list[Box]]:
    """Boxes that stand beside each other, alike in height: the members of each line."""
    boxes = sorted(boxes)
    groups: list[list[Box]] = []
    group_of: dict[Box, int] = {}
    for i, box in enumerate(boxes):
        farthest = box[0] - _NEAR * _ALIKE * (box[3] - box[1])
        before = [other for other in boxes[:i] if other[2] >= farthest and _are_neighbours(other, box)]
        found = sorted({group_of[other] for other in before})
        first = found[0] if found else len(groups)
        if not found:
            groups.append([])
        for number in found[1:]:
            for other in groups[number]:
                group_of[other] = first
            groups[first] += groups[number]
            groups[number] = []
        groups[first].append(box)
        group_of[box] = first
    return [group for group in groups if group]


def _are_neighbours(one: Box, other: Box) -> bool:
    tall, other_tall = one[3] - one[1], other[3] - other[1]
    taller, lower = max(tall, other_tall), min(tall, other_tall)
    overlap = min(one[3], other[3]) - max(one[1], other[1])
    gap = max(one[0], other[0]) - min(one[2], other[2])
    return taller <= _ALIKE * lower and overlap >= 0.4 * lower and gap <= _NEAR * (tall + other_tall) / 2


def bounds(group: Sequence[Box]) -> Box:
    """The box around boxes."""
    lefts, tops, rights, bottoms = zip(*group, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _in_reading_order(boxes: list[Box]) -> list[Box]:
    """From top to bottom, and what is side by side from left to right."""
    ordered, left = list[Box](), sorted(boxes, key=lambda box: box[1] + box[3])
    while left:
        middle = (left[0][1] + left[0][3]) / 2
        row = [box for box in left if box[1] < middle < box[3]]
        ordered += sorted(row)
        left = [box for box in left if box not in row]
    return ordered
