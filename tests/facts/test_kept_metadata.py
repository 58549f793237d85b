"""What a scan's file says besides its pixels is in the clean file too: who, when, what, how fine.

Source of the expected values: files written here by Pillow and cv2 or after the formats' texts.
"""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, PngImagePlugin
from PIL.TiffImagePlugin import AppendingTiffWriter, IFDRational, ImageFileDirectory_v2

from legible.documents.document import open_document, write_document
from legible.documents.page import Page
from tests.conftest import run_command

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>archive</rdf:RDF></x:xmpmeta>'
TAGS = {  # of TIFF: type and value, as Pillow reads them
    269: (2, "the book"), 270: (2, "a description"), 271: (2, "a maker"), 285: (2, "folio 3"),
    305: (2, "a scanner's program"), 306: (2, "1999:12:31 23:59:59"), 315: (2, "J\u00fcrgen"),
    316: (2, "a host"), 33432: (2, "(c) an archive"), 282: (5, IFDRational(1181, 10)),
    283: (5, IFDRational(1181, 10)), 296: (3, 3), 297: (3, (2, 5)), 700: (1, XMP),
}  # fmt: skip
COPYRIGHT = b"\x1c\x02\x74\x00\x0a(c) archiv"  # IPTC record 2:116
PHOTOSHOP = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + len(COPYRIGHT).to_bytes(4, "big") + COPYRIGHT + b"\0"


def draw_page(size: tuple[int, int] = (120, 90)) -> Image.Image:
    page = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(page)
    draw.text((10, 20), "Ink 1834", fill=(20, 20, 90))
    draw.line((10, 60, 100, 65), fill=(120, 20, 20), width=2)
    return page


def pages_of(path: Path) -> list[Page]:
    with open_document(path) as document:
        return list(document)


def copy(source: Path, suffix: str = "") -> Path:
    """The file read and written again, its pixels as they are."""
    target = source.with_name(f"copy{suffix or source.suffix}")
    write_document(target, pages_of(source), overwrite=True)
    return target


def said_by(number: int) -> ImageFileDirectory_v2:
    tags = ImageFileDirectory_v2()
    for name, (kind, value) in TAGS.items():
        tags.tagtype[name] = kind
        tags[name] = value.encode("latin-1") if isinstance(value, str) else value
    tags[285] = f"folio {number}"
    return tags


@pytest.fixture
def mixed(tmp_path) -> Path:
    """A TIFF of pages of black and white, grey, 16 bits, colour and transparency."""
    with AppendingTiffWriter(str(tmp_path / "mixed.tif"), new=True) as file:
        for number, mode in enumerate(["1", "L", "I;16", "RGB", "RGBA"]):
            page = Image.new(mode, (40, 30), None) if mode == "I;16" else draw_page((40, 30)).convert(mode)
            page.save(file, format="TIFF", compression="raw", tiffinfo=said_by(number))
            file.newFrame()
    return tmp_path / "mixed.tif"


def test_each_page_of_a_tiff_keeps_its_tags(mixed):
    with Image.open(copy(mixed)) as back:
        assert back.n_frames == 5
        for number in range(5):
            back.seek(number)
            said = {name: back.tag_v2.get(name) for name in TAGS}
            expected = {name: value for name, (_, value) in TAGS.items()} | {285: f"folio {number}"}
            assert said == expected, number


def test_cleaning_keeps_the_tags_of_a_tiff(mixed, tmp_path):
    assert run_command("clean", mixed, "-o", tmp_path / "out.tif").code == 0
    with Image.open(tmp_path / "out.tif") as back:
        assert [(back.seek(n), back.tag_v2[315], back.tag_v2[297])[1:] for n in range(5)] == [
            ("J\u00fcrgen", (2, 5))
        ] * 5


def chunks_of(path: Path, *names: bytes) -> list[bytes]:
    data, at, found = path.read_bytes(), 8, []
    while at < len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        found += [name + data[at + 8 : at + 8 + length]] if name in names else []
        at += length + 12
    return found


