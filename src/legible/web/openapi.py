"""What the OpenAPI document adds to the code: its introduction, the errors, an example, files."""

from __future__ import annotations

from typing import Any

from legible.web.problems import ErrorBody

TITLE = "Legible"
DESCRIPTION = (
    "Reads handwritten digits, cleans scanned pages, denoises digits and generates new ones. Uploads are "
    "deleted as soon as the request is answered. All errors have the same JSON shape; the message says what "
    "happened and what to do."
)
EXAMPLE_READING: dict[str, Any] = {
    "file": "number.png",
    "text": "47",
    "confidence": 0.97,
    "lines": [
        {
            "text": "47", "confidence": 0.97, "box": [12, 10, 80, 70],
            "digits": [
                {"digit": "4", "confidence": 0.99, "box": [12, 10, 44, 70], "alternatives": [["9", 0.008]]},
                {"digit": "7", "confidence": 0.98, "box": [48, 11, 80, 70], "alternatives": [["1", 0.01]]},
            ],
        }
    ],
}  # fmt: skip
_DESCRIPTIONS = {
    400: "The file or the request cannot be used.",
    404: "Not found.",
    408: "The request took too long to arrive.",
    413: "The upload or a page is too large.",
    415: "The file is not a picture or PDF, or is damaged.",
    422: "A setting is invalid.",
    429: "Too many requests are waiting; try again later.",
    500: "An error in the server; its id is in the server's log.",
    503: "The server is shutting down, or lacks a model, memory or disk space.",
}


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors that a route may answer with; all of them if none is given."""
    return {
        status: {"model": ErrorBody, "description": _DESCRIPTIONS[status]}
        for status in statuses or _DESCRIPTIONS
    }


def file_response(*media_types: str, description: str) -> dict[int | str, dict[str, Any]]:
    """A successful answer that is a file of one of these media types."""
    content = {media: {"schema": {"type": "string", "format": "binary"}} for media in media_types}
    return {200: {"description": description, "content": content}}
