"""The file formats of pages, in one table: reading, writing, the web, help texts and documents follow it.

A format that Pillow writes one page at a time is added by one row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

_QUALITY = 90  # of JPEG and WebP
_PNG_LEVEL = 2  # a third of the time of 6, the usual one, for 15 % more bytes of a clean page


@dataclass(frozen=True, eq=False)
class Format:
    """A file format: a row of FORMATS.

    name: as sentences name it. suffixes: in lower case, the usual one first. media_type: for HTTP.
    pillow_name: what Pillow calls it; empty for PDF, which pdfium reads and writes.
    written: whether pages are written in it; scans in other formats become the first of FORMATS.
    pages: how a file holds them: one, or several as a TIFF or a PDF does. alpha: whether transparency is
    kept. bits: per value, all depths that are kept. most_px: on a side; None for any. exif_apart: whether
    EXIF data are a block of their own, to be copied as it is.
    settings: what Pillow saves with. bilevel_settings: instead, for pages of black and white alone.
    """

    name: str
    suffixes: tuple[str, ...]
    media_type: str
    pillow_name: str
    written: bool = True
    pages: Literal["one", "tiff", "pdf"] = "one"
    alpha: bool = False
    bits: tuple[int, ...] = (8,)
    most_px: int | None = None
    exif_apart: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    bilevel_settings: Mapping[str, Any] | None = None


FORMATS: tuple[Format, ...] = (
    Format(
        "PNG", (".png",), "image/png", "PNG",
        alpha=True, bits=(1, 8, 16), settings={"compress_level": _PNG_LEVEL},
    ),
    Format(
        "JPEG", (".jpg", ".jpeg", ".jfif"), "image/jpeg", "JPEG",
        most_px=65_500, settings={"quality": _QUALITY},
    ),
    Format(
        "WebP", (".webp",), "image/webp", "WEBP",
        alpha=True, most_px=16_383,
        settings={"quality": _QUALITY}, bilevel_settings={"lossless": True},
    ),
    Format(
        "TIFF", (".tif", ".tiff"), "image/tiff", "TIFF",
        pages="tiff", alpha=True, bits=(1, 8, 16), exif_apart=False,
        settings={"compression": "tiff_adobe_deflate"}, bilevel_settings={"compression": "group4"},
    ),
    Format("PDF", (".pdf",), "application/pdf", "", pages="pdf", settings={"quality": _QUALITY}),
    Format("BMP", (".bmp",), "image/bmp", "BMP", written=False),
    Format("GIF", (".gif",), "image/gif", "GIF", written=False),
    Format("PNM", (".pgm", ".ppm", ".pnm", ".pbm"), "image/x-portable-anymap", "PPM", written=False),
    Format("JPEG 2000", (".jp2",), "image/jp2", "JPEG2000", written=False),
    Format("HEIC", (".heic", ".heif"), "image/heic", "HEIF", written=False),
    Format("AVIF", (".avif",), "image/avif", "AVIF", written=False),
)  # fmt: skip


def written_formats() -> list[Format]:
    """The formats that pages are written in."""
    return [each for each in FORMATS if each.written]


def format_of(path: Path) -> Format | None:
    """The format that a file's name says it has; None for an unknown ending."""
    return next((each for each in FORMATS if path.suffix.lower() in each.suffixes), None)


def format_called(pillow_name: str | None) -> Format | None:
    """The format of this name in Pillow; None for one that is not in the table."""
    name = "JPEG" if pillow_name == "MPO" else pillow_name  # several JPEGs in a file, as some phones write
    return next((each for each in FORMATS if name and each.pillow_name == name), None)


def suffixes(*, written: bool = False) -> list[str]:
    """The suffixes of all formats, or of those that are written."""
    return [suffix for each in FORMATS if each.written or not written for suffix in each.suffixes]


def written_name(path: Path) -> Path:
    """The name under which a scan is written: its own, or as PNG where its own format is not written."""
    own = format_of(path)
    return path if own and own.written else path.with_suffix(FORMATS[0].suffixes[0])


def spoken_list(words: Iterable[str], last: str = "or") -> str:
    """Words as a sentence lists them: `PNG, TIFF or PDF`. last: the word before the last one."""
    *others, end = words
    return f"{', '.join(others)} {last} {end}" if others else end


def spoken_names(last: str = "or", *, written: bool = False) -> str:
    """The names of all formats, or of those that are written, as a sentence lists them."""
    return spoken_list((each.name for each in FORMATS if each.written or not written), last)
