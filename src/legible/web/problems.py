"""Errors over HTTP: one JSON shape, with the same messages as the command line."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from legible.documents.page import PageTooLarge
from legible.documents.pictures import NotAPicture
from legible.errors import ArgumentError, InputError, LegibleError


class Problem(BaseModel):
    """What went wrong."""

    status: int = Field(description="The HTTP status, repeated.", examples=[422])
    message: str = Field(
        description="What happened, where, and what to do next.",
        examples=["mode is one of auto, digit, line, page, not 'word'."],
    )
    id: str | None = Field(None, description="Of an error in the server (500): find it in the server's log.")


class ErrorBody(BaseModel):
    """The body of every error."""

    error: Problem


class Refused(Exception):
    """A request that is not carried out. status: the HTTP status. headers: to send with the answer."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers or {}


def too_busy(message: str) -> Refused:
    """A refusal because the server is full; the client may try again in a second."""
    return Refused(HTTPStatus.TOO_MANY_REQUESTS, message, {"Retry-After": "1"})


def status_of(error: LegibleError) -> int:
    """The HTTP status for an error that the user can understand and correct."""
    if isinstance(error, PageTooLarge):
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    if isinstance(error, NotAPicture):
        return HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    if isinstance(error, InputError):
        return HTTPStatus.BAD_REQUEST
    if isinstance(error, ArgumentError):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.SERVICE_UNAVAILABLE  # a missing model, extra or disk: not the client's doing


def error_response(
    status: int, message: str, headers: dict[str, str] | None = None, id: str | None = None
) -> JSONResponse:
    """An error as a response."""
    body = ErrorBody(error=Problem(status=status, message=message, id=id))
    return JSONResponse(body.model_dump(exclude_none=True), status, headers)


def describe_validation(errors: list[dict[str, Any]]) -> str:
    """What is wrong with a request's settings, in a sentence; the first three errors at most."""
    parts = []
    for error in errors[:3]:
        setting = ".".join(str(part) for part in error["loc"][1:]) or str(error["loc"][0])
        parts.append(f"{setting}: {error['msg'][:1].lower()}{error['msg'][1:]}")
    return f"{'; '.join(parts)}. All settings are described at /api/openapi.json."
