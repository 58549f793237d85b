"""The ASGI app: the routes, the web page, errors in one JSON shape, and the guard around them."""

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
from legible.web import cleaning, generating, reading, workbench
from legible.web.guard import Guard, error_id
from legible.web.metrics import Metrics
from legible.web.openapi import DESCRIPTION, TITLE, error_responses
from legible.web.problems import Refused, describe_validation, error_response, status_of
from legible.web.state import ServerState, state_of

STATIC = Path(__file__).parent / "static"
router = APIRouter()


class Health(BaseModel):
    """That the server works, how busy it is, and its limits."""

    status: str = Field(examples=["ok"])
    version: str = Field(examples=["0.1.0"])
    uptime_seconds: float = Field(description="Seconds since the server started.", examples=[12.5])
    queue_lengths: dict[str, int] = Field(
        description="Requests running or waiting in each queue.", examples=[{"quick": 0, "slow": 0}]
    )
    max_upload_bytes: int = Field(description="Larger uploads are refused.", examples=[64000000])
    max_page_pixels: int = Field(description="Larger pages are refused.", examples=[50000000])


@router.get("/api/health", tags=["server"], summary="Server health", responses=error_responses(500))
async def health(request: Request) -> Health:
    """Whether the models are loaded and requests are accepted, how many wait, and the limits."""
    state = state_of(request)
    return Health(
        status="ok", version=version("legible"),
        uptime_seconds=round(time.monotonic() - request.app.state.started, 1),
        queue_lengths={queue.name: queue.length for queue in (state.quick, state.slow)},
        max_upload_bytes=state.limits.max_upload_bytes, max_page_pixels=state.limits.max_page_pixels,
    )  # fmt: skip


@router.get("/", include_in_schema=False)
async def page() -> Response:
    """The web page."""
    return FileResponse(STATIC / "index.html")


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Metrics in Prometheus's text format."""
    return Response(request.app.state.metrics.write(), media_type="text/plain; version=0.0.4; charset=utf-8")


def create_app(state: ServerState, hosts: Collection[str] = (), results: Path | None = None) -> Guard:
    """The page and the API over loaded models, as an ASGI app.

    hosts: the Host headers that are accepted, without ports; empty accepts any. results: the folder of the
    results.json to show; if None, docs/results below the working folder, if there. Raises InputError.
    """
    app = FastAPI(
        title=TITLE, description=DESCRIPTION, version=version("legible"),
        openapi_url="/api/openapi.json", docs_url=None, redoc_url=None,
    )  # fmt: skip
    metrics = Metrics()
    metrics.watch(state.quick)
    metrics.watch(state.slow)
    app.state.server, app.state.metrics, app.state.started = state, metrics, time.monotonic()
    for routes in (router, reading.router, cleaning.router, generating.router, workbench.router):
        app.include_router(routes)
    workbench.load_studies(app, results)
    app.mount("/static", StaticFiles(directory=STATIC))
    _handle_errors(app)
    return Guard(app, state.limits, metrics, hosts)


def _handle_errors(app: FastAPI) -> None:
    """Answer every error in the same JSON shape."""

    @app.exception_handler(LegibleError)
    async def known(request: Request, error: LegibleError) -> Response:
        return error_response(status_of(error), str(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return error_response(HTTPStatus.UNPROCESSABLE_ENTITY, describe_validation(list(error.errors())))

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        return error_response(error.status_code, _message(error, request.url.path), dict(error.headers or {}))

    @app.exception_handler(MemoryError)
    async def out_of_memory(request: Request, error: MemoryError) -> Response:
        message = "not enough memory. Send a smaller file, or try again later."
        return error_response(HTTPStatus.SERVICE_UNAVAILABLE, message)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        id = error_id(request.scope)
        message = f"an error in the server (id {id}). Its log has the details; please report it."
        return error_response(HTTPStatus.INTERNAL_SERVER_ERROR, message, id=id)

    @app.exception_handler(OSError)
    async def disk_error(request: Request, error: OSError) -> Response:
        message = f"the server cannot write temporary files: {error.strerror or error}. Try again later."
        return error_response(HTTPStatus.SERVICE_UNAVAILABLE, message)

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        return error_response(error.status, str(error), error.headers)


def _message(error: HTTPException, path: str) -> str:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return f"there is no {path[:80]!r} here. The API is described at /api/openapi.json."
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return "this address needs another HTTP method. The API is described at /api/openapi.json."
    return f"{str(error.detail).rstrip('.')}."
