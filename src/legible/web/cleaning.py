"""`/api/clean`: clean a scan; `/api/progress`: how far it is; `/api/preview`: a page as a PNG."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from PIL import Image
from pydantic import BaseModel, BeforeValidator, Field

from legible.choices import Mode, parse_mode
from legible.cleaning.files import clean_document
from legible.cleaning.job import Job
from legible.documents.document import open_document
from legible.documents.formats import format_of, spoken_names, written_formats, written_name
from legible.documents.pictures import upper_byte
from legible.errors import ArgumentError
from legible.images import shrink_to
from legible.web.openapi import error_responses, file_response
from legible.web.problems import Refused
from legible.web.state import state_of
from legible.web.uploads import BufferedRoute, display_name, request_folder, save_upload
from legible.web.work_queue import ClientGone

MAX_PREVIEW_PX = 2400  # on the longer side
_MAX_TRACKED = 1000  # cleanings whose progress is kept
_PROGRESS_NAME = r"^[A-Za-z0-9-]{0,64}$"
_CHUNK_BYTES = 256 * 1024
_SCAN = f"A scan: {spoken_names()}."
_MEDIA_TYPES = dict.fromkeys(each.media_type for each in written_formats())
router = APIRouter(route_class=BufferedRoute)


class Progress(BaseModel):
    """How far a cleaning has got."""

    done: int = Field(description="Pages done.", examples=[2])
    pages: int = Field(description="Pages in all; 0 until it begins.", examples=[5])


@router.post(
    "/api/clean", tags=["clean"], summary="Clean a scan", response_class=Response,
    responses=error_responses()
    | file_response(*_MEDIA_TYPES, description="The cleaned pages, in the format of the upload."),
)  # fmt: skip
async def clean(
    request: Request,
    file: Annotated[UploadFile, File(description=_SCAN)],
    mode: Annotated[
        Mode,
        BeforeValidator(parse_mode),
        Form(description="colour keeps coloured ink, as of stamps; color and gray are accepted."),
    ] = "grey",
    dpi: Annotated[
        float | None,
        Form(ge=30, le=1200, description="The resolution at which to render the pages of a PDF."),
    ] = None,
    redraw: Annotated[
        bool, Form(description="Draw a PDF's pages anew as pictures; its text, links and forms are lost.")
    ] = False,
    allow_signed: Annotated[
        bool, Form(description="Clean a signed PDF too, whose signature becomes invalid.")
    ] = False,
    progress: Annotated[
        str, Form(pattern=_PROGRESS_NAME, description="A name of your choice, for /api/progress/NAME.")
    ] = "",
) -> Response:
    """Remove stains, creases, shadows and bleed-through from a scan; the answer has the format of the upload.

    A format that is only read is answered as PNG; inside a PDF only the scans are changed. Response headers:
    Legible-Pages, the number of pages; Legible-Left, of them, those left as they were;
    Legible-Vanished, the number of places where text may have been lost; Content-Disposition, a name for the
    file.
    """
    state = state_of(request)
    tracked = state.progress
    if progress and len(tracked) < _MAX_TRACKED:
        tracked[progress] = (0, 0)

    def work(gone: Event) -> Response:
        def on_page(done: int, total: int) -> None:
            if gone.is_set():
                raise ClientGone
            if progress in tracked:
                tracked[progress] = (done, total)

        with request_folder() as folder, save_upload(file, folder) as path:
            result = folder / written_name(Path("clean").with_suffix(path.suffix))
            job = Job(path, result, mode, dpi, state.limits.max_page_pixels, redraw=redraw,
                      allow_signed=allow_signed)  # fmt: skip
            lines = clean_document(state.cleaner, job, on_page)
            # opened here, so that it can be sent after its folder is deleted
            return _send(result, {
                "Legible-Pages": str(len(lines)),
                "Legible-Left": str(sum(line["action"] == "left" for line in lines)),
                "Legible-Vanished": str(sum(len(line["vanished"]) for line in lines)),
            })  # fmt: skip

    try:
        return await state.slow.run(request, work)
    finally:
        tracked.pop(progress, None)


@router.get(
    "/api/progress/{name}", tags=["clean"], summary="Progress of a cleaning",
    responses=error_responses(404, 422, 500),
)  # fmt: skip
async def show_progress(request: Request, name: str) -> Progress:
    """How many pages are done of the cleaning with this name; 404 once it is finished."""
    state = state_of(request)
    if name not in state.progress:
        raise Refused(404, f"no cleaning named {name!r} is running.")
    done, pages = state.progress[name]
    return Progress(done=done, pages=pages)


@router.post(
    "/api/preview", tags=["clean"], summary="A page as a PNG", response_class=Response,
    responses=error_responses() | file_response("image/png", description="The page, scaled down if large."),
)  # fmt: skip
async def preview(
    request: Request,
    file: Annotated[UploadFile, File(description=_SCAN)],
    page: Annotated[int, Form(ge=1, le=100_000, description="Which page, from 1.")] = 1,
) -> Response:
    """One page as a PNG, since browsers cannot show TIFF or PDF files as images.

    Response headers: Legible-Pages, the number of pages; Legible-Width and Legible-Height, the size of this
    page in pixels before it was scaled down.
    """
    state = state_of(request)

    def work(_: Event) -> Response:
        with (
            request_folder() as folder,
            save_upload(file, folder) as path,
            open_document(path, most_pixels=state.limits.max_page_pixels) as document,
        ):
            n_pages = document.n_pages
            if page > n_pages:
                raise ArgumentError(f"page: {display_name(file)} has {n_pages}, so there is no page {page}.")
            pixels = next(one.pixels for number, one in enumerate(document, 1) if number == page)
        pixels = upper_byte(pixels)
        height, width = pixels.shape[:2]
        pixels = shrink_to(pixels, MAX_PREVIEW_PX)
        written = io.BytesIO()
        Image.fromarray(pixels).save(written, "PNG", compress_level=2)
        counts = {"Legible-Pages": n_pages, "Legible-Width": width, "Legible-Height": height}
        headers = {name: str(value) for name, value in counts.items()}
        return Response(written.getvalue(), media_type="image/png", headers=headers)

    return await state.slow.run(request, work)


def _send(path: Path, headers: dict[str, str]) -> Response:
    """A file as a response, read while it is sent."""
    file = path.open("rb")
    form = format_of(path)
    described = {
        "Content-Length": str(path.stat().st_size),
        "Content-Disposition": f'attachment; filename="{path.name}"',
    }

    def chunks() -> Iterator[bytes]:
        with file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk

    return StreamingResponse(
        chunks(), media_type=form.media_type if form else None, headers=described | headers
    )
