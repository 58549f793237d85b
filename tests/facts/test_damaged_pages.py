"""A damaged page of a TIFF costs no other page, and what is left of it is not thrown away.

Source of the expected values: files written here by Pillow, with rubbish in the place of a page's pixels.
"""

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from PIL.TiffImagePlugin import AppendingTiffWriter, ImageFileDirectory_v2

from legible.cleaning.clean import load_cleaner
from legible.cleaning.files import Job, clean_document
from legible.documents.document import open_document
from legible.errors import InputError
from tests.conftest import run_command


def draw_page(size: tuple[int, int]) -> Image.Image:
    page = Image.new("RGB", size, "white")
    ImageDraw.Draw(page).text((10, 20), "Ink 1834", fill=(20, 20, 90))
    return page


def said_by(number: int) -> ImageFileDirectory_v2:
    tags = ImageFileDirectory_v2()
    tags[285] = f"folio {number}"
    return tags


@pytest.fixture
def damaged(tmp_path) -> Path:
    """A TIFF of three pages, the second of which holds rubbish in the place of its pixels."""
    path = tmp_path / "three.tif"
    with AppendingTiffWriter(str(path), new=True) as file:
        for number in range(3):
            draw_page((200, 160)).save(
                file, format="TIFF", compression="tiff_adobe_deflate", tiffinfo=said_by(number)
            )
            file.newFrame()
    with Image.open(path) as opened:
        opened.seek(1)
        offset, length = opened.tag_v2[273][0], opened.tag_v2[279][0]
    data = bytearray(path.read_bytes())
    data[offset : offset + length] = b"rubbish!"[:1] * length
    path.write_bytes(data)
    with pytest.raises(zlib.error):
        zlib.decompress(bytes(data[offset : offset + length]))
    return path


def strips_of(path: Path, number: int) -> tuple[list[bytes], str]:
    data = path.read_bytes()
    with Image.open(io.BytesIO(data)) as opened:
        opened.seek(number)
        places = zip(opened.tag_v2[273], opened.tag_v2[279], strict=True)
        return [data[at : at + n] for at, n in places], opened.tag_v2[285]


def test_a_damaged_page_leaves_the_others_and_is_copied_as_it_is(damaged, tmp_path):
    answer = run_command("clean", damaged, "-o", tmp_path / "out.tif")
    assert answer.code == 3 and "three.tif, page 2: it is damaged and was not cleaned" in answer.err
    assert strips_of(tmp_path / "out.tif", 1) == strips_of(damaged, 1)
    with open_document(tmp_path / "out.tif", keep_damaged=True) as document:
        first, second, third = document
    assert second.damage and not first.damage and not third.damage
    np.testing.assert_array_equal(first.pixels, third.pixels)
    assert (first.pixels < 128).any()


def test_a_damaged_page_is_missing_from_a_pdf_and_that_is_said(damaged, tmp_path):
    answer = run_command("clean", damaged, "-o", tmp_path / "out.pdf")
    assert answer.code == 3 and "page 2: it is damaged and was not cleaned" in answer.err
    assert "it is missing from the new file" in answer.err
    with open_document(tmp_path / "out.pdf") as document:
        assert document.n_pages == 2


def test_a_tiff_of_damaged_pages_alone_is_refused(damaged, tmp_path):
    data = damaged.read_bytes()
    for number in (0, 2):
        for strip in strips_of(damaged, number)[0]:
            data = data.replace(strip, b"r" * len(strip))
    damaged.write_bytes(data)
    answer = run_command("clean", damaged, "-o", tmp_path / "out.tif")
    assert answer.code == 3 and "three.tif has no page that can be read" in answer.err
    assert not (tmp_path / "out.tif").exists()


def test_who_asks_for_no_damaged_pages_gets_an_error_that_names_the_file(damaged):
    error = r"three\.tif is not a picture, or damaged"
    with pytest.raises(InputError, match=error), open_document(damaged) as document:
        list(document)


def test_a_document_with_a_damaged_page_is_cleaned_only_where_the_damage_is_told(damaged, tmp_path):
    job = Job(damaged, tmp_path / "out.tif", "grey", None, 1_000_000)
    with pytest.raises(InputError, match=r"three\.tif is not a picture, or damaged"):
        clean_document(load_cleaner(), job)
    assert not (tmp_path / "out.tif").exists()
