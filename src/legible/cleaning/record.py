"""The record of an output folder: which files were made there, of which scans, with which settings."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from legible.choices import Mode
from legible.cleaning.clean import find_cleaner
from legible.documents.page_range import PageRange
from legible.errors import OutputError
from legible.output import new_file

RECORD = ".legible-clean.json"
_FORMAT = 1
_EVERY_S = 10.0  # between writings while files are replaced
Settings = dict[str, str]


def settings_of(
    mode: Mode, dpi: float | None, pages: PageRange | None, model: str, *, redraw: bool = False
) -> Settings:
    """What decides how a clean page looks. Raises ModelError where there is no such restorer."""
    return {
        "mode": mode,
        "dpi": "that of the scans" if dpi is None else f"{dpi:g}",
        "pages": "all" if pages is None else str(pages),
        **({"PDF pages": "drawn anew"} if redraw else {}),
        "model": find_cleaner(model).reference,
        "legible": version("legible"),
    }


@dataclass
class Record:
    """The files made in a folder, by their paths below it, each with its scan and its settings.

    note: a sentence on a record that could not be read.
    """

    folder: Path
    made: dict[Path, tuple[Path, Settings]] = field(default_factory=dict)
    note: str = ""
    _written: float = 0.0

    @property
    def sources(self) -> dict[Path, Path]:
        """The scans of the files."""
        return {inner: source for inner, (source, _) in self.made.items()}

    def check_settings(self, inners: Iterable[Path], settings: Settings) -> None:
        """Raise OutputError where files were made with other settings, in a sentence that says which."""
        known = [self.made[inner][1] for inner in inners if inner in self.made]
        others = [each for each in known if each != settings]
        if others:
            names = [name for name, value in settings.items() if any(o.get(name) != value for o in others)]
            changed = ", ".join(f"{name} {others[0].get(name)}, now {settings[name]}" for name in names)
            raise OutputError(
                f"{self.folder} has {len(others):,} of these files already, cleaned with other settings "
                f"({changed}). Add --overwrite to replace them, or name another folder."
            )

    def expect(self, files: Iterable[tuple[Path, Path]], settings: Settings) -> None:
        """Write down files that are not there yet and will be made, as pairs of their path and their scan."""
        self.made |= {inner: (source.absolute(), settings) for inner, source in files}
        self.save()

    def replace(self, inner: Path, source: Path, settings: Settings) -> None:
        """Write down that a file was replaced; saved now and then, and by `save`."""
        self.made[inner] = (source.absolute(), settings)
        if time.monotonic() - self._written > _EVERY_S:
            self.save()

    def forget(self, inner: Path) -> None:
        """Remove a file that was expected and could not be made."""
        if not (self.folder / inner).exists():
            self.made.pop(inner, None)

    def save(self) -> None:
        """Write the record, whole or not at all. Raises OutputError."""
        known: list[Settings] = []
        files = {}
        for inner, (source, settings) in sorted(self.made.items()):
            if settings not in known:
                known.append(settings)
            files[inner.as_posix()] = {"source": str(source), "settings": known.index(settings)}
        whole = {"format": _FORMAT, "settings": known, "files": files}
        with new_file(self.folder / RECORD, overwrite=True) as temporary:
            temporary.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        self._written = time.monotonic()


def read_record(folder: Path) -> Record:
    """The record of an output folder; an empty one, with a note, where it cannot be read."""
    path = folder / RECORD
    if not path.exists():
        return Record(folder)
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        known = [{str(name): str(value) for name, value in each.items()} for each in whole["settings"]]
        made = {
            Path(inner): (Path(each["source"]), known[each["settings"]])
            for inner, each in whole["files"].items()
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        note = f"{path} cannot be read ({error}), so nothing is known of the files there; they stay."
        return Record(folder, note=note)
    return Record(folder, made)
