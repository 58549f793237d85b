"""Uploads: read from the request within limits, saved under a name of our own, deleted once answered."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from fastapi import UploadFile
from fastapi.routing import APIRoute
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from legible.documents.formats import suffixes
from legible.documents.pdf import is_pdf
from legible.documents.pictures import NotAPicture
from legible.errors import LegibleError

MULTIPART = "multipart/form-data"
_MAX_NAME_LENGTH, _PDF_HEADER_BYTES = 100, 1024
_MAX_FIELDS, _MAX_FIELD_BYTES = 12, 4096


class BufferedRoute(APIRoute):
    """A route that receives the whole request body before FastAPI parses it.

    FastAPI would otherwise answer 400 without a reason when receiving the body fails. A form holds one file
    and a few short settings.
    """

    def get_route_handler(self) -> Any:
        """The handler, called with requests whose bodies have been received."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Any:
            buffered = _FormRequest(request.scope, request.receive)
            if not _is_multipart(request):
                await buffered.body()
                return await handler(buffered)
            async with buffered.form():
                return await handler(buffered)

        return handle


class _FormParser(MultiPartParser):
    spool_max_size = 64 * 1024  # bytes of an upload kept in memory: many arrive at once


class _FormRequest(Request):
    async def _get_form(self, **limits: Any) -> FormData:
        if self._form is None and _is_multipart(self):
            limits = {"max_files": 1, "max_fields": _MAX_FIELDS, "max_part_size": _MAX_FIELD_BYTES}
            try:
                self._form = await _FormParser(self.headers, self.stream(), **limits).parse()
            except MultiPartException as error:
                raise HTTPException(HTTPStatus.BAD_REQUEST, error.message) from error
        return await super()._get_form(**limits)


def _is_multipart(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith(MULTIPART)


def display_name(upload: UploadFile) -> str:
    """The client's name for its file, without folders; for messages only, never used as a path."""
    name = PurePosixPath(PureWindowsPath(upload.filename or "").as_posix()).name
    printable = "".join(letter for letter in name if letter.isprintable())
    return printable[-_MAX_NAME_LENGTH:] or "the file"


@contextmanager
def save_upload(upload: UploadFile, folder: Path) -> Iterator[Path]:
    """Save the upload into a folder under a fixed name; errors raised inside name the client's file."""
    name = display_name(upload)
    suffix = Path(name).suffix.lower()
    if suffix not in suffixes():
        upload.file.seek(0)
        suffix = ".pdf" if is_pdf(upload.file.read(_PDF_HEADER_BYTES)) else ""
    path = folder / f"upload{suffix}"
    with path.open("wb") as file:
        upload.file.seek(0)
        shutil.copyfileobj(upload.file, file)
    try:
        if not path.stat().st_size:
            raise NotAPicture(f"{path} is empty. Choose a file that has something in it.")
        yield path
    except LegibleError as error:
        error.args = (str(error).replace(str(path), name),)
        raise


@contextmanager
def request_folder() -> Iterator[Path]:
    """A temporary folder for one request, deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="legible-") as folder:
        yield Path(folder)
