"""Pictures of pages to look at: before and after side by side, and small ones for a report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from legible.documents.document import write_document
from legible.documents.page import Page
from legible.documents.pictures import upper_byte
from legible.images import shrink_to
from legible.output import new_file

_COMPARED_PX = 1600  # most pixels on a side of one half of a comparison
_THUMB_PX = 360  # the same of a picture in a report
_GAP_PX = 12


@dataclass(frozen=True)
class Views:
    """Where pictures of a file's pages go: paths without number and ending; None for no pictures.

    compared: of comparisons. thumbs: of the small pictures of a report.
    """

    compared: Path | None
    thumbs: Path | None

    @property
    def are_wanted(self) -> bool:
        """Whether there is a place for any."""
        return self.compared is not None or self.thumbs is not None

    def shrink(self, pixels: np.ndarray) -> np.ndarray | None:
        """A small copy of a page, (H, W, 3) bytes, to keep until it is clean; None if none is needed."""
        if not self.are_wanted:
            return None
        pixels = upper_byte(pixels)
        small = shrink_to(pixels, _THUMB_PX if self.compared is None else _COMPARED_PX)
        small = pixels.copy() if small is pixels else small
        return small if small.ndim == 3 else cv2.cvtColor(small, cv2.COLOR_GRAY2RGB)

    def write(self, number: int, n_pages: int, before: np.ndarray | None, after: np.ndarray | None) -> None:
        """Write the pictures of a page, from copies by `shrink`. after: None for a page left as it was.

        Raises OutputError.
        """
        if before is None:
            return
        if self.compared is not None and after is not None:
            gap = np.full((len(before), _GAP_PX, 3), 128, np.uint8)
            both = Page(np.hstack([before, gap, after]))
            write_document(view_path(self.compared, number, n_pages, ".png"), [both], overwrite=True)
        for pixels, ending in ((before, "-before.jpg"), (after, "-after.jpg")):
            if self.thumbs is not None and pixels is not None:
                with new_file(view_path(self.thumbs, number, n_pages, ending), overwrite=True) as temporary:
                    small = Image.fromarray(shrink_to(pixels, _THUMB_PX))
                    small.save(temporary, "JPEG", quality=80)


def view_path(stem: Path, number: int, n_pages: int, ending: str) -> Path:
    """The path of a picture of a page: `book-003.png`, or `letter.png` of a file with one page."""
    return stem.with_name(stem.name + (f"-{number:03d}" if n_pages > 1 else "") + ending)
