"""Phones' and cameras' files are read as pages, and no decoder but those of the documented formats is used.

Source of the expected values: files written here by Pillow and pillow-heif, and what the formats' texts say.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageDraw, PpmImagePlugin

from legible.documents.document import open_document
from legible.documents.folders import files_in
from legible.documents.page import Page
from legible.documents.pictures import read_picture
from legible.errors import InputError, MissingExtra
from legible.libtiff import collect_messages
from tests.conftest import run_command

EPS = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n"


def pages_of(path: Path) -> list[Page]:
    with open_document(path) as document:
        return list(document)


def draw_page(size: tuple[int, int] = (64, 48)) -> Image.Image:
    picture = Image.new("RGB", size, (240, 240, 240))
    ImageDraw.Draw(picture).rectangle((10, 10, 50, 20), fill=(20, 20, 120))
    return picture


def write_heic(path: Path) -> Path:
    pillow_heif.from_pillow(draw_page()).save(path, quality=90)
    return path


def test_a_heic_page_shows_what_was_photographed(tmp_path):
    for name in ("page.heic", "page.heif"):
        [page] = pages_of(write_heic(tmp_path / name))
        assert np.abs(page.pixels.astype(int) - np.asarray(draw_page())).mean() < 4


def test_an_avif_page_shows_what_was_photographed(tmp_path):
    draw_page().save(tmp_path / "page.avif", quality=90)
    [page] = pages_of(tmp_path / "page.avif")
    assert np.abs(page.pixels.astype(int) - np.asarray(draw_page())).mean() < 4


def test_a_heic_scan_is_cleaned_into_a_png(tmp_path):
    write_heic(tmp_path / "page.heic")
    assert run_command("clean", tmp_path / "page.heic", "-o", tmp_path / "out").code == 0
    with Image.open(tmp_path / "out/page.png") as clean:
        assert clean.size == (64, 48)


def test_without_the_extra_a_heic_page_is_refused_with_how_to_get_it(tmp_path, monkeypatch):
    write_heic(tmp_path / "page.heic")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(
        MissingExtra,
        match=r"^reading HEIC files needs the 'heic' extra\. Install it: pip install 'legible\[heic",
    ):
        pages_of(tmp_path / "page.heic")


def test_a_folder_holds_scans_of_every_ending(tmp_path):
    names = ["a.avif", "b.heic", "c.heif", "d.jfif", "e.pbm"]
    for name in (*names, "f.eps"):
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in files_in(tmp_path)] == names


def test_a_pbm_is_a_page_of_black_and_white(tmp_path):
    (tmp_path / "page.pbm").write_text("P1\n3 2\n0 1 0\n1 1 0\n")  # 1 is black
    [page] = pages_of(tmp_path / "page.pbm")
    assert page.bilevel
    np.testing.assert_array_equal(page.pixels, [[255, 0, 255], [0, 0, 255]])


def test_a_program_of_another_format_is_never_run_whatever_its_name(tmp_path):
    (tmp_path / "scan.png").write_text(EPS)
    for read in (pages_of, lambda path: read_picture(path, grey=True)):
        with pytest.raises(
            InputError, match=r"scan\.png is not a picture, or damaged: its format is not known"
        ):
            read(tmp_path / "scan.png")
    answer = run_command("clean", tmp_path / "scan.png", "-o", tmp_path / "out.png")
    assert answer.code == 3 and "its format is not known" in answer.err


def test_records_that_pillow_logs_stay_off_the_terminal(tmp_path):
    code = (
        "import logging, legible.documents.pictures\n"
        f"logging.getLogger({PpmImagePlugin.__name__!r}).error('a raw record')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_what_libtiff_says_of_a_damaged_page_stays_off_the_terminal(tmp_path, capfd):
    draw_page((400, 300)).save(tmp_path / "page.tif", compression="tiff_lzw")
    with Image.open(tmp_path / "page.tif") as opened:
        offset, length = opened.tag_v2[273][0], opened.tag_v2[279][0]
    data = bytearray((tmp_path / "page.tif").read_bytes())
    data[offset : offset + length] = bytes(length)
    (tmp_path / "page.tif").write_bytes(data)
    for read in (pages_of, lambda path: read_picture(path, grey=True)):
        with pytest.raises(InputError, match=r"page\.tif is not a picture, or damaged"):
            read(tmp_path / "page.tif")
    assert capfd.readouterr().err == ""


def test_what_others_write_to_the_terminal_meanwhile_is_not_lost(capfd):
    with collect_messages() as messages:
        os.write(2, b"a bar\nLZWDecode: Using code not yet in table.\nanother bar")
    assert messages == ["Using code not yet in table"]
    assert capfd.readouterr().err == "a bar\nanother bar"
