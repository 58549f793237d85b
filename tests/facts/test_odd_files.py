"""Files that scanners, cameras and broken disks leave: read as they are meant, or refused in a sentence.

Source of the expected values: files written here byte by byte after the TIFF, PNG and JPEG formats.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from legible.data import load_dataset
from legible.documents.document import open_document, write_document
from legible.documents.page import Page
from legible.errors import ArgumentError, InputError
from legible.images import shrink_to
from legible.output import with_ending
from legible.reading.find import flatten_illumination


def pages_of(path: Path) -> list[Page]:
    with open_document(path) as document:
        return list(document)


def write_pdf(path: Path, n_pages: int) -> Path:
    page = Page(np.full((60, 40), 200, np.uint8), dpi=(72, 72))
    write_document(path, [page] * n_pages)
    return path


def test_a_pgm_of_sixteen_bits_keeps_its_greys(tmp_path):
    ramp = np.linspace(0, 65_535, 500).astype(">u2").reshape(10, 50)
    (tmp_path / "ramp.pgm").write_bytes(b"P5 50 10 65535\n" + ramp.tobytes())
    [page] = pages_of(tmp_path / "ramp.pgm")
    assert page.pixels.dtype == np.uint16
    np.testing.assert_allclose(page.pixels, ramp, atol=1)


def test_floats_between_0_and_1_are_a_page_of_16_bits(tmp_path):
    Image.fromarray(np.array([[0, 0.5, 1]], np.float32)).save(tmp_path / "a.tif")
    [page] = pages_of(tmp_path / "a.tif")
    assert page.pixels.dtype == np.uint16 and page.pixels.tolist() == [[0, 32_768, 65_535]]


def test_whole_numbers_of_32_bits_up_to_65535_are_a_page_of_16_bits(tmp_path):
    Image.fromarray(np.array([[0, 300, 65_535]], np.int32)).save(tmp_path / "a.tif")
    [page] = pages_of(tmp_path / "a.tif")
    assert page.pixels.dtype == np.uint16 and page.pixels.tolist() == [[0, 300, 65_535]]


@pytest.mark.parametrize(
    ("highest", "kind"),
    [(np.float32(1.5), "floating-point"), (np.float32("nan"), "floating-point"), (np.int32(65_536), "whole")],
)
def test_numbers_of_a_scale_that_nobody_knows_are_refused_in_a_sentence(highest, kind, tmp_path):
    Image.fromarray(np.array([[0, highest]], highest.dtype)).save(tmp_path / "a.tif")
    with pytest.raises(
        InputError, match=rf"a\.tif is not a picture, or damaged: its pixels are {kind}.*convert it"
    ):
        pages_of(tmp_path / "a.tif")


def test_a_tiff_cut_off_in_its_second_page_is_refused(tmp_path):
    path = tmp_path / "two.tif"
    write_document(path, [Page(np.full((50, 50), i, np.uint8)) for i in (9, 200)])
    data = path.read_bytes()
    second = int.from_bytes(data[4:8], "little")
    n_entries = int.from_bytes(data[second : second + 2], "little")
    following = second + 2 + 12 * n_entries
    place = int.from_bytes(data[following : following + 4], "little")
    path.write_bytes(data[: place + 6])
    with pytest.raises(InputError, match=r"two\.tif is not a picture, or damaged"):
        pages_of(path)


def test_a_pdf_with_a_page_that_is_not_there_is_refused(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", 2)
    path.write_bytes(re.sub(rb"(/Kids\[ ?)\d( 0 R)", rb"\g<1>1\g<2>", path.read_bytes()))
    with pytest.raises(InputError, match=r"page 1 of .*a\.pdf is damaged"):
        pages_of(path)


def test_threads_may_read_and_write_pdfs_at_once(tmp_path):
    def work(number: int) -> int:
        path = write_pdf(tmp_path / f"{number}.pdf", 3)
        return len([page for _ in range(5) for page in pages_of(path)])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(24))) == [15] * 24


def test_a_page_that_webp_cannot_hold_is_refused_with_what_can(tmp_path):
    with pytest.raises(ArgumentError, match=r"WebP holds 16,383 pixels a side, not 16,384\. Choose \.png"):
        write_document(tmp_path / "a.webp", [Page(np.zeros((2, 16_384), np.uint8))])


def test_a_profile_of_colours_stays_with_its_colours_alone(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name in ("a.png", "a.jpg"):
        Image.new("RGB", (9, 9)).save(tmp_path / name, icc_profile=profile)
        [page] = pages_of(tmp_path / name)
        assert page.with_pixels(page.pixels, bilevel=False).kept["icc_profile"] == profile
        assert page.with_pixels(page.pixels[..., 0], bilevel=False).kept == {}
        with open_document(tmp_path / name, colour=False) as document:
            assert [grey.kept for grey in document] == [{}]


@pytest.mark.parametrize("shape", [(3, 5000), (5000, 3), (10, 2000)])
def test_a_strip_of_a_picture_is_evened_out_like_any_other(shape):
    assert min(shrink_to(np.zeros(shape, np.uint8), 100).shape) == 1 or shape[0] == 10
    assert flatten_illumination(np.full(shape, 200, np.uint8)).is_blank


def test_photos_on_their_side_have_the_size_that_one_sees(tmp_path):
    for number in range(20):
        folder = tmp_path / "own" / str(number % 2)
        folder.mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        exif[0x0112] = 6  # turn it a quarter to see it
        Image.new("L", (60, 30), 255).save(folder / f"{number}.jpg", exif=exif)
    everything = load_dataset(str(tmp_path / "own"), polarity="dark-on-light").named("all")
    assert everything.image_shape == (1, 60, 30)


def test_an_ending_is_added_and_never_put_in_the_place_of_a_name():
    assert with_ending(Path("digits-fast.mnist-seed0"), ".onnx") == Path("digits-fast.mnist-seed0.onnx")
    assert with_ending(Path("a.onnx"), ".onnx") == Path("a.onnx")
