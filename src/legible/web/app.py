"""The server's app: routes, errors in one shape, the page, and a guard around all of it."""

from __future__ import annotations

import time
from collections.abc import Collection
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from legible.errors import LegibleError
from legible.web import cleaning, drawing, reading, workbench
from legible.web.counts import Counts
from legible.web.documents import DESCRIPTION, TITLE, failures
from legible.web.guard import Guard, fault_of
from legible.web.problems import Refused, answer, describe_validation, status_of
from legible.web.shelf import Shelf

STATIC = Path(__file__).parent / "static"
router = APIRouter()


class Health(BaseModel):
    """That the server works, and how much there is to do."""

    status: str = Field(examples=["ok"])
    version: str = Field(examples=["0.1.0"])
    seconds: float = Field(description="Since it was started.", examples=[12.5])
    waiting: dict[str, int] = Field(
        description="What is worked on or waits, by desk.", examples=[{"quick": 0}]
    )
    most_bytes: int = Field(description="Of an upload.", examples=[64000000])
    most_pixels: int = Field(description="Of a page.", examples=[50000000])


@router.get("/api/health", tags=["server"], summary="Does it work?", responses=failures(500))
async def health(request: Request) -> Health:
    """Answers when the models are loaded and requests are taken."""
    shelf: Shelf = request.app.state.shelf
    return Health(
        status="ok", version=version("legible"),
        seconds=round(time.monotonic() - request.app.state.started, 1),
        waiting={desk.name: desk.n_taken for desk in (shelf.quick, shelf.slow)},
        most_bytes=shelf.limits.bytes, most_pixels=shelf.limits.pixels,
    )  # fmt: skip


@router.get("/", include_in_schema=False)
async def page() -> Response:
    """The page."""
    return FileResponse(STATIC / "index.html")


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """What is counted, for Prometheus."""
    return Response(request.app.state.counts.write(), media_type="text/plain; version=0.0.4; charset=utf-8")


def create_app(shelf: Shelf, hosts: Collection[str] = ()) -> Guard:
    """The page and the API over loaded models, as an ASGI app.

    hosts: names by which the server may be called; empty for any.
    """
    app = FastAPI(
        title=TITLE, description=DESCRIPTION, version=version("legible"),
        openapi_url="/api/openapi.json", docs_url=None, redoc_url=None,
    )  # fmt: skip
    counts = Counts()
    counts.watch(shelf.quick)
    counts.watch(shelf.slow)
    app.state.shelf, app.state.counts, app.state.started = shelf, counts, time.monotonic()
    for routes in (router, reading.router, cleaning.router, drawing.router, workbench.router):
        app.include_router(routes)
    if workbench.PAGES.is_dir():
        app.mount("/results", StaticFiles(directory=workbench.PAGES))
    app.mount("/static", StaticFiles(directory=STATIC))
    _name_errors(app)
    return Guard(app, shelf.limits, counts, hosts)


def _name_errors(app: FastAPI) -> None:
    """Every error in one shape."""

    @app.exception_handler(LegibleError)
    async def told(request: Request, error: LegibleError) -> Response:
        return answer(status_of(error), str(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return answer(HTTPStatus.UNPROCESSABLE_ENTITY, describe_validation(list(error.errors())))

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        return answer(error.status_code, _sentence(error, request.url.path), dict(error.headers or {}))

    @app.exception_handler(MemoryError)
    async def short_of_memory(request: Request, error: MemoryError) -> Response:
        return answer(
            HTTPStatus.SERVICE_UNAVAILABLE, "not enough memory for it. Give it smaller, or try again."
        )

    @app.exception_handler(Exception)
    async def at_fault(request: Request, error: Exception) -> Response:
        name = fault_of(request.scope)
        told = f"a fault of ours, called {name}. The server's log tells more; please report it."
        return answer(HTTPStatus.INTERNAL_SERVER_ERROR, told, id=name)

    @app.exception_handler(OSError)
    async def without_room(request: Request, error: OSError) -> Response:
        told = f"there is no place to work on it: {error.strerror or error}. Try again later."
        return answer(HTTPStatus.SERVICE_UNAVAILABLE, told)

    @app.exception_handler(Refused)
    async def not_done(request: Request, error: Refused) -> Response:
        return answer(error.status, str(error), error.headers)


def _sentence(error: HTTPException, path: str) -> str:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return f"there is no {path[:80]!r} here. The API is told at /api/openapi.json."
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return "this address takes another method. The API is told at /api/openapi.json."
    return f"{str(error.detail).rstrip('.')}."
