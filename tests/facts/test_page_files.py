"""Page files keep what belongs to a scan: size, depth, resolution, alpha, colour, pages.

Source of the expected values: what Pillow and pdfium read back from the files.
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from legible.documents.document import open_document, write_document
from legible.documents.formats import suffixes
from legible.documents.page import Page
from legible.errors import ArgumentError, InputError


@pytest.fixture
def grey(rng) -> np.ndarray:
    page = np.full((90, 60), 250, np.uint8)
    page[20:30, 10:50] = rng.integers(0, 60, (10, 40))
    return page


def round_trip(path: Path, *pages: Page) -> list[Page]:
    write_document(path, pages)
    with open_document(path) as document:
        assert document.n_pages == len(pages)
        return list(document)


@pytest.mark.parametrize("suffix", suffixes(written=True))
def test_a_page_keeps_size_and_resolution(suffix, grey, tmp_path):
    (back,) = round_trip(tmp_path / f"page{suffix}", Page(grey, dpi=(200.0, 200.0)))
    assert back.pixels.shape == grey.shape or suffix in (".webp", ".pdf")
    assert back.pixels.shape[:2] == grey.shape
    assert np.abs(back.pixels.reshape(90, 60, -1)[..., 0].astype(int) - grey).mean() < 3
    if suffix != ".webp":  # which has no place for it
        assert back.dpi == pytest.approx((200, 200), rel=0.01)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_and_one_bit_stay(suffix, grey, tmp_path):
    deep = grey.astype(np.uint16) * 257 - 3
    (back,) = round_trip(tmp_path / f"deep{suffix}", Page(deep))
    np.testing.assert_array_equal(back.pixels, deep)
    two = np.where(grey > 128, 255, 0).astype(np.uint8)
    (back,) = round_trip(tmp_path / f"two{suffix}", Page(two, bilevel=True))
    assert back.bilevel
    np.testing.assert_array_equal(back.pixels, two)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_alpha_stays_and_what_is_transparent_is_white(suffix, grey, tmp_path):
    alpha = np.full(grey.shape, 255, np.uint8)
    alpha[:10] = 0
    path = tmp_path / f"clear{suffix}"
    colour = np.stack([grey, grey // 2, grey], axis=2)
    Image.fromarray(np.dstack([colour, alpha])).save(
        path, **({"lossless": True} if suffix == ".webp" else {})
    )
    with open_document(path) as document:
        (page,) = document
    assert (page.pixels[:10] == 255).all() and page.pixels.shape == (90, 60, 3)
    np.testing.assert_array_equal(page.alpha, alpha)
    (back,) = round_trip(tmp_path / f"again{suffix}", page)
    np.testing.assert_array_equal(back.alpha, alpha)


def test_a_photograph_is_turned_upright_and_says_so_no_more(grey, tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"  # lies on its side
    Image.fromarray(grey).save(tmp_path / "photo.jpg", exif=exif, quality=95)
    with open_document(tmp_path / "photo.jpg") as document:
        (page,) = document
    assert page.pixels.shape == (60, 90)
    round_trip(tmp_path / "again.jpg", page)
    with Image.open(tmp_path / "again.jpg") as again:
        assert again.getexif().get(0x010F) == "a camera" and 0x0112 not in again.getexif()


@pytest.mark.parametrize("suffix", [".tif", ".pdf"])
def test_many_pages_of_different_sizes(suffix, grey, tmp_path):
    pages = [
        Page(grey, dpi=(100, 100)),
        Page(grey[:, ::-1].copy(), dpi=(200, 200)),
        Page(grey[:50], dpi=(100, 100)),
    ]
    back = round_trip(tmp_path / f"book{suffix}", *pages)
    assert [page.pixels.shape[:2] for page in back] == [(90, 60), (90, 60), (50, 60)]
    assert back[1].dpi == pytest.approx((200, 200), rel=0.01)


def test_one_page_forms_refuse_several(grey, tmp_path):
    with pytest.raises(ArgumentError, match=r"PNG holds one page. Choose .tif or .pdf"):
        write_document(tmp_path / "a.png", [Page(grey), Page(grey)])


def test_what_is_no_page_is_refused_in_one_sentence(grey, tmp_path):
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "cut.pdf").write_bytes(b"%PDF-1.4 and no more")
    write_document(tmp_path / "whole.png", [Page(grey)])
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:120])
    for name, reason in (
        ("text.png", "not a picture"),
        ("cut.pdf", "damaged: Failed to load document (PDFium: Data format error). Replace or remove it."),
        ("half.png", "damaged"),
        ("no.png", "no file"),
    ):
        with (
            pytest.raises(InputError, match=f"{name}.*") as caught,
            open_document(tmp_path / name) as document,
        ):
            list(document)
        assert reason in str(caught.value), name


def test_a_page_over_the_limit_is_refused_before_it_is_read(grey, tmp_path):
    write_document(tmp_path / "page.png", [Page(grey)])
    with (
        pytest.raises(InputError, match=r"60 x 90 pixels, more than the limit.*--max-megapixels"),
        open_document(tmp_path / "page.png", most_pixels=5000) as document,
    ):
        list(document)


def write_raw_pdf(path: Path, kids: str, trailer: str = "") -> None:
    """A PDF written by hand; readers find its parts without a table of contents."""
    count = len(kids.split()) // 3
    body = f"1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj 2 0 obj <</Type/Pages/Count {count}/Kids[{kids}]>> "
    body += "endobj\n"
    body += "3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 72 144]>> endobj\n"
    path.write_text(f"%PDF-1.4\n{body}trailer <</Root 1 0 R{trailer}>>\n%%EOF\n", encoding="latin-1")


def test_a_pdf_without_pages_or_behind_a_password_is_refused(tmp_path):
    write_raw_pdf(tmp_path / "plain.pdf", "3 0 R")
    with open_document(tmp_path / "plain.pdf", dpi=72) as document:
        (page,) = document
    assert page.pixels.shape == (144, 72) and (page.pixels == 255).all()
    write_raw_pdf(tmp_path / "none.pdf", "")
    with pytest.raises(InputError, match=r"none.pdf (has no pages|is not a PDF, or damaged)"):
        open_document(tmp_path / "none.pdf")
    secret = "".join(f"{i:02x}" for i in range(32))
    locked = f"/ID[<00><00>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<{secret}>/U<{secret}>>>"
    write_raw_pdf(tmp_path / "locked.pdf", "3 0 R", locked)
    with pytest.raises(InputError, match=r"locked.pdf asks for a password; save a copy without one"):
        open_document(tmp_path / "locked.pdf")


def test_a_coloured_page_can_be_had_in_grey(tmp_path):
    colour = np.full((40, 30, 3), (200, 100, 50), np.uint8)
    for name in ("a.png", "a.jpg", "a.tif"):
        Image.fromarray(colour).save(tmp_path / name)
        with open_document(tmp_path / name, colour=False) as document:
            (page,) = document
        assert page.pixels.shape == (40, 30)
        assert abs(int(page.pixels[20, 15]) - (0.299 * 200 + 0.587 * 100 + 0.114 * 50)) < 3
