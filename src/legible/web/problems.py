"""What goes wrong, as HTTP tells it: one JSON shape, with the sentences of the command line."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from legible.apply.pages import PageTooLarge
from legible.errors import ArgumentError, InputError, LegibleError
from legible.pictures import NotAPicture


class Problem(BaseModel):
    """What went wrong, in one sentence."""

    status: int = Field(description="The HTTP status once more.", examples=[422])
    message: str = Field(
        description="What happened, where, and what to do next.",
        examples=["mode is one of auto, digit, line, page, not 'word'."],
    )
    id: str | None = Field(None, description="Of a fault of ours: its name in the server's log.")


class Failure(BaseModel):
    """How every error looks."""

    error: Problem


class Refused(Exception):
    """A request that is not carried out. status: of HTTP. headers: to send with it."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers or {}


def too_busy(message: str) -> Refused:
    """Refused for want of room; worth another try in a second."""
    return Refused(HTTPStatus.TOO_MANY_REQUESTS, message, {"Retry-After": "1"})


def status_of(error: LegibleError) -> int:
    """The HTTP status of an error that a user can understand and mend."""
    if isinstance(error, PageTooLarge):
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    if isinstance(error, NotAPicture):
        return HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    if isinstance(error, InputError):
        return HTTPStatus.BAD_REQUEST
    if isinstance(error, ArgumentError):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.SERVICE_UNAVAILABLE  # a model, a part or a disk of ours


def answer(
    status: int, message: str, headers: dict[str, str] | None = None, id: str | None = None
) -> JSONResponse:
    """A problem as a response."""
    told = Failure(error=Problem(status=status, message=message, id=id)).model_dump(exclude_none=True)
    return JSONResponse(told, status, headers)


def describe_validation(errors: list[dict[str, Any]]) -> str:
    """What is wrong with a request's settings, in a sentence."""
    told = []
    for error in errors[:3]:
        place = ".".join(str(part) for part in error["loc"][1:]) or str(error["loc"][0])
        told.append(f"{place}: {error['msg'][:1].lower()}{error['msg'][1:]}")
    return f"{'; '.join(told)}. The API's settings are told at /api/openapi.json."
