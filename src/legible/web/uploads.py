"""Files that come in: spooled, limited in bytes, put down under our own name, and gone when answered."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from fastapi import UploadFile
from fastapi.routing import APIRoute
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartParser
from starlette.requests import Request

from legible.apply.pages import KNOWN
from legible.errors import LegibleError
from legible.pictures import NotAPicture

MultiPartParser.spool_max_size = 64 * 1024  # bytes of an upload in memory: many come at once
FORM = "multipart/form-data"
_LONGEST_NAME, _LOOKED_AT = 100, 1024
_MOST_FIELDS, _FIELD_BYTES = 12, 4096


class WholeRoute(APIRoute):
    """Routes whose requests have come as a whole before they are looked at.

    FastAPI would not tell what went wrong on the way. Forms hold one file and a few short settings.
    """

    def get_route_handler(self) -> Any:
        """The handler, given requests whose bodies are read."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Any:
            whole = _FormRequest(request.scope, request.receive)
            if not request.headers.get("content-type", "").startswith(FORM):
                await whole.body()
                return await handler(whole)
            async with whole.form():
                return await handler(whole)

        return handle


class _FormRequest(Request):
    async def _get_form(self, **_: Any) -> FormData:
        return await super()._get_form(max_files=1, max_fields=_MOST_FIELDS, max_part_size=_FIELD_BYTES)


def name_of(upload: UploadFile) -> str:
    """What the client calls its file, without folders: for showing alone."""
    name = PurePosixPath(PureWindowsPath(upload.filename or "").as_posix()).name
    kept = "".join(letter for letter in name if letter.isprintable())
    return kept[-_LONGEST_NAME:] or "the file"


@contextmanager
def put_down(upload: UploadFile, folder: Path) -> Iterator[Path]:
    """The upload as a file in a folder of ours, under a name of ours; errors name it as its client does."""
    name = name_of(upload)
    ending = Path(name).suffix.lower()
    if ending not in KNOWN:
        upload.file.seek(0)
        ending = ".pdf" if b"%PDF-" in upload.file.read(_LOOKED_AT) else ""
    path = folder / f"upload{ending}"
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
def own_folder() -> Iterator[Path]:
    """A folder for one request, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="legible-") as folder:
        yield Path(folder)
