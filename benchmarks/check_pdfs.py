"""Clean PDF files in place and check, one by one, that all but dirt is still there.

    python benchmarks/check_pdfs.py FOLDER... [--json]

Every PDF below the folders is cleaned by `legible clean`, and compared with what it was: text, outline, page
labels, annotations, form values, attachments, metadata, page boxes, pixels of its pictures, how pages without
a scan look, and its size. A file that cannot be opened, or is signed, must be refused without a trace.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pypdfium2

GROWS, REFUSED = 1.5, {2, 3}


def read_text(path: Path) -> list[str] | None:
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError:
        return None
    try:
        return [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()


def read_data(stream: pikepdf.Stream) -> bytes:
    try:
        return stream.read_bytes()
    except pikepdf.PdfError:
        return stream.read_raw_bytes()


def plain(thing: Any, depth: int = 0) -> str:
    """An object's text, streams by their data, without the numbers of objects; pages are but named."""
    if depth > 12:
        return "..."
    if isinstance(thing, pikepdf.Stream):
        return f"stream {read_data(thing)!r}"
    if isinstance(thing, pikepdf.Dictionary):
        if thing.get("/Type") == "/Page":
            return "page"
        inner = {key: plain(value, depth + 1) for key, value in thing.items() if key not in ("/P", "/Parent")}
        return str(sorted(inner.items()))
    if isinstance(thing, pikepdf.Array):
        return str([plain(each, depth + 1) for each in thing])
    return f"{float(thing):.4f}" if isinstance(thing, (int, float, Decimal)) else repr(thing)


def of_pages(take: Callable[[pikepdf.Page], Any]) -> Callable[[pikepdf.Pdf], Any]:
    return lambda pdf: [take(page) for page in pdf.pages]


def pixel_sizes(page: pikepdf.Page) -> list[tuple[int, int]]:
    return sorted((int(image.Width), int(image.Height)) for image in page.get_images().values())


def outline(pdf: pikepdf.Pdf) -> list[str]:
    with pdf.open_outline() as opened:
        return [item.title for item in opened.root]


FACTS: dict[str, Callable[[pikepdf.Pdf], Any]] = {
    "outline": outline,
    "labels": of_pages(lambda page: page.label),
    "boxes": of_pages(lambda page: [plain(page.obj.get(key)) for key in
                                    ("/MediaBox", "/CropBox", "/Rotate", "/UserUnit")]),
    "annotations": of_pages(lambda page: plain(page.obj.get("/Annots"))),
    "forms": lambda pdf: plain(pdf.Root.get("/AcroForm")),
    "attachments": lambda pdf: {name: file.get_file().read_bytes() for name, file in pdf.attachments.items()},
    "metadata": lambda pdf: (plain(pdf.Root.get("/Metadata")), plain(pdf.docinfo)),
    "structure": lambda pdf: [plain(pdf.Root.get(key)) for key in
                              ("/Lang", "/MarkInfo", "/OCProperties", "/OutputIntents")],
    "pixels": of_pages(pixel_sizes),
}  # fmt: skip


def look(path: Path, number: int) -> np.ndarray:
    document = pypdfium2.PdfDocument(path)
    try:
        return np.array(document[number].render(scale=0.5).to_numpy())
    finally:
        document.close()


def check(path: Path, folder: Path) -> dict[str, Any]:
    """The checks of a file by name: True, False, or why there is none."""
    target = folder / f"{abs(hash(str(path)))}.pdf"
    before = path.read_bytes()
    command = [sys.executable, "-m", "legible", "clean", str(path), "-o", str(target), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    result: dict[str, Any] = {
        "exit code": done.returncode in {0, 3}, "no traceback": "Traceback" not in done.stderr,
        "input unchanged": path.read_bytes() == before,
    }  # fmt: skip
    if not target.exists():
        said = done.stderr.strip().splitlines()
        return {
            **result,
            "exit code": done.returncode in REFUSED,
            "refused": len(said) >= 1 and said[-1][:150],
        }
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    with pikepdf.open(path) as old, pikepdf.open(target) as new:
        for name, take in FACTS.items():
            try:
                expected = take(old)
            except Exception:  # what the file does not have in a readable form
                continue
            result[name] = take(new) == expected
    result["size"] = target.stat().st_size <= GROWS * len(before)
    left = [line["page"] - 1 for line in lines if line.get("action") == "left"]
    if read_text(path) is not None:
        result["text"] = read_text(target) == read_text(path)
        result["left pages look the same"] = all(np.array_equal(look(path, n), look(target, n)) for n in left)
    result["ratio"] = round(target.stat().st_size / len(before), 2)
    result["cleaned"] = f"{len(lines) - len(left)} of {len(lines)}"
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each file")
    asked = parser.parse_args()
    held = total = 0
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(path for root in asked.folders for path in root.rglob("*.pdf")):
            result = check(path, Path(folder))
            checks = {name: value for name, value in result.items() if isinstance(value, bool)}
            held, total = held + sum(checks.values()), total + len(checks)
            ratios += [result["ratio"]] if "ratio" in result else []
            failed = [name for name, value in checks.items() if not value]
            if asked.json:
                print(json.dumps({"file": str(path), **result}))
            else:
                extra = (
                    result.get("refused") or f"{result.get('cleaned')} pages cleaned, {result.get('ratio')} x"
                )
                print(f"{'FAILED ' + ', '.join(failed) if failed else 'ok':30} {path.name}: {extra}")
    print(
        f"{held} of {total} checks hold; sizes: median {np.median(ratios):.2f}, most {max(ratios):.2f} times"
    )


if __name__ == "__main__":
    main()
