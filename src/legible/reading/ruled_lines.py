"""Find the ruling of a form among the ink on it: long straight lines, across or down."""

from __future__ import annotations

import cv2
import numpy as np

_INK = 0.25  # of the darkest: paler rules do not matter
_SHORTEST_SHARE, _SHORTEST_PX = 0.2, 60  # of the picture's side; a shorter line may be a stroke
_SLENDER = 8  # times as long as it rises or falls
_PIECE_SHARE, _PIECE_PX = 1 / 40, 15  # of the components that a rule is found by
_THICKEST_PX = 8


def find_ruled_lines(ink: np.ndarray) -> np.ndarray:
    """Where long straight lines lie, less the strokes that cross them: (H, W) bool.

    ink: (H, W) float32, 1 = the darkest ink.
    """
    is_ink = (ink > _INK).astype(np.uint8)
    rules: np.ndarray = _find_across(is_ink) | _find_across(np.ascontiguousarray(is_ink.T)).T
    return rules


def _find_across(is_ink: np.ndarray) -> np.ndarray:
    """Where rules lie that go across, (H, W) bool, less what crosses them."""
    height, width = is_ink.shape
    piece = max(_PIECE_PX, round(width * _PIECE_SHARE))
    shortest = max(_SHORTEST_PX, round(width * _SHORTEST_SHARE))
    none = np.zeros(is_ink.shape, bool)
    if width < shortest or height < 3:
        return none
    components = cv2.morphologyEx(is_ink, cv2.MORPH_OPEN, np.ones((1, piece), np.uint8))
    joined = cv2.dilate(components, np.ones((3, piece), np.uint8))
    _, numbers, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    long, tall = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    is_rule = (long - piece >= shortest) & (long >= _SLENDER * (tall - 2))
    is_rule[0] = False
    if not is_rule.any():
        return none
    rules = (components > 0) & is_rule[numbers]
    thickness = rules.sum(0)[rules.any(0)]
    thick = int(np.median(thickness) / max(1, is_rule.sum()) + 0.5) if len(thickness) else 1
    thick = min(max(1, thick), _THICKEST_PX)
    # what goes on well beyond the rule, up and down, is a stroke that crosses it
    crossing = cv2.morphologyEx(is_ink, cv2.MORPH_OPEN, np.ones((thick + 4, 1), np.uint8)) > 0
    near = cv2.dilate(rules.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    answer: np.ndarray = near & ~crossing
    return answer
