"""Names as stored in rows and cards, so that files written before a renaming stay readable.

A row's key is a hash of its run as stored, so stored names never change.
"""

from __future__ import annotations

import re

STORED_AS = {"ensemble": "committee", "generate": "draw"}  # models, tasks, kinds
SETTINGS_STORED_AS = {"ensemble": {"views": "looks"}}  # of the models that have them


def to_stored(spec: str) -> str:
    """The stored form of a spec or kind: `ensemble:n=1,views=7` is stored as `committee:n=1,looks=7`."""
    name, colon, settings = spec.partition(":")
    return STORED_AS.get(name, name) + colon + _rename(settings, SETTINGS_STORED_AS.get(name, {}))


def from_stored(spec: str) -> str:
    """The current form of a stored spec or kind; the reverse of to_stored."""
    stored, colon, settings = spec.partition(":")
    name = next((now for now, before in STORED_AS.items() if before == stored), stored)
    now_called = {before: now for now, before in SETTINGS_STORED_AS.get(name, {}).items()}
    return name + colon + _rename(settings, now_called)


def _rename(settings: str, names: dict[str, str]) -> str:
    """Settings `key=value,key=value` with renamed keys."""
    return re.sub(r"(^|(?<=,))\w+(?==)", lambda key: names.get(key[0], key[0]), settings)
