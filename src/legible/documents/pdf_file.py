"""Open a PDF to change pictures inside it, and write it with all else as it was."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pikepdf

from legible.documents.pictures import NotAPicture
from legible.errors import InputError

_DEEPEST_FIELD = 50
logging.getLogger("pikepdf").addHandler(logging.NullHandler())


class PdfFile:
    """An open PDF, as a context. path: its name in messages. repaired: whether its structure was damaged.

    Raises NotAPicture for a file that cannot be read or asks for a password, InputError for an empty one, or
    for a signed one unless allow_signed.
    """

    def __init__(self, path: Path, *, allow_signed: bool = False) -> None:
        self.path = path
        try:
            self.pdf = pikepdf.open(path, suppress_warnings=True, access_mode=pikepdf.AccessMode.stream)
            self.pages = list(self.pdf.pages)
            self.repaired = bool(self.pdf.get_warnings())
        except pikepdf.PasswordError as error:
            raise NotAPicture(f"{path} asks for a password; save a copy without one.") from error
        except (pikepdf.PdfError, ValueError, RuntimeError) as error:
            raise NotAPicture(
                f"{path} is not a PDF, or damaged beyond repair. Replace or remove it."
            ) from error
        if not self.pages:
            self.pdf.close()
            raise InputError(f"{path} has no pages.")
        if is_signed(self.pdf) and not allow_signed:
            self.pdf.close()
            raise InputError(
                f"{path} is signed, and a change would make its signature invalid. "
                "If the signature may go, add --allow-signed."
            )

    def __enter__(self) -> PdfFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.pdf.close()

    def save(self, target: Path) -> None:
        """Write the file, encrypted and ordered for the web where it was."""
        self.pdf.save(
            target,
            encryption=self.pdf.is_encrypted,
            linearize=self.pdf.is_linearized,
            fix_metadata_version=False,  # which would write the XMP anew
            deterministic_id=not self.pdf.is_encrypted,
        )


def is_signed(pdf: pikepdf.Pdf) -> bool:
    """Whether a signature protects the file from changes."""
    form = pdf.Root.get("/AcroForm")
    if "/DocMDP" in pdf.Root.get("/Perms", {}):
        return True
    if not isinstance(form, pikepdf.Dictionary):
        return False
    fields: Any = form.get("/Fields", [])
    return any(_has_signature(each, 0) for each in fields) if isinstance(fields, pikepdf.Array) else False


def _has_signature(field: Any, depth: int) -> bool:
    if depth > _DEEPEST_FIELD or not isinstance(field, pikepdf.Dictionary):
        return False
    if field.get("/FT") == "/Sig" and "/V" in field:
        return True
    kids: Any = field.get("/Kids", [])
    return isinstance(kids, pikepdf.Array) and any(_has_signature(each, depth + 1) for each in kids)