@pytest.fixture
def png(tmp_path) -> Path:
    said = PngImagePlugin.PngInfo()
    said.add_text("Author", "an archive")
    said.add_text("Comment", "long " * 99, zip=True)
    said.add_itxt("Title", "\u0436\u0443\u0440\u043d\u0430\u043b", lang="ru", tkey="\u0438\u043c\u044f")
    said.add_itxt("XML:com.adobe.xmp", XMP.decode())
    said.add(b"tIME", bytes([7, 207, 12, 31, 23, 59, 59]))
    draw_page().save(tmp_path / "page.png", pnginfo=said, dpi=(300, 300))
    return tmp_path / "page.png"


def test_a_png_keeps_its_chunks_of_text_and_its_time(png, tmp_path):
    names = (b"tEXt", b"iTXt", b"zTXt", b"tIME")
    assert len(chunks_of(png, *names)) == 5
    assert sorted(chunks_of(copy(png), *names)) == sorted(chunks_of(png, *names))
    assert run_command("clean", png, "-o", tmp_path / "out.png").code == 0
    assert sorted(chunks_of(tmp_path / "out.png", *names)) == sorted(chunks_of(png, *names))


@pytest.fixture
def jpeg(tmp_path) -> Path:
    extra = b"\xff\xed" + (len(PHOTOSHOP) + 2).to_bytes(2, "big") + PHOTOSHOP
    noise = np.random.default_rng(3).integers(-9, 9, (900, 1200, 3))
    pixels = (np.asarray(draw_page((1200, 900))) + noise).clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(
        tmp_path / "page.jpg", quality=40, subsampling=1, xmp=XMP, comment=b"shelf 9", extra=extra
    )
    return tmp_path / "page.jpg"


def test_a_jpeg_keeps_xmp_iptc_and_comment(jpeg):
    with Image.open(copy(jpeg)) as back:
        assert back.info["xmp"] == XMP and back.info["comment"] == b"shelf 9"
        assert ("APP13", PHOTOSHOP) in back.applist


def test_a_jpeg_is_encoded_as_before_and_about_as_large(jpeg):
    with Image.open(jpeg) as before, Image.open(copy(jpeg)) as after:
        assert after.quantization == before.quantization and after.layer == before.layer
    assert copy(jpeg).stat().st_size == pytest.approx(jpeg.stat().st_size, rel=0.1)


def test_a_jpeg_cleaned_in_grey_has_the_table_of_its_lightness(jpeg, tmp_path):
    assert run_command("clean", jpeg, "-o", tmp_path / "out.jpg").code == 0
    with Image.open(jpeg) as before, Image.open(tmp_path / "out.jpg") as after:
        assert after.mode == "L" and after.quantization == {0: before.quantization[0]}
    assert (tmp_path / "out.jpg").stat().st_size < jpeg.stat().st_size


def test_a_webp_keeps_its_xmp_and_a_png_made_of_it_too(tmp_path):
    draw_page().save(tmp_path / "page.webp", xmp=XMP)
    for suffix in (".webp", ".png"):
        with Image.open(copy(tmp_path / "page.webp", suffix)) as back:
            back.load()
            assert back.info["xmp"] in (XMP, XMP.decode())


def test_a_photo_turned_upright_by_its_xmp_is_not_turned_again(tmp_path):
    turned = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><d tiff:Orientation="6"/></x:xmpmeta>'
    draw_page().save(tmp_path / "page.jpg", xmp=turned)
    [upright] = pages_of(tmp_path / "page.jpg")
    [again] = pages_of(copy(tmp_path / "page.jpg"))
    assert upright.pixels.shape == again.pixels.shape == (120, 90, 3)


def test_damaged_exif_data_are_dropped_with_a_warning(tmp_path):
    for name, data in (
        ("header", b"Exif\0\0rubbish rubbish"),
        ("cut", b"Exif\0\0II*\0\x08\0\0\0\x09\0\x0f\x01"),
    ):
        draw_page().save(tmp_path / f"{name}.jpg", exif=data)
        answer = run_command("clean", tmp_path / f"{name}.jpg", "-o", tmp_path / f"clean-{name}.jpg")
        assert answer.code == 0 and f"{name}.jpg, page 1: its EXIF data are damaged" in answer.err
        with Image.open(tmp_path / f"clean-{name}.jpg") as back:
            assert "exif" not in back.info


