"""Small scans for tests of runs over folders, and what such a run has made."""

from pathlib import Path

import numpy as np
from PIL import Image

RECORD = ".legible-clean.json"


def draw_scan(n: int = 0) -> Image.Image:
    """A small grey page with black lines of words."""
    page = np.full((120, 160), 200 - n, np.uint8)
    for top in range(20, 100, 16):
        page[top : top + 2, 20 : 100 + 5 * (n % 8)] = 20
        page[top : top + 8, 20:140:10] = 20
    return Image.fromarray(page)


def save_scans(folder: Path, *names: str) -> Path:
    for n, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        draw_scan(n).save(folder / name)
    return folder


def made_in(folder) -> list[str]:
    """All files, hidden ones too, but not the record."""
    files = (path for path in Path(folder).rglob("*") if path.is_file() and path.name != RECORD)
    return sorted(str(path.relative_to(folder)) for path in files)


def bytes_of(folder) -> dict[str, bytes]:
    return {name: (Path(folder) / name).read_bytes() for name in made_in(folder)}
