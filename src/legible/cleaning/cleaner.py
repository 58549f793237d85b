"""Clean scanned pages with a saved restorer: any size, grey, colour or black-and-white. Needs no PyTorch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike

from legible.choices import Mode, ModeAsTyped, parse_mode
from legible.cleaning.guided_filter import Guide, enlarge
from legible.cleaning.stroke_width import estimate_stroke_px, find_ink
from legible.documents.given import page_of_array
from legible.documents.page import Page
from legible.documents.pictures import upper_byte
from legible.errors import ArgumentError
from legible.images import Box
from legible.inference.restorer import Restorer
from legible.inference.tiles import run_in_tiles
from legible.notebook import png

WIDEST_STROKE_PX = 3.2  # that the network was trained on; pages with wider ones are reduced
THINNEST_STROKE_PX = 1.2
_LARGE_PIXELS = 2_500_000  # a page of more is reduced further, as long as strokes stay wide enough
_SMALL_PIXELS = 600_000  # a page of at most so many is restored twice, for fewer errors at little cost
_HUGE_NUMBERS = 100_000_000  # of a page: the network's memory is released before it is written
HALO_PX = 64
THRESHOLD = 0.3  # of ink, in black-and-white: the most legible; at 0.5 faint strokes break
_ROWS = 128  # that are composed at a time
_BARE, _VIVID = 16, 0.4  # ink, of 255, below which there is paper; chroma above which there is no stain
_COLOUR_PIXELS = 2_500_000  # at most, of the page on which colours are classified
_BLOCK_PX = 48  # side of the squares that are searched for vanished text, on the reduced page
_BAND_PX = 16 * _BLOCK_PX  # rows searched at a time: 16 bytes a pixel for all at once are too much
_VANISHED = 0.15  # of the ink of a letter: with less left it counts as lost
_LETTER_AREA, _LETTER_PX, _LETTERS = 12, (5, 40), 4  # pixels of a letter, its longer side, how many are text
_GREY_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)  # luma of ITU-R BT.601


@dataclass(frozen=True, eq=False)
class CleanPage:
    """A cleaned page, and what was done to it.

    image: of the input's size and depth, white paper; (H, W), or (H, W, 3) in mode colour.
    ink_before, ink_after: the mean darkness of the page, 0 to 1. changed: the mean change of a pixel, 0 to 1.
    reduced_by: the factor by which the page was scaled down for the network. vanished: where text has
    probably been lost. seconds: in all; network_seconds: of them, the network's. page: the scan as opened.
    """

    image: np.ndarray
    mode: Mode
    ink_before: float
    ink_after: float
    changed: float
    reduced_by: int
    vanished: tuple[Box, ...]
    seconds: float
    network_seconds: float
    page: Page | None = field(default=None, repr=False)

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Left, top, right, bottom of each place where text has probably been lost, in pixels."""
        return self.vanished

    def to_json(self) -> dict[str, Any]:
        """All that was measured, as plain values."""
        height, width = self.image.shape[:2]
        measured = ("mode", "ink_before", "ink_after", "changed", "reduced_by", "seconds", "network_seconds")
        plain = {name: getattr(self, name) for name in measured}
        boxes = [list(box) for box in self.vanished]
        return {"width_px": width, "height_px": height, **plain, "vanished": boxes}

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the clean page to a file of any format that pages are written in, with the scan's resolution.

        Returns the path. Raises OutputError where it exists already, ArgumentError for another format.
        """
        from legible.documents.document import write_document

        page = self.page or Page(self.image)
        clean = page.with_pixels(self.image, bilevel=self.mode == "black-and-white")
        return write_document(Path(path), [clean], overwrite=overwrite)

    def _repr_png_(self) -> bytes:
        return png(self.image)


@dataclass(frozen=True, slots=True)
class Cleaner:
    """A saved restorer of pages, loaded once and ready for pages of any size."""

    restorer: Restorer

    def clean(self, image: ArrayLike, *, mode: ModeAsTyped = "grey", in_place: bool = False) -> CleanPage:
        """Remove stains, creases, shadows and bleed-through from a page; what is written stays.

        image: an array (H, W), (H, W, 3) or (H, W, 4), see documents.given.page_of_array; not changed.
        mode: grey (or gray); colour (or color), where colour ink such as stamps stays as it is;
        black-and-white, each pixel one or the other.
        in_place: write the clean page over the image where both have the same shape, to save memory.
        Raises InputError, ArgumentError.
        """
        started = time.perf_counter()
        try:
            mode = parse_mode(mode)
        except ValueError as error:
            raise ArgumentError(str(error)) from None
        page = page_of_array(np.asarray(image)).pixels
        grey = _to_grey(page)
        factor = choose_factor(grey)
        reduced = 255 - _reduce(grey, factor)
        del grey
        at = time.perf_counter()
        restored = self._run(reduced)
        if page.size > _HUGE_NUMBERS:
            self.restorer.run.release()
        network_seconds = time.perf_counter() - at
        shown = page if mode == "colour" or page.ndim == 2 else page[..., 0]
        cleaned = shown if in_place and shown is page and page.flags.writeable else np.empty_like(shown)
        before, after, change = _compose(page, reduced, restored, factor, mode, cleaned)
        return CleanPage(
            image=cleaned,
            mode=mode,
            ink_before=before,
            ink_after=after,
            changed=change,
            reduced_by=factor,
            vanished=tuple(find_vanished(reduced, restored, factor)),
            seconds=time.perf_counter() - started,
            network_seconds=network_seconds,
        )

    def _run(self, reduced: np.ndarray) -> np.ndarray:
        """Restore a page (H, W) of bytes, 255 = ink; returns the same shape.

        The network works on blocks of 2x2 pixels, so its output changes a little when the page is shifted by
        one pixel: for a small page, the mean of both outputs is returned.
        """
        multiple = max(self.restorer.card.multiple, 1)
        restored = run_in_tiles(self.restorer.restore, reduced, halo=HALO_PX, multiple=multiple)
        if reduced.size > _SMALL_PIXELS:
            return restored
        moved = np.pad(reduced, ((1, 0), (1, 0)), mode="edge")
        again = run_in_tiles(self.restorer.restore, moved, halo=HALO_PX, multiple=multiple)[1:, 1:]
        mean: np.ndarray = cv2.addWeighted(restored, 0.5, again, 0.5, 0)
        return mean


def choose_factor(grey: np.ndarray) -> int:
    """The factor to reduce a page (H, W) of bytes by, so that its strokes fit the network's training."""
    stroke_px = estimate_stroke_px(grey)
    if stroke_px is None:
        answer: int = max(1, round((grey.size / _LARGE_PIXELS) ** 0.5))
        return answer
    factor = max(1, int(np.ceil(stroke_px / WIDEST_STROKE_PX)))
    while grey.size / factor**2 > _LARGE_PIXELS and stroke_px / (factor + 1) >= THINNEST_STROKE_PX:
        factor += 1
    return factor


