"""Clean scanned pages of any form with the shipped cleaner, or with a saved restorer of your own."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from legible.cards import Card, check_network, find_card
from legible.choices import CLEANER, ModeAsTyped, parse_mode
from legible.cleaning.cleaner import Cleaner
from legible.cleaning.job import FileReport, Job
from legible.documents.given import Given, open_given, split_batch
from legible.documents.page import MOST_PIXELS
from legible.errors import ArgumentError, ModelError
from legible.inference.restorer import Restorer
from legible.kinds import RESTORE
from legible.output import check_free


def clean(
    picture: Given | list[Any] | tuple[Any, ...],
    *,
    mode: ModeAsTyped = "grey",
    model: str = CLEANER,
    output: str | Path | None = None,
    overwrite: bool = False,
) -> Any:
    """Remove stains, creases, shadows and bleed-through from a scanned page; what is written stays.

    picture: a path; the bytes of a file; a picture that Pillow opened; an array (H, W), (H, W, 3) or
    (H, W, 4) of bytes, 16-bit numbers or floats in [0, 1], the highest white; or a list of these, or an array
    (N, C, H, W). Returns a CleanPage; a list of them for a list, and for a file of several pages.
    mode: grey (or gray); colour (or color), where colour ink such as stamps stays as it is; black-and-white.
    model: a saved restorer. output: a file to write, for a path as picture: all pages are cleaned, inside a
    PDF only the scans, and a FileReport with a line for each page is returned. overwrite: replace the output
    where it exists. `legible clean` does this for folders.
    Raises InputError, ArgumentError, ModelError, OutputError.

        >>> import legible, numpy
        >>> page = legible.clean(numpy.full((300, 200), 230, numpy.uint8))
        >>> page.image.shape, int(page.image.min()) > 250
        ((300, 200), True)
    """
    if output is not None:
        return _clean_to_file(picture, Path(output), mode, model, overwrite)
    batch = split_batch(picture)
    pages = [page for one in ([picture] if batch is None else batch) for page in open_given(one)]
    cleaner = _loaded_cleaner(model)
    cleaned = [replace(cleaner.clean(page.pixels, mode=mode), page=page) for page in pages]
    return cleaned[0] if batch is None and len(cleaned) == 1 else cleaned


def _clean_to_file(picture: Any, output: Path, mode: ModeAsTyped, model: str, overwrite: bool) -> FileReport:
    from legible.cleaning.files import clean_document

    if not isinstance(picture, str | Path):
        raise ArgumentError(
            "output is for a picture given as a path. For anything else use .save(...) of what clean returns."
        )
    try:
        mode = parse_mode(mode)
    except ValueError as error:
        raise ArgumentError(str(error)) from None
    check_free(output, overwrite=overwrite)
    job = Job(Path(picture), output, mode, None, MOST_PIXELS, overwrite=overwrite)
    return FileReport(job, tuple(clean_document(_loaded_cleaner(model), job)))


def find_cleaner(model: str) -> Card:
    """The card of a saved restorer of pages. Raises ModelError for another model, or a damaged one."""
    card = find_card(model, RESTORE)
    if not card.multiple or card.image_shape[0] != 1:
        raise ModelError(
            f"model {model!r} cannot clean pages: a restorer of grey images of any size is needed."
        )
    check_network(card)
    return card


def load_cleaner(model: str = CLEANER, *, n_cores: int | None = None, ahead: bool = True) -> Cleaner:
    """Load a saved restorer to clean pages with, on all cores or on n_cores. ahead: it will be used at once.

    Raises ModelError for a model that is not for grey images of any size.
    """
    card = find_cleaner(model)
    return Cleaner(Restorer.load(card, n_cores=n_cores, ahead=ahead))


@lru_cache(maxsize=2)
def _loaded_cleaner(model: str) -> Cleaner:
    return load_cleaner(model)
