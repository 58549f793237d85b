"""Clean the scans inside a PDF, in their place: text, outline, forms and all else stay as they are."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pikepdf

from legible.choices import Mode
from legible.cleaning.bilevel import keep_shapes
from legible.cleaning.cleaner import Cleaner
from legible.cleaning.job import LEFT, Job, OnPage, say_cleaned
from legible.documents.page import MOST_PIXELS
from legible.documents.pdf import Pdf
from legible.documents.pdf_file import PdfFile
from legible.documents.pdf_pixels import CannotDecode, Stored, read_pixels
from legible.documents.pdf_scans import Scan, find_scans, looks_like_paper, turn
from legible.documents.pdf_store import write_pixels
from legible.documents.pictures import upper_byte
from legible.errors import InputError
from legible.output import new_file

NO_SCAN = "no scan on it"
NOT_PAPER = "it looks like a photograph, not like paper"
CLEANED_BEFORE = "the same picture as on an earlier page"
_UNREADABLE = (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
_UNEVEN = 1.2  # how many times finer one direction may be before the other is enlarged for cleaning
_VIEW_DPI = 110.0  # of pictures of pages for reports and comparisons

Facts = dict[str, Any]  # what a page's line says of the cleaning of its scan


@dataclass
class _PageWork:
    """What is to become of the pictures of a page: nothing is put back before all of them are decoded."""

    cleaned: list[tuple[Scan, Facts]] = field(default_factory=list)
    put_back: list[tuple[Any, Stored, np.ndarray, bool]] = field(default_factory=list)
    pictures: list[dict[str, Any]] = field(default_factory=list)

    def note(self, scan: Scan, action: str, reason: str = "") -> None:
        """Add a line on a picture."""
        width, height = scan.size_px
        self.pictures.append(
            {
                "width": width,
                "height": height,
                "share": round(scan.share, 3),
                "action": action,
                "reason": reason,
            }
        )


def clean_pdf(cleaner: Cleaner, job: Job, on_page: OnPage) -> list[dict[str, Any]]:
    """Clean a PDF's scans and write it to the job's target; return a line for each page, as clean_document.

    A page with a picture that cannot be decoded stays as it was, and its line says so. A file in which
    nothing is to be cleaned is copied byte for byte. Raises LegibleError.
    """
    with (
        PdfFile(job.source, allow_signed=job.allow_signed) as file,
        new_file(job.target, overwrite=job.overwrite) as temporary,
    ):
        lines, seen = [], dict[Any, Facts]()
        on_page(0, len(file.pages))
        for number, page in enumerate(file.pages, start=1):
            lines.append(_clean_page(cleaner, job, file, page, number, seen))
            on_page(number, len(file.pages))
        if any(line["action"] == "cleaned" for line in lines) or file.repaired:
            file.save(temporary)
        else:
            shutil.copyfile(job.source, temporary)
        if job.views.are_wanted:
            _write_views(job, temporary, lines)
    if file.repaired:
        lines[0]["warnings"].insert(0, "the file's structure was damaged and has been repaired")
    return lines


def foresee_pdf(job: Job) -> list[tuple[str, str]]:
    """For each page, the size of its largest scan, and why nothing would be cleaned on it; empty if it would.

    Raises LegibleError like clean_pdf.
    """
    with PdfFile(job.source, allow_signed=job.allow_signed) as file:
        return [_foresee_page(job, page) for page in file.pages]


def _foresee_page(job: Job, page: pikepdf.Page) -> tuple[str, str]:
    try:
        scans = sorted(find_scans(page), key=lambda scan: -scan.share)
        for scan in (each for each in scans if not each.reason):
            stored = [read_pixels(picture.image, most_pixels=job.most_pixels) for picture, _, _ in scan.parts]
            if looks_like_paper(upper_byte(_assemble(scan, stored))):
                return f"{scan.size_px[0]} x {scan.size_px[1]} pixels", ""
        return "", (scans[0].reason or NOT_PAPER) if scans else NO_SCAN
    except CannotDecode as error:
        return "", f"a picture on it cannot be decoded: {error}"
    except _UNREADABLE:
        return "", "its content cannot be read"


def _clean_page(
    cleaner: Cleaner, job: Job, file: PdfFile, page: pikepdf.Page, number: int, seen: dict[Any, Facts]
) -> dict[str, Any]:
    started = time.perf_counter()
    line: dict[str, Any] = {
        "file": str(job.source), "page": number, "pages": len(file.pages), "output": str(job.target),
        "width": 0, "height": 0, "mode": job.mode, "dpi": None, **LEFT, "warnings": [], "pictures": [],
    }  # fmt: skip
    if job.is_chosen(number):
        try:
            line |= _clean_scans(cleaner, job, file.pdf, find_scans(page), seen)
        except CannotDecode as error:
            text = f"a picture on it cannot be decoded: {error}. The page was left as it was"
            line |= {"reason": "a picture cannot be decoded", "warnings": [text], "damaged": True}
        except _UNREADABLE:
            text = "its content cannot be read; it was left as it was"
            line |= {"reason": "its content cannot be read", "warnings": [text], "damaged": True}
    return line | {"seconds": round(time.perf_counter() - started, 3)}


def _clean_scans(
    cleaner: Cleaner, job: Job, pdf: pikepdf.Pdf, scans: list[Scan], seen: dict[Any, Facts]
) -> dict[str, Any]:
    """Clean the scans of a page and put them back; return what its line says. Raises CannotDecode."""
    work = _PageWork()
    for scan in scans:
        keys = [picture.image.objgen for picture, _, _ in scan.parts]
        again = next((seen[key] for key in keys if key in seen), None)
        if scan.reason:
            work.note(scan, "left", scan.reason)
        elif again is not None:
            work.cleaned.append((scan, again))
            work.note(scan, "cleaned", CLEANED_BEFORE)
        else:
            facts = _clean_scan(cleaner, job, scan, work)
            seen |= {} if facts is None else dict.fromkeys(keys, facts)
    for image, stored, pixels, bilevel in work.put_back:
        write_pixels(pdf, image, stored, pixels, bilevel=bilevel)
    if not work.cleaned:
        largest = max(work.pictures, key=lambda picture: picture["share"], default={"reason": NO_SCAN})
        return {"reason": largest["reason"], "pictures": work.pictures}
    scan, facts = max(work.cleaned, key=lambda each: each[0].share)
    (width, height), (across, down) = scan.size_px, scan.dpi
    dpi = [round(across, 2), round(down, 2)]
    return facts | {"width": width, "height": height, "dpi": dpi, "pictures": work.pictures}


def _clean_scan(cleaner: Cleaner, job: Job, scan: Scan, work: _PageWork) -> Facts | None:
    """Clean a scan, and note what to put back; None if it is no picture of paper. Raises CannotDecode."""
    if scan.size_px[0] * scan.size_px[1] > job.most_pixels:
        width, height = scan.size_px
        raise CannotDecode(f"it has {width:,} x {height:,} pixels, more than --max-megapixels allows")
    stored = [read_pixels(picture.image, most_pixels=job.most_pixels) for picture, _, _ in scan.parts]
    whole = _assemble(scan, stored)
    if not looks_like_paper(upper_byte(whole)):
        work.note(scan, "left", NOT_PAPER)
        return None
    mode: Mode = "black-and-white" if all(each.bilevel for each in stored) else job.mode
    upright = np.ascontiguousarray(turn(_stretch(whole, scan.dpi), scan.upright))
    page = cleaner.clean(upright, mode=mode)
    bilevel = mode == "black-and-white"
    clean = _to_size(turn(page.image, scan.upright, back=True), scan.size_px, bilevel=bilevel)
    if all(each.bilevel for each in stored):
        clean = keep_shapes(whole, clean)
    for (picture, left, top), each in zip(scan.parts, stored, strict=True):
        height, width = each.pixels.shape[:2]
        part = np.ascontiguousarray(clean[top : top + height, left : left + width])
        part = part if each.pixels.dtype == part.dtype else upper_byte(part)
        if not np.array_equal(part, each.pixels):
            work.put_back.append((picture.image, each, part, bilevel))
    facts: Facts = {"mode": mode, **say_cleaned(page)}
    work.cleaned.append((scan, facts))
    work.note(scan, "cleaned")
    return facts


def _assemble(scan: Scan, stored: list[Stored]) -> np.ndarray:
    """The pixels of a whole picture, from its parts; gaps are white."""
    if len(stored) == 1:
        return stored[0].pixels
    in_colour = any(each.pixels.ndim == 3 for each in stored)
    width, height = scan.size_px
    whole = np.full((height, width, 3) if in_colour else (height, width), 255, np.uint8)
    for (_, left, top), each in zip(scan.parts, stored, strict=True):
        pixels = upper_byte(each.pixels)
        pixels = pixels[..., None] if in_colour and pixels.ndim == 2 else pixels
        whole[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return whole


def _stretch(pixels: np.ndarray, dpi: tuple[float, float]) -> np.ndarray:
    """The pixels as squares: enlarged in the coarser direction, where the resolutions differ much."""
    height, width = pixels.shape[:2]
    finer = max(dpi)
    size = round(width * finer / dpi[0]), round(height * finer / dpi[1])
    if finer < _UNEVEN * min(dpi) or finer > 10 * min(dpi):
        return pixels
    enlarged: np.ndarray = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)
    return enlarged


def _to_size(pixels: np.ndarray, size: tuple[int, int], *, bilevel: bool) -> np.ndarray:
    """Pixels reduced to a size, width and height; of black and white alone if bilevel."""
    if pixels.shape[:2] == size[::-1]:
        return pixels
    pixels = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)
    return np.where(pixels < 128, np.uint8(0), np.uint8(255)) if bilevel else pixels


def _write_views(job: Job, written: Path, lines: list[dict[str, Any]]) -> None:
    """Write pictures of the pages, before and after, as they are seen."""
    before, after = Pdf(job.source, job.source), Pdf(job.target, written)
    try:
        for line in lines:
            views = [
                job.views.shrink(
                    opened.read_page(
                        line["page"] - 1, dpi=_VIEW_DPI, most_pixels=MOST_PIXELS, colour=True
                    ).pixels
                )
                for opened in ((before, after) if line["action"] == "cleaned" else (before,))
            ]
            job.views.write(line["page"], line["pages"], views[0], views[1] if len(views) > 1 else None)
    except InputError as error:
        lines[0]["warnings"].append(f"no pictures of its pages: {error}")
    finally:
        before.close()
        after.close()