def find_vanished(before: np.ndarray, after: np.ndarray, factor: int) -> Iterator[Box]:
    """Squares where several letters, or what looks like them, are lost. Both (H, W) bytes, 255 = ink."""
    for top in range(0, len(before), _BAND_PX):
        rows = slice(top, top + _BAND_PX)
        for left, upper, right, lower in _find_vanished(before[rows], after[rows]):
            yield left * factor, (top + upper) * factor, right * factor, (top + lower) * factor


def _find_vanished(before: np.ndarray, after: np.ndarray) -> Iterator[Box]:
    _, components, stats, centres = cv2.connectedComponentsWithStats(find_ink(255 - before).astype(np.uint8))
    area, longer = stats[:, cv2.CC_STAT_AREA], stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    is_letter = (area >= _LETTER_AREA) & (longer >= _LETTER_PX[0]) & (longer <= _LETTER_PX[1])
    is_letter[0] = False  # the paper
    inks = [np.bincount(components.ravel(), page.ravel(), len(area)) for page in (before, after)]
    is_gone = is_letter & (inks[1] < _VANISHED * inks[0])
    n_across = -(-before.shape[1] // _BLOCK_PX)
    blocks = (centres[:, 1] // _BLOCK_PX * n_across + centres[:, 0] // _BLOCK_PX).astype(np.int64)
    n_letters, n_gone = (np.bincount(blocks[which], minlength=1) for which in (is_letter, is_gone))
    for block in np.flatnonzero(n_gone >= _LETTERS):
        if n_gone[block] > n_letters[block] / 2:
            top, left = (int(place) * _BLOCK_PX for place in divmod(block, n_across))
            bottom, right = min(top + _BLOCK_PX, before.shape[0]), min(left + _BLOCK_PX, before.shape[1])
            yield left, top, right, bottom


def _compose(
    page: np.ndarray, reduced: np.ndarray, restored: np.ndarray, factor: int, mode: Mode, cleaned: np.ndarray
) -> tuple[float, float, float]:
    """Write the cleaned page, a few rows at a time; return its mean ink before and after, and mean change."""
    top_value = np.float32(np.iinfo(page.dtype).max)
    guide = Guide(reduced, restored) if factor > 1 else None
    colours = _Colours(reduced, restored, page) if mode == "colour" and page.ndim == 3 else None
    sums = np.zeros(3)
    for top in range(0, len(page), _ROWS):
        rows = page[top : top + _ROWS]
        ink = 1 - _luma(rows) / top_value
        if guide is not None:
            kept = guide.apply(ink, top, len(page))
        else:
            kept = restored[top : top + _ROWS].astype(np.float32) / 255
        if mode == "black-and-white":
            kept = (kept >= THRESHOLD).astype(np.float32)
        bright = 1 - kept if colours is None else colours.paint(rows, kept, top)
        sums += [float(part.sum(dtype=np.float64)) for part in (ink, kept, np.abs(ink - kept))]
        cleaned[top : top + _ROWS] = np.rint(bright * top_value).astype(page.dtype)
    before, after, change = (sums / (page.shape[0] * page.shape[1])).tolist()
    return before, after, change


class _Colours:
    """The paper's colour at each place of a page, and where there is coloured ink.

    Coloured ink is thin and not brown, or vivid; stains are pale or brown.
    """

    def __init__(self, reduced: np.ndarray, restored: np.ndarray, page: np.ndarray) -> None:
        self._height = len(page)
        scale = min(1.0, (_COLOUR_PIXELS / reduced.size) ** 0.5)
        size = (round(reduced.shape[1] * scale) or 1, round(reduced.shape[0] * scale) or 1)
        small = cv2.resize(page, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        small /= np.iinfo(page.dtype).max
        bare = cv2.resize(restored, size, interpolation=cv2.INTER_AREA) < _BARE
        usual = np.median(small[bare], axis=0) if bare.any() else np.ones(3, np.float32)
        bare &= np.ptp(_relate(small, usual), axis=2) < _VIVID
        side = max(15, min(size) // 20) | 1
        light = cv2.blur(np.where(bare[..., None], small, 0), (side, side)) + 1e-3 * usual
        total = cv2.blur(bare.astype(np.float32), (side, side)) + 1e-3
        self._paper = np.clip(light / total[..., None], 0.05, 1).astype(np.float32)
        relative = _relate(small, self._paper)
        chroma = np.ptp(relative, axis=2)
        broad = cv2.morphologyEx(chroma, cv2.MORPH_OPEN, np.ones((25, 25), np.uint8))
        strokes = np.where(_is_brown(relative), 0, (chroma - broad - 0.1) / 0.15)  # a stain may end in a line
        self._colour = np.clip(np.maximum(strokes, (chroma - _VIVID) / 0.15), 0, 1)

    def paint(self, rows: np.ndarray, kept: np.ndarray, top: int) -> np.ndarray:
        """Some rows (h, W, 3) as they look on white paper, with as much ink as is to be kept."""
        place = (top, len(rows), self._height, rows.shape[1])
        paper = np.stack([enlarge(self._paper[..., i], *place) for i in range(3)], axis=2)
        colour = enlarge(self._colour, *place)
        relative = _relate(rows.astype(np.float32) / np.iinfo(rows.dtype).max, paper)
        depth = 1 - relative @ _GREY_WEIGHTS
        target = np.maximum(kept, depth * colour)
        share = np.clip(target / np.maximum(depth, 0.05), 0, 1.5)[..., None]
        painted: np.ndarray = np.clip(1 - share * (1 - relative), 0, 1)
        return painted


def _relate(page: np.ndarray, paper: np.ndarray) -> np.ndarray:
    """A page (H, W, 3) in [0, 1] as it would look on white paper instead of one of this colour."""
    answer: np.ndarray = np.clip(page / np.maximum(paper, 0.05), 0, 1)
    return answer


def _is_brown(page: np.ndarray) -> np.ndarray:
    """Where a page (H, W, 3) RGB has the hue of coffee, tea and rust, 15 to 50 degrees: (H, W)."""
    red, green, blue = (page[..., i] for i in range(3))
    above = green - blue
    answer: np.ndarray = (green <= red) & (above >= (red - blue) * 0.25) & (above <= (red - blue) * 5 / 6)
    return answer


def _to_grey(page: np.ndarray) -> np.ndarray:
    """The page in grey, (H, W) bytes."""
    page = upper_byte(page)
    grey: np.ndarray = cv2.cvtColor(page, cv2.COLOR_RGB2GRAY) if page.ndim == 3 else page
    return grey


def _luma(rows: np.ndarray) -> np.ndarray:
    """The light of rows (h, W) or (h, W, 3), (h, W) float32 in the rows' own numbers."""
    if rows.ndim == 2:
        return rows.astype(np.float32)
    return cv2.cvtColor(rows, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _reduce(grey: np.ndarray, factor: int) -> np.ndarray:
    if factor == 1:
        return grey
    size = (-(-grey.shape[1] // factor), -(-grey.shape[0] // factor))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
