"""Generate clean pages with known text: headings, paragraphs, tables and drawings, in matplotlib's fonts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from legible.data.sentences import SENTENCES
from legible.errors import ArgumentError, MissingExtra

FAMILIES = {  # of the fonts included in matplotlib: free, and the same on all systems
    "serif": ("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSerif-BoldItalic"),
    "sans": ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique"),
    "mono": ("DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique"),
    "times": ("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
    "modern": ("cmr10", "cmb10", "cmti10"),
    "modern-sans": ("cmss10",),
    "modern-mono": ("cmtt10",),
}
ENGLISH_ONLY = ("modern", "modern-sans", "modern-mono")  # these have no accented letters
_BLOCKS = ("heading", "paragraph", "paragraph", "paragraph", "table", "drawing", "note")
_POINTS_PER_INCH = 72
_DRAWN_DPI = 300


@dataclass(frozen=True, eq=False)
class MadePage:
    """A page and its text. ink: (H, W) float32 in [0, 1], 1 = ink. lines: of text, top to bottom."""

    ink: np.ndarray
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """All lines, joined by line breaks."""
        return "\n".join(self.lines)


@dataclass
class _Sheet:
    """A page in progress: the picture, where the next block begins, and the text so far."""

    picture: Image.Image
    pen: ImageDraw.ImageDraw
    left: int
    right: int
    y: float
    bottom: int
    lines: list[str] = field(default_factory=list)


def make_page(
    rng: np.random.Generator,
    *,
    size: tuple[int, int] = (3508, 2480),
    dpi: float = 300,
    points: tuple[float, float] = (8, 12),
    margin: float = 0.08,
    blocks: Sequence[str] = _BLOCKS,
    languages: Sequence[str] = tuple(SENTENCES),
) -> MadePage:
    """Generate a clean page: random blocks from top to bottom until it is full, in one font family.

    size: (height, width) in pixels, by default A4 at 300 dpi. points: smallest and largest size of body text;
    headings are up to three times as large, notes a fifth smaller. margin: as a share of the page's width; a
    negative margin crops the text. blocks: to choose from: heading, paragraph, table, drawing, note.
    languages: of SENTENCES; fonts without accented letters use English. Equal rng states give equal pages.
    Raises ArgumentError for an unknown language or block.
    """
    unknown = {*blocks} - {*_BLOCKS} | {*languages} - {*SENTENCES}
    if unknown or not blocks or not languages:
        raise ArgumentError(
            f"a page needs one or more blocks ({', '.join(dict.fromkeys(_BLOCKS))}) and languages "
            f"({', '.join(SENTENCES)}); unknown: {', '.join(sorted(unknown)) or 'none'}."
        )
    finer = max(1, round(_DRAWN_DPI / dpi))  # drawn larger, since small letters are rounded to whole pixels
    height, width = (side * finer for side in size)
    family = str(rng.choice(list(FAMILIES)))
    language = "English" if family in ENGLISH_ONLY else str(rng.choice(languages))
    text_px = rng.uniform(*points) * finer * dpi / _POINTS_PER_INCH
    picture = Image.new("L", (width, height), 0)
    edge = round(margin * width)
    sheet = _Sheet(picture, ImageDraw.Draw(picture), edge, width - edge, edge, height - edge)
    writers = {"heading": _write_heading, "paragraph": _write_paragraph, "table": _write_table,
               "drawing": _draw_lines, "note": _write_note}  # fmt: skip
    while sheet.y < sheet.bottom:
        writers[str(rng.choice(blocks))](sheet, rng, family, text_px, SENTENCES[language])
        sheet.y += text_px * rng.uniform(0.5, 1.5)
    ink = cv2.resize(np.asarray(picture), size[::-1], interpolation=cv2.INTER_AREA)
    return MadePage(ink.astype(np.float32) / 255, tuple(sheet.lines))


def _write_heading(
    sheet: _Sheet, rng: np.random.Generator, family: str, text_px: float, sentences: Sequence[str]
) -> None:
    font = font_of(FAMILIES[family][1 % len(FAMILIES[family])], text_px * rng.uniform(1.2, 3))
    _write_words(sheet, _sample_words(rng, sentences, 1)[: int(rng.integers(2, 7))], font, justified=False)


def _write_paragraph(
    sheet: _Sheet, rng: np.random.Generator, family: str, text_px: float, sentences: Sequence[str]
) -> None:
    style = FAMILIES[family][int(rng.choice(len(FAMILIES[family]), p=_weights(len(FAMILIES[family]))))]
    words = _sample_words(rng, sentences, int(rng.integers(2, 8)))
    _write_words(sheet, words, font_of(style, text_px), justified=rng.random() < 0.6)


def _write_note(
    sheet: _Sheet, rng: np.random.Generator, family: str, text_px: float, sentences: Sequence[str]
) -> None:
    length = round((sheet.right - sheet.left) * 0.3)
    _rule(sheet, (sheet.left, sheet.y, sheet.left + length, sheet.y), text_px / 14)
    sheet.y += text_px * 0.4
    _write_words(
        sheet, _sample_words(rng, sentences, 1), font_of(FAMILIES[family][0], text_px * 0.8), justified=False
    )


def _write_table(
    sheet: _Sheet, rng: np.random.Generator, family: str, text_px: float, sentences: Sequence[str]
) -> None:
    """Rows of a word and numbers, with or without lines."""
    n_columns, n_rows = int(rng.integers(2, 5)), int(rng.integers(2, 7))
    font, row_px = font_of(FAMILIES[family][0], text_px), text_px * rng.uniform(1.4, 2)
    column_px = (sheet.right - sheet.left) / n_columns
    top, ruled, framed = sheet.y, rng.random() < 0.7, rng.random() < 0.5
    words = [word.strip(".,;:?¿") for word in _sample_words(rng, sentences, 3)]
    for _ in range(n_rows):
        if sheet.y + row_px > sheet.bottom:
            break
        cells = [str(rng.choice(words))] + [f"{rng.integers(1, 99_999):,}" for _ in range(n_columns - 1)]
        fitting = [c for c in cells if font.getlength(c) < column_px * 0.9]
        for i, cell in enumerate(fitting):
            sheet.pen.text((sheet.left + (i + 0.05) * column_px, sheet.y + row_px * 0.15), cell, 255, font)
        sheet.lines.append(" ".join(fitting))
        sheet.y += row_px
        if ruled:
            _rule(sheet, (sheet.left, sheet.y, sheet.right, sheet.y), text_px / 14)
    if framed:
        for i in range(n_columns + 1):
            x = sheet.left + i * column_px
            _rule(sheet, (x, top, x, sheet.y), text_px / 14)


def _draw_lines(
    sheet: _Sheet, rng: np.random.Generator, family: str, text_px: float, sentences: Sequence[str]
) -> None:
    """A curve, boxes or circles, drawn with thin lines."""
    height = min((sheet.right - sheet.left) * rng.uniform(0.1, 0.3), sheet.bottom - sheet.y)
    if height < text_px:
        sheet.y = sheet.bottom
        return
    width, line_px = sheet.right - sheet.left, text_px * rng.uniform(0.05, 0.2)
    kind = rng.integers(3)
    points = np.stack([np.sort(rng.random(8)) * width + sheet.left, rng.random(8) * height + sheet.y], axis=1)
    if kind == 0:
        sheet.pen.line([tuple(point) for point in points], 255, max(1, round(line_px)), joint="curve")
    for x, y in points if kind else []:
        radius = rng.uniform(0.05, 0.5) * height
        box = (x - radius, max(sheet.y, y - radius), x + radius, min(sheet.y + height, y + radius))
        if box[3] > box[1]:
            (sheet.pen.ellipse if kind == 1 else sheet.pen.rectangle)(box, None, 255, max(1, round(line_px)))
    sheet.y += height


def _write_words(sheet: _Sheet, words: list[str], font: ImageFont.FreeTypeFont, *, justified: bool) -> None:
    """Fill lines with words until the words end or the page is full."""
    space, line_px = font.getlength(" "), font.size * 1.25
    while words and sheet.y + line_px <= sheet.bottom:
        line, width = list[str](), -space
        while words and (not line or width + space + font.getlength(words[0]) <= sheet.right - sheet.left):
            width += space + font.getlength(words[0])
            line.append(words.pop(0))
        spare = sheet.right - sheet.left - width
        gap = space + (spare / (len(line) - 1) if justified and words and len(line) > 1 else 0)
        x = float(sheet.left)
        for word in line:
            sheet.pen.text((x, sheet.y), word, 255, font)
            x += font.getlength(word) + gap
        sheet.lines.append(" ".join(line))
        sheet.y += line_px
    if words:
        sheet.y = sheet.bottom


def _sample_words(rng: np.random.Generator, sentences: Sequence[str], n_sentences: int) -> list[str]:
    return [word for i in rng.integers(len(sentences), size=n_sentences) for word in sentences[i].split()]


def _rule(sheet: _Sheet, ends: tuple[float, float, float, float], width_px: float) -> None:
    sheet.pen.line([round(end) for end in ends], 255, max(1, round(width_px)))


def _weights(n: int) -> np.ndarray:
    """Probabilities of a family's styles: the first one, upright, is twice as frequent as each other."""
    weights = np.array([2.0] + [1.0] * (n - 1))
    answer: np.ndarray = weights / weights.sum()
    return answer


def font_of(name: str, size_px: float) -> ImageFont.FreeTypeFont:
    """A font in FAMILIES at this size. Raises MissingExtra if matplotlib is not installed."""
    return ImageFont.truetype(str(font_folder() / f"{name}.ttf"), max(4.0, size_px))


@cache
def font_folder() -> Path:
    """The folder of matplotlib's fonts. Raises MissingExtra if matplotlib is not installed."""
    try:
        import matplotlib
    except ImportError:
        raise MissingExtra.of("train", "making pages") from None
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"
