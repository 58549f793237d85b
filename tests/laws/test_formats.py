"""One row of the table of file formats is all that a format needs: files, help and the API follow it."""

import io
import re
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from legible.documents.document import open_document, write_document
from legible.documents.formats import (
    FORMATS,
    Format,
    format_of,
    spoken_list,
    spoken_names,
    suffixes,
    written_formats,
    written_name,
)
from legible.documents.page import Page
from tests.conftest import run_command

ROOT = Path(__file__).parents[2]
# a row for a format that Pillow knows and the table lacks, added before anything has read the table
WITH_TGA = """
import sys
from legible.documents import formats
row = formats.Format("Targa", (".tga",), "image/x-tga", "TGA", settings={"compression": "tga_rle"})
formats.FORMATS += (row,)
"""
COMMAND = WITH_TGA + "from legible.cli import main; main()"


def run_python(code: str, folder: Path, *words: object) -> str:
    command = [sys.executable, "-c", code, *map(str, words)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def row_of(form: Format) -> str:
    """What docs/formats.md says of a format."""
    pages = {"one": "one", "tiff": "many", "pdf": "many"}[form.pages]
    said = ", ".join(str(bits) for bits in form.bits)
    writes = f"{pages} | {said} | {'yes' if form.alpha else 'no'}" if form.written else "as PNG | | "
    endings = ", ".join(f"`{suffix}`" for suffix in form.suffixes)
    return f"| {form.name} | {endings} | {writes.rstrip()} | `{form.media_type}` |"


def test_the_documents_list_the_formats_that_there_are():
    rows = [line for line in (ROOT / "docs/formats.md").read_text().splitlines() if "| `." in line]
    assert rows == [row_of(form) for form in FORMATS]


def test_the_documents_say_how_large_a_page_may_be():
    limits = [f"{form.name} {form.most_px:,}" for form in FORMATS if form.most_px]
    text = (ROOT / "docs/formats.md").read_text().replace(" holds at most", "").replace(" pixels a side", "")
    assert f"- {', '.join(limits)}." in text


def test_the_readme_names_the_formats_that_are_written():
    assert f"scans: {spoken_names('and', written=True)}," in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("verb", ["clean", "read"])
def test_help_names_the_formats(verb):
    shown = " ".join(re.sub("[│╭╮╰╯─]", " ", run_command(verb, "--help").out).split())
    assert (spoken_names("and", written=True) if verb == "clean" else spoken_names()) in shown


def test_no_suffix_or_media_type_is_of_two_formats():
    assert len(suffixes()) == len(set(suffixes()))
    assert len({form.media_type for form in FORMATS}) == len(FORMATS)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in suffixes())


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_format_is_read_and_what_is_not_written_becomes_png(form, tmp_path):
    path = tmp_path / f"page{form.suffixes[-1].upper()}"
    if form.name == "HEIC":
        pillow_heif.register_heif_opener()  # to write one
    pixels = np.full((40, 30), 200, np.uint8)
    Image.fromarray(pixels).save(path, form.pillow_name or "PDF", resolution=72)
    with open_document(path) as document:
        [page] = document
    assert abs(int(np.median(page.pixels)) - 200) < 3
    target = written_name(path)
    assert target == (path if form.written else path.with_suffix(".png"))
    write_document(target, [Page(pixels)], overwrite=True)
    with open_document(target) as document:
        assert document.n_pages == 1 and format_of(target) in written_formats()


def test_lists_are_spoken_as_in_a_sentence():
    assert spoken_list(["PNG"]) == "PNG"
    assert spoken_list(["PNG", "TIFF", "PDF"]) == "PNG, TIFF or PDF"
    assert spoken_list(["PNG", "PDF"], "and") == "PNG and PDF"


@pytest.fixture
def scan(tmp_path) -> Path:
    """A folder with a scan in a format that the table lacks."""
    pixels = np.full((200, 160), 230, np.uint8)
    pixels[50:60, 30:120] = 20
    Image.fromarray(pixels).save(tmp_path / "scan.tga")
    return tmp_path


def test_without_a_row_a_format_is_neither_read_nor_written(scan):
    answer = run_command("clean", scan / "scan.tga", "-o", scan / "out")
    assert answer.code == 3 and "scan.tga is not a picture, or damaged: its format is not known" in answer.err
    assert not [*(scan / "out").glob("[!.]*")]


def test_one_more_row_is_all_that_files_and_help_need(scan):
    assert run_python(COMMAND, scan, "clean", ".", "-o", "out") == "out/scan.tga\n"
    assert run_python(COMMAND, scan, "clean", "scan.tga", "-o", "clean.TGA") == "clean.TGA\n"
    for name in ("out/scan.tga", "clean.TGA"):
        with Image.open(scan / name) as clean:
            assert clean.format == "TGA" and clean.size == (160, 200)
    assert "Targa" in run_python(COMMAND, scan, "clean", "--help")


def test_one_more_row_is_all_that_the_api_needs(scan):
    command = [sys.executable, "-c", COMMAND, "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            with httpx.Client(base_url=address, timeout=300, trust_env=False) as client:
                content = (scan / "scan.tga").read_bytes()
                answer = client.post("/api/clean", files={"file": ("scan.tga", content)})
                described = client.get("/api/openapi.json").json()["paths"]["/api/clean"]["post"]["responses"]
        finally:
            process.terminate()
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/x-tga"), answer.text
    assert answer.headers["content-disposition"].endswith('"clean.tga"')
    assert "image/x-tga" in described["200"]["content"]
    with Image.open(io.BytesIO(answer.content)) as clean:
        assert clean.format == "TGA" and clean.size == (160, 200)
