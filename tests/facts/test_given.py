"""Pictures of every form are taken for what they show, and everything else is refused in a sentence.

Source of the expected values: arrays made here, and Pillow's own conversions.
"""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import legible
import legible.errors
from legible.documents.given import open_given, page_of_array, split_batch
from legible.errors import InputError

GREY = np.linspace(0, 255, 12 * 16).reshape(12, 16).round().astype(np.uint8)
PICTURE = Image.fromarray(GREY)
TWO_TONES = np.where(GREY > 127, 255, 0).astype(np.uint8)


def file_of(picture: Image.Image, form: str, **settings) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **settings)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA", "CMYK", "LA", "I", "YCbCr"])
def test_a_pillow_picture_of_any_mode_shows_the_same(mode):
    [page] = open_given(PICTURE.convert(mode))
    seen = page.pixels if page.pixels.ndim == 2 else page.pixels.mean(axis=2)
    np.testing.assert_allclose(seen, GREY, atol=2)  # YCbCr and CMYK round


def test_a_pillow_picture_of_one_bit_is_white_where_it_is_one():
    [page] = open_given(PICTURE.convert("1", dither=Image.Dither.NONE))
    np.testing.assert_array_equal(page.pixels, TWO_TONES)
    assert page.bilevel


def test_a_pillow_picture_of_16_bits_keeps_them():
    [page] = open_given(Image.fromarray(GREY.astype(np.uint16) * 257))
    np.testing.assert_array_equal(page.pixels, GREY.astype(np.uint16) * 257)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (GREY, GREY),
        (GREY[..., None], GREY),
        (GREY[None], GREY),
        (GREY.astype(np.int64), GREY),
        (GREY > 127, TWO_TONES),
        (GREY.astype(np.uint16) * 257, GREY.astype(np.uint16) * 257),
        (GREY / 255, GREY.astype(np.uint16) * 257),
        (GREY.astype(np.float32) / 255, GREY.astype(np.uint16) * 257),
        (np.stack([GREY] * 3, axis=2), np.stack([GREY] * 3, axis=2)),
    ],
)
def test_an_array_of_any_numbers_shows_the_same(array, expected):
    page = page_of_array(array)
    np.testing.assert_array_equal(page.pixels, expected)
    assert page.pixels.dtype == expected.dtype


def test_a_transparent_array_lies_on_white_paper():
    """By hand: black at half opacity on white is mid-grey, 255 * (1 - 128 / 255) = 127."""
    [page] = open_given(
        np.dstack([np.zeros((2, 2, 3), np.uint8), np.array([[0, 128], [255, 128]], np.uint8)])
    )
    np.testing.assert_array_equal(page.pixels[..., 0], [[255, 127], [0, 127]])
    np.testing.assert_array_equal(page.alpha, [[0, 128], [255, 128]])


def test_a_path_and_the_bytes_of_a_file_show_the_same_pages(tmp_path):
    content = file_of(
        PICTURE, "TIFF", save_all=True, append_images=[PICTURE.transpose(Image.Transpose.ROTATE_180)]
    )
    (tmp_path / "two.tif").write_bytes(content)
    for given in (tmp_path / "two.tif", str(tmp_path / "two.tif"), content):
        first, second = open_given(given)
        np.testing.assert_array_equal(first.pixels, GREY)
        np.testing.assert_array_equal(second.pixels, GREY[::-1, ::-1])
    [drawn] = open_given(file_of(PICTURE, "PDF", resolution=300))
    assert drawn.pixels.shape == GREY.shape


def test_a_batch_is_a_list_or_an_array_of_four_axes():
    assert split_batch(GREY) is None and split_batch(PICTURE) is None and split_batch("a.png") is None
    assert split_batch([GREY, "a.png"])[1] == "a.png"
    for array in (np.zeros((5, 1, 28, 30)), np.zeros((5, 28, 30, 1))):
        assert [one.shape for one in split_batch(array)] == [(28, 30, 1)] * 5
    for shape in ((2, 3, 28, 3), (2, 7, 28, 28)):
        with pytest.raises(InputError, match="Give a list of pictures"):
            split_batch(np.zeros(shape))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (PICTURE.convert("F"), "floating-point"),
        (7, "type int is not a picture"),
        (None, "type NoneType is not a picture"),
        (np.zeros((5, 28, 28)), r"shape \(5, 28, 28\) is not a picture"),
        (np.zeros((0, 28)), "is not a picture"),
        (np.full((4, 4), 2.0), r"in \[0, 1\], 1 = white; found 2 to 2"),
        (np.full((4, 4), np.nan), "found nan"),
        (np.full((4, 4), -1), r"0..65535, found -1"),
        (np.full((4, 4), "a"), "array of numbers"),
        (b"no picture", "its format is not known"),
        (Path("nowhere.png"), "there is no file nowhere.png"),
    ],
)
def test_everything_else_is_refused_in_one_sentence(given, sentence):
    with pytest.raises(InputError, match=sentence):
        open_given(given)


def test_what_generate_gives_read_takes():
    """Twelve images of a digit each: all read, and as what was asked for."""
    readings = legible.read(legible.generate("120120120120", temperature=0.5))
    assert [reading.text for reading in readings] == [*"120120120120"]
    alone = legible.read(legible.generate(7, temperature=0.5)[0])
    assert alone.text == "7" and len(alone.boxes) == 1


def test_all_pages_of_a_file_are_read_into_one_reading(tmp_path):
    images = legible.generate("31", temperature=0.5)[:, 0]
    pages = [
        Image.fromarray(np.pad(255 - (one * 255).astype(np.uint8), 20, constant_values=255)) for one in images
    ]
    pages[0].save(tmp_path / "two.tif", save_all=True, append_images=pages[1:])
    reading = legible.read(tmp_path / "two.tif")
    assert reading.text == "3\n1" and [line.page for line in reading.lines] == [1, 2]
    assert [line.get("page", 1) for line in reading.to_json()["lines"]] == [1, 2]
    saved = reading.save(tmp_path / "read.pdf")
    assert len(open_given(saved)) == 2 and reading._repr_html_().count("<img") == 2


def test_a_reading_is_saved_as_a_picture_and_replaces_nothing_unasked(tmp_path):
    reading = legible.read(legible.generate("8", temperature=0.5)[0])
    path = reading.save(tmp_path / "read.png")
    with Image.open(path) as picture:
        assert picture.mode == "RGB" and min(picture.size) >= 300  # enlarged, so that its letters fit
    with pytest.raises(legible.errors.OutputError, match="exists already"):
        reading.save(path)
    with pytest.raises(legible.errors.ArgumentError, match="cannot be written"):
        reading.save(tmp_path / "read.doc")


def test_a_clean_page_is_saved_with_the_scans_resolution(tmp_path):
    scan = Image.fromarray(np.full((120, 90), 220, np.uint8))
    scan.save(tmp_path / "scan.png", dpi=(200, 200))
    page = legible.clean(tmp_path / "scan.png", mode="black-and-white")
    with Image.open(page.save(tmp_path / "clean.png")) as saved:
        assert saved.mode == "1" and saved.size == (90, 120) and round(saved.info["dpi"][0]) == 200
    plain = page.to_json()
    assert (plain["width_px"], plain["height_px"], plain["vanished"]) == (90, 120, []) and page.boxes == ()
    assert page._repr_png_().startswith(b"\x89PNG")
