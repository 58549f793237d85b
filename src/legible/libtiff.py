"""Keep from the terminal what libtiff writes there while it decodes: it names no file of the user's."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

_STDERR = 2
_LOCK = RLock()  # standard error is one for all threads
_LINE = re.compile(rb"^(?:tempfile\.tif|filedescriptor|JPEGLib|_?TIFF\w*|\w+(?:De|En)code\w*): (.*)\n", re.M)


@contextmanager
def collect_messages() -> Iterator[list[str]]:
    """Yield a list that has libtiff's messages when the block has ended; all else goes on to stderr."""
    found: list[str] = []
    with _LOCK, tempfile.TemporaryFile() as caught:
        try:
            before = os.dup(_STDERR)
        except OSError:  # there is no standard error
            yield found
            return
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(caught.fileno(), _STDERR)
        try:
            yield found
        finally:
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(before, _STDERR)
            os.close(before)
            caught.seek(0)
            text = caught.read()
            found += [each.decode(errors="replace").strip().rstrip(".") for each in _LINE.findall(text)]
            if others := _LINE.sub(b"", text):
                os.write(_STDERR, others)
