"""`/api/clean`: a dirty scan in, a clean one out; `/api/preview`: a page as a picture that browsers show."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from PIL import Image
from pydantic import BaseModel, Field

from legible.apply.batch import Job, clean_document
from legible.apply.pages import FORMS, in_form, open_document
from legible.choices import Mode
from legible.errors import ArgumentError
from legible.images import shrink_to
from legible.pictures import upper_byte
from legible.web.desk import ClientGone
from legible.web.documents import failures, file_of
from legible.web.problems import Refused
from legible.web.shelf import Shelf
from legible.web.uploads import WholeRoute, name_of, own_folder, put_down

MEDIA_TYPES = {
    "PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "TIFF": "image/tiff",
    "PDF": "application/pdf",
}  # fmt: skip
PREVIEW_PX = 2400  # most on a side
_MOST_WATCHED = 1000
_ID = r"^[A-Za-z0-9-]{0,64}$"
_PIECE = 256 * 1024
router = APIRouter(route_class=WholeRoute)


class Progress(BaseModel):
    """How far a cleaning is."""

    done: int = Field(description="Pages that are done.", examples=[2])
    pages: int = Field(description="Of how many; 0 while it waits.", examples=[5])


@router.post(
    "/api/clean", tags=["clean"], summary="Clean a scan", response_class=Response,
    responses=failures() | file_of(*MEDIA_TYPES.values(), description="The clean pages, in the file's form."),
)  # fmt: skip
async def clean(
    request: Request,
    file: Annotated[UploadFile, File(description="A scan: PNG, JPEG, WebP, TIFF or PDF.")],
    mode: Annotated[Mode, Form(description="colour keeps stamps and signatures in colour ink.")] = "grey",
    dpi: Annotated[float | None, Form(ge=30, le=1200, description="To draw a PDF's pages at.")] = None,
    progress: Annotated[
        str, Form(pattern=_ID, description="A name of your own, to ask /api/progress/NAME by.")
    ] = "",
) -> Response:
    """Take stains, creases, shadows and bleed-through off a scan of any size; it comes back in its own form.

    Headers: Legible-Pages, how many; Legible-Vanished, in how many places text may be gone.
    """
    shelf: Shelf = request.app.state.shelf
    watched = shelf.progress
    if progress and len(watched) < _MOST_WATCHED:
        watched[progress] = (0, 0)

    def work(gone: Event) -> Response:
        def on_page(done: int, total: int) -> None:
            if gone.is_set():
                raise ClientGone
            if progress in watched:
                watched[progress] = (done, total)

        with own_folder() as folder, put_down(file, folder) as path:
            result = folder / f"clean{in_form(path).suffix}"
            form = FORMS[result.suffix]
            job = Job(path, result, form, mode, dpi, shelf.limits.pixels)
            lines = clean_document(shelf.cleaner, job, on_page)
            # open, it can be sent when its name and folder are gone
            return _send(result, form, {
                "Legible-Pages": str(len(lines)),
                "Legible-Vanished": str(sum(len(line["vanished"]) for line in lines)),
            })  # fmt: skip

    try:
        return await shelf.slow.run(request, work)
    finally:
        watched.pop(progress, None)


@router.get(
    "/api/progress/{name}", tags=["clean"], summary="How far a cleaning is",
    responses=failures(404, 422, 500),
)  # fmt: skip
async def show_progress(request: Request, name: str) -> Progress:
    """How many pages are done of the cleaning that was given this name; 404 when it is over."""
    shelf: Shelf = request.app.state.shelf
    if name not in shelf.progress:
        raise Refused(404, f"no cleaning called {name!r} is under way.")
    done, pages = shelf.progress[name]
    return Progress(done=done, pages=pages)


@router.post(
    "/api/preview", tags=["clean"], summary="A page as a picture", response_class=Response,
    responses=failures() | file_of("image/png", description="The page, reduced if it is large."),
)  # fmt: skip
async def preview(
    request: Request,
    file: Annotated[UploadFile, File(description="A scan: PNG, JPEG, WebP, TIFF or PDF.")],
    page: Annotated[int, Form(ge=1, le=100_000, description="Which page, from 1.")] = 1,
) -> Response:
    """One page as PNG, for browsers show neither TIFF nor PDF as pictures.

    Headers: Legible-Pages, how many there are; Legible-Width and Legible-Height, this one's pixels.
    """
    shelf: Shelf = request.app.state.shelf

    def work(_: Event) -> Response:
        with (
            own_folder() as folder,
            put_down(file, folder) as path,
            open_document(path, most_pixels=shelf.limits.pixels) as document,
        ):
            n_pages = document.n_pages
            if page > n_pages:
                raise ArgumentError(f"page: {name_of(file)} has {n_pages}, not {page}.")
            pixels = next(one.pixels for number, one in enumerate(document, 1) if number == page)
        pixels = upper_byte(pixels)
        height, width = pixels.shape[:2]
        pixels = shrink_to(pixels, PREVIEW_PX)
        written = io.BytesIO()
        Image.fromarray(pixels).save(written, "PNG", compress_level=2)
        facts = {"Legible-Pages": n_pages, "Legible-Width": width, "Legible-Height": height}
        headers = {name: str(value) for name, value in facts.items()}
        return Response(written.getvalue(), media_type="image/png", headers=headers)

    return await shelf.slow.run(request, work)


def _send(path: Path, form: str, headers: dict[str, str]) -> Response:
    """A file as a response, read as it is sent."""
    file = path.open("rb")
    length = path.stat().st_size

    def pieces() -> Iterator[bytes]:
        with file:
            while piece := file.read(_PIECE):
                yield piece

    return StreamingResponse(
        pieces(), media_type=MEDIA_TYPES[form], headers={"Content-Length": str(length), **headers}
    )
