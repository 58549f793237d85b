"""What the OpenAPI document tells besides the code: errors, examples, files."""

from __future__ import annotations

from typing import Any

from legible.web.problems import Failure

TITLE = "Legible"
DESCRIPTION = (
    "Reads handwritten digits, cleans scanned pages, takes noise off digits and draws new ones. Nothing that "
    "is sent here is kept. Every error is a sentence in one shape."
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
_MEANINGS = {
    400: "The file or the request cannot be used.",
    404: "There is no such thing.",
    408: "The request took too long to come.",
    413: "The upload or a page is too large.",
    415: "The file is no picture or PDF, or damaged.",
    422: "A setting is wrong.",
    429: "Too much is waiting; try again.",
    500: "A fault of ours; its id is in the server's log.",
    503: "The server is closing, or lacks a model.",
}


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors that a route may answer with; all of them if none is named."""
    return {status: {"model": Failure, "description": _MEANINGS[status]} for status in statuses or _MEANINGS}


def file_of(*kinds: str, description: str) -> dict[int | str, dict[str, Any]]:
    """An answer that is a file of one of these media types."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}
    return {200: {"description": description, "content": content}}