def deep_colours(channels: int = 3) -> np.ndarray:
    pixels = np.random.default_rng(4).integers(0, 65_536, (40, 30, channels)).astype(np.uint16)
    if channels == 4:
        pixels[..., 3] = 65_535
    return pixels


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_colours_of_sixteen_bits_keep_them(suffix, channels, tmp_path):
    pixels = deep_colours(channels)
    order = [2, 1, 0, 3][:channels]  # cv2's
    cv2.imwrite(str(tmp_path / f"deep{suffix}"), pixels[..., order])
    [page] = pages_of(tmp_path / f"deep{suffix}")
    np.testing.assert_array_equal(page.pixels, pixels[..., :3])
    back = cv2.imread(str(copy(tmp_path / f"deep{suffix}")), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(back[..., order], pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_colours_of_sixteen_bits_are_turned_upright_like_others(orientation, tmp_path):
    pixels = deep_colours()
    tags = ImageFileDirectory_v2()
    tags[274] = orientation
    Image.fromarray((pixels >> 8).astype(np.uint8)).save(tmp_path / "a.tif", tiffinfo=tags)
    write_document(tmp_path / "b.tif", [Page(pixels, kept={"tags": {274: (3, orientation)}})])
    [eight], [sixteen] = pages_of(tmp_path / "a.tif"), pages_of(tmp_path / "b.tif")
    np.testing.assert_array_equal(sixteen.pixels >> 8, eight.pixels)


@pytest.mark.parametrize("mode", ["grey", "colour"])
def test_colours_of_sixteen_bits_are_cleaned_in_them(mode, tmp_path):
    page = np.asarray(draw_page((300, 200))).astype(np.uint16) * 257
    said = tmp_path / "deep.png"
    cv2.imwrite(str(said), page[..., ::-1])
    assert run_command("clean", said, "-o", tmp_path / "out.png", "--mode", mode).code == 0
    assert cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED).dtype == np.uint16


def test_a_png_of_sixteen_bits_keeps_its_words_and_resolution(tmp_path):
    page = Page(deep_colours(), dpi=(300, 300), kept={"chunks": [(b"tEXt", b"Author\0an archive")]})
    write_document(tmp_path / "deep.png", [page])
    assert chunks_of(tmp_path / "deep.png", b"tEXt") == [b"tEXtAuthor\0an archive"]
    with Image.open(tmp_path / "deep.png") as back:
        assert back.info["dpi"] == pytest.approx((300, 300), rel=0.001)
        back.load()


def test_a_png_with_a_palette_stays_small(tmp_path):
    pixels = np.random.default_rng(5).choice([0, 1, 2], p=[0.9, 0.05, 0.05], size=(400, 300)).astype(np.uint8)
    few = Image.fromarray(pixels)
    few.putpalette([255, 255, 255, 0, 0, 90, 120, 20, 20])
    few.save(tmp_path / "few.png", optimize=True)
    back = copy(tmp_path / "few.png")
    assert back.stat().st_size < 1.1 * (tmp_path / "few.png").stat().st_size
    np.testing.assert_array_equal(Image.open(back).convert("RGB"), few.convert("RGB"))


def test_a_cleaned_page_with_a_palette_has_white_paper_and_few_colours(tmp_path):
    page = draw_page((1200, 900))
    letters = np.random.default_rng(6).choice(list("abcdefghijklmnopqrst uvwxyz"), (20, 150))
    for row, line in enumerate(letters):
        ImageDraw.Draw(page).text((60, 100 + 40 * row), "".join(line), fill=(20, 20, 90))
    page = page.quantize(16)
    page.save(tmp_path / "few.png")
    for mode in ("grey", "colour"):
        out = tmp_path / f"{mode}.png"
        assert run_command("clean", tmp_path / "few.png", "-o", out, "--mode", mode).code == 0
        with Image.open(out) as back:
            assert back.mode == "P" and back.convert("L").getextrema()[1] == 255
        assert out.stat().st_size < 3 * (tmp_path / "few.png").stat().st_size
