"""`legible clean` on PDFs: the scans inside are cleaned in their place, and all else stays."""

import io
import json
import tracemalloc

import numpy as np
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, OutlineItem
from PIL import Image, ImageCms

import legible as package
from legible.errors import OutputError
from tests.pdfs import (
    HEIGHT,
    STAIN,
    WIDTH,
    add_font,
    add_page,
    add_picture,
    add_signature,
    draw_page,
    draw_photograph,
    images_of,
    save_scan,
    seen,
    text_of,
    to_jpeg,
)

WHITE = 245  # the least of clean paper


def pixels_in(path, number=0) -> np.ndarray:
    """The stored pixels of the only picture on a page."""
    with pikepdf.open(path) as pdf:
        (image,) = images_of(pdf, number).values()
        return np.asarray(pikepdf.PdfImage(image).as_pil_image())


def is_clean(page: np.ndarray) -> bool:
    """Whether the stain is gone and the strokes are there, on a page as it is seen."""
    return page[STAIN].min() >= WHITE and page[24:160, 24:280].min() < 90


@pytest.fixture
def rich(tmp_path):
    """Two pages with all that a scan's PDF may hold besides pictures."""
    with pikepdf.new() as pdf:
        for n in range(2):
            text = b"BT 3 Tr /F 11 Tf 30 200 Td (layer %d) Tj ET" % n
            scan = add_picture(pdf, draw_page(), to_jpeg(draw_page()), Filter=Name.DCTDecode)
            page = add_page(pdf, {"/I": scan}, b"q %d 0 0 %d 0 0 cm /I Do Q " % (WIDTH, HEIGHT) + text)
            add_font(page)
            page.obj.UserUnit, page.obj.CropBox = 2, Array([5, 5, WIDTH - 5, HEIGHT - 5])
            link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[1, 1, 9, 9],
                              A=Dictionary(S=Name.URI, URI="https://example.com/"))  # fmt: skip
            page.obj.Annots = Array([pdf.make_indirect(link)])
        field = pdf.make_indirect(
            Dictionary(Subtype=Name.Widget, FT=Name.Tx, T="name", V="JANE", Rect=[9, 9, 99, 20])
        )
        pdf.pages[0].obj.Annots.append(field)
        pdf.Root.AcroForm = Dictionary(Fields=Array([field]))
        pdf.Root.PageLabels = Dictionary(Nums=Array([0, Dictionary(S=Name.r)]))
        pdf.Root.Lang = "de"
        pdf.attachments["invoice.xml"] = b"<invoice/>"
        with pdf.open_outline() as outline:
            outline.root.append(OutlineItem("Chapter", 1))
        with pdf.open_metadata() as metadata:
            metadata["dc:title"] = "My scan"
        pdf.docinfo["/Author"] = "A. Author"
        pdf.save(tmp_path / "rich.pdf")
    return tmp_path / "rich.pdf"


def test_everything_but_dirt_stays(rich, legible):
    done = legible("clean", rich, "-o", "out.pdf")
    assert done.code == 0, done.err
    assert seen("out.pdf").max() == 255 and is_clean(np.stack([pixels_in("out.pdf")] * 3, axis=2))
    with pikepdf.open("out.pdf") as pdf, pikepdf.open(rich) as before:
        for page, old in zip(pdf.pages, before.pages, strict=True):
            assert (page.obj.UserUnit, page.cropbox, page.mediabox) == (2, old.cropbox, old.mediabox)
            assert str(page.obj.Annots[0].A.URI) == "https://example.com/"
            assert (page.Contents.read_bytes(), page.label) == (old.Contents.read_bytes(), old.label)
        assert str(pdf.Root.AcroForm.Fields[0].V) == "JANE" and str(pdf.Root.Lang) == "de"
        assert pdf.attachments["invoice.xml"].get_file().read_bytes() == b"<invoice/>"
        assert pdf.open_outline().root[0].title == "Chapter" and str(pdf.docinfo["/Author"]) == "A. Author"
        assert pdf.Root.Metadata.read_bytes() == before.Root.Metadata.read_bytes()
    assert [text_of("out.pdf", n) for n in (0, 1)] == ["layer 0", "layer 1"]


def test_a_jpeg_stays_a_jpeg_of_its_quality(rich, legible):
    assert legible("clean", rich, "-o", "out.pdf").code == 0
    with pikepdf.open("out.pdf") as pdf, pikepdf.open(rich) as before:
        tables = [
            Image.open(io.BytesIO(next(iter(images_of(each).values())).read_raw_bytes())).quantization
            for each in (pdf, before)
        ]
    assert tables[0] == tables[1]


PLACES = {
    "inside two forms": b"",
    "turned by its matrix": b"q 0 240 -180 0 250 0 cm /I Do Q",
    "mirrored": b"q -%d 0 0 %d %d 0 cm /I Do Q" % (WIDTH, HEIGHT, WIDTH),
    "skewed": b"q %d 4 0 %d 0 0 cm /I Do Q" % (WIDTH, HEIGHT - 8),
}


def wrap(pdf, content, things, matrix) -> pikepdf.Stream:
    """A form XObject as large as a unit square before its matrix."""
    form = {"Type": Name.XObject, "Subtype": Name.Form, "BBox": [0, 0, 1, 1], "Matrix": matrix}
    return pdf.make_stream(content, **form, Resources=Dictionary(XObject=Dictionary(things)))


@pytest.mark.parametrize("place", PLACES)
def test_a_picture_is_cleaned_wherever_it_is(place, legible):
    with pikepdf.new() as pdf:
        image = add_picture(pdf, draw_page())
        if place == "inside two forms":
            inner = wrap(pdf, b"/I Do", {"/I": image}, [1, 0, 0, 1, 0, 0])
            outer = wrap(pdf, b"/J Do", {"/J": inner}, [WIDTH, 0, 0, HEIGHT, 0, 0])
            add_page(pdf, {"/F": outer}, b"/F Do")
        else:
            add_page(pdf, {"/I": image}, PLACES[place])
        pdf.save("in.pdf")
    done = legible("clean", "in.pdf", "-o", "out.pdf", "--json")
    (line,) = map(json.loads, done.out.splitlines())
    assert (line["action"], line["width"], line["height"]) == ("cleaned", WIDTH, HEIGHT)
    with pikepdf.open("out.pdf") as pdf:
        image = next(each for each in pdf.objects if isinstance(each, pikepdf.Stream) and "/Width" in each)
        stored = np.asarray(pikepdf.PdfImage(image).as_pil_image())
    assert is_clean(stored) and stored.shape == (HEIGHT, WIDTH)


def test_strips_are_cleaned_as_one_picture_and_put_back_in_their_parts(legible):
    save_scan("whole.pdf")
    whole, n = np.asarray(draw_page()), 4
    tall = HEIGHT // n
    with pikepdf.new() as pdf:
        strips = {
            f"/S{i}": add_picture(pdf, Image.fromarray(whole[i * tall : (i + 1) * tall])) for i in range(n)
        }
        content = b"\n".join(
            b"q %d 0 0 %d 0 %d cm /S%d Do Q" % (WIDTH, tall, HEIGHT - (i + 1) * tall, i) for i in range(n)
        )
        add_page(pdf, strips, content)
        pdf.save("strips.pdf")
    for name in ("whole", "strips"):
        assert legible("clean", f"{name}.pdf", "-o", f"{name}-out.pdf").code == 0
    with pikepdf.open("strips-out.pdf") as pdf:
        images = images_of(pdf, 0)
        parts = [np.asarray(pikepdf.PdfImage(images[f"/S{i}"]).as_pil_image()) for i in range(n)]
    assert [part.shape for part in parts] == [(tall, WIDTH)] * n
    assert np.array_equal(np.vstack(parts), pixels_in("whole-out.pdf"))


def in_palette(pdf):
    palette = draw_page().quantize(8)
    colours = bytes(palette.getpalette()[:24])
    return add_picture(
        pdf, palette, ColorSpace=Array([Name.Indexed, Name.DeviceRGB, 7, pikepdf.String(colours)])
    )


def in_four_bits(pdf):
    levels = np.asarray(draw_page()) // 17
    return add_picture(
        pdf, draw_page(), (levels[:, ::2] * 16 + levels[:, 1::2]).tobytes(), BitsPerComponent=4
    )


def in_lab(pdf):
    light = np.asarray(draw_page())
    space = Array([Name.Lab, Dictionary(WhitePoint=[0.9505, 1, 1.089])])
    data = np.dstack([light, np.full_like(light, 128), np.full_like(light, 128)]).tobytes()
    return add_picture(pdf, draw_page(), data, ColorSpace=space)


def in_icc(pdf):
    profile = pdf.make_stream(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), N=3)
    return add_picture(pdf, draw_page("RGB"), ColorSpace=Array([Name.ICCBased, profile]))


def in_separation(pdf):
    tint = Dictionary(FunctionType=2, Domain=[0, 1], C0=[0], C1=[1], N=1)
    space = Array([Name.Separation, Name.Black, Name.DeviceGray, tint])
    return add_picture(pdf, draw_page(), ColorSpace=space)


def in_jpeg_2000(pdf):
    written = io.BytesIO()
    draw_page().save(written, "JPEG2000")
    return add_picture(pdf, draw_page(), written.getvalue(), Filter=Name.JPXDecode, ColorSpace=None)


def in_ascii(pdf):
    data = to_jpeg(draw_page()).hex().encode() + b">"
    return add_picture(pdf, draw_page(), data, Filter=Array([Name.ASCIIHexDecode, Name.DCTDecode]))


FORMS = {
    "colour": lambda pdf: add_picture(pdf, draw_page("RGB")),
    "palette": in_palette,
    "4 bits": in_four_bits,
    "16 bits": lambda pdf: add_picture(
        pdf, draw_page(), (np.asarray(draw_page()).astype(">u2") * 257).tobytes(), BitsPerComponent=16
    ),
    "CMYK": lambda pdf: add_picture(pdf, draw_page("CMYK")),
    "Lab": in_lab,
    "ICC": in_icc,
    "Separation": in_separation,
    "inverted by Decode": lambda pdf: add_picture(
        pdf, draw_page(), (255 - np.asarray(draw_page())).tobytes(), Decode=[1, 0]
    ),
    "JPEG 2000": in_jpeg_2000,
    "JPEG in ASCII": lambda pdf: add_picture(
        pdf,
        draw_page(),
        to_jpeg(draw_page()).hex().encode() + b">",
        Filter=Array([Name.ASCIIHexDecode, Name.DCTDecode]),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_picture_is_cleaned_however_it_is_stored(form, legible):
    with pikepdf.new() as pdf:
        add_page(pdf, {"/I": FORMS[form](pdf)})
        pdf.save("in.pdf")
    done = legible("clean", "in.pdf", "-o", "out.pdf")
    assert done.code == 0, done.err
    assert is_clean(seen("out.pdf"))
    with pikepdf.open("out.pdf") as pdf:
        (image,) = images_of(pdf).values()
        assert (image.Width, image.Height) == (WIDTH, HEIGHT)


def test_an_inline_picture_is_cleaned(legible):
    with pikepdf.new() as pdf:
        data = draw_page().tobytes().hex().encode()
        inline = b"BI /W %d /H %d /CS /G /BPC 8 /F /AHx ID %s> EI" % (WIDTH, HEIGHT, data)
        add_page(pdf, {}, b"q %d 0 0 %d 0 0 cm %s Q" % (WIDTH, HEIGHT, inline))
        pdf.save("in.pdf")
    assert legible("clean", "in.pdf", "-o", "out.pdf").code == 0
    assert is_clean(seen("out.pdf"))


def test_a_page_of_one_bit_stays_so_and_its_strokes_keep_every_pixel(legible):
    page = np.asarray(draw_page(stain=False)) > 128
    dirty = page.copy()
    dirty[205, 250] = dirty[210, 30] = False  # specks
    with pikepdf.new() as pdf:
        space = {"BitsPerComponent": 1, "ColorSpace": Name.DeviceGray}
        add_page(pdf, {"/I": add_picture(pdf, draw_page(), np.packbits(dirty, axis=1).tobytes(), **space)})
        pdf.save("in.pdf")
    assert legible("clean", "in.pdf", "-o", "out.pdf").code == 0
    with pikepdf.open("out.pdf") as pdf:
        (image,) = images_of(pdf).values()
        assert image.BitsPerComponent == 1 and image.Filter in (Name.CCITTFaxDecode, Name.JBIG2Decode)
    assert np.array_equal(seen("out.pdf")[..., 0] > 128, page)


def test_what_is_transparent_stays_transparent(legible):
    with pikepdf.new() as pdf:
        mask = add_picture(pdf, Image.new("L", (WIDTH, HEIGHT), 128))
        add_page(pdf, {"/I": add_picture(pdf, draw_page(), SMask=mask)})
        blue = b"0 0 1 rg 0 0 999 999 re f q %d 0 0 %d 0 0 cm /I Do Q" % (WIDTH, HEIGHT)
        add_page(pdf, {"/I": add_picture(pdf, draw_page(), Mask=Array([190, 190]))}, blue)
        pdf.save("in.pdf")
    assert legible("clean", "in.pdf", "-o", "out.pdf").code == 0
    with pikepdf.open("out.pdf") as pdf:
        (image,) = images_of(pdf).values()
        assert set(image.SMask.read_bytes()) == {128}
    assert tuple(seen("out.pdf", 1)[200, 260]) == (0, 0, 255)  # the stain's colour is a hole in the page
    assert tuple(seen("out.pdf", 1)[230, 10]) > (WHITE, WHITE, WHITE)


def test_a_page_without_a_scan_keeps_the_file_byte_for_byte(legible):
    with pikepdf.new() as pdf:
        logo = add_picture(pdf, draw_page().resize((80, 70)))
        words = b" ".join(b"(%d words of text on this page) Tj" % n for n in range(20))
        page = add_page(
            pdf, {"/I": logo}, b"q 130 0 0 110 9 9 cm /I Do Q BT /F 9 Tf 20 200 Td " + words + b" ET"
        )
        add_font(page)
        add_page(pdf, {"/I": add_picture(pdf, draw_photograph())})
        pdf.save("in.pdf")
    done = legible("clean", "in.pdf", "-o", "out.pdf", "--json")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line["reason"] for line in lines] == [
        "a picture on a page of text", "it looks like a photograph, not like paper",
    ]  # fmt: skip
    with open("in.pdf", "rb") as before, open("out.pdf", "rb") as after:
        assert before.read() == after.read()


def test_layers_of_text_over_a_background_stay(legible):
    with pikepdf.new() as pdf:
        mask = add_picture(pdf, Image.new("L", (WIDTH, HEIGHT), 99))
        text = add_picture(pdf, Image.new("L", (WIDTH, HEIGHT), 20), SMask=mask)
        add_page(pdf, {"/I": add_picture(pdf, draw_page()), "/T": text},
                 b"q %d 0 0 %d 0 0 cm /I Do /T Do Q" % (WIDTH, HEIGHT))  # fmt: skip
        pdf.save("in.pdf")
    done = legible("clean", "in.pdf", "-o", "out.pdf", "--json")
    pictures = json.loads(done.out)["pictures"]
    assert [each["action"] for each in pictures] == ["cleaned", "left"]
    with pikepdf.open("out.pdf") as pdf:
        assert set(images_of(pdf, 0)["/T"].read_bytes()) == {20}


def test_a_signed_file_is_refused_unless_allowed(legible):
    save_scan("in.pdf")
    with pikepdf.open("in.pdf", allow_overwriting_input=True) as pdf:
        add_signature(pdf)
        pdf.save("in.pdf")
    done = legible("clean", "in.pdf", "-o", "out.pdf")
    assert done.code == 3 and "is signed" in done.err and "--allow-signed" in done.err
    assert legible("clean", "in.pdf", "-o", "out.pdf", "--allow-signed").code == 0
    assert is_clean(seen("out.pdf"))


def test_a_picture_that_cannot_be_decoded_leaves_its_page_and_is_told(legible):
    with pikepdf.new() as pdf:
        for data in (to_jpeg(draw_page()), b"garbage", to_jpeg(draw_page())):
            add_page(pdf, {"/I": add_picture(pdf, draw_page(), data, Filter=Name.DCTDecode)})
        pdf.save("in.pdf")
    done = legible("clean", "in.pdf", "-o", "out.pdf")
    assert done.code == 3 and "page 2: a picture on it cannot be decoded" in done.err
    assert [is_clean(seen("out.pdf", n)) for n in (0, 2)] == [True, True]
    with pikepdf.open("out.pdf") as pdf:
        assert next(iter(images_of(pdf, 1).values())).read_raw_bytes() == b"garbage"


def test_a_file_that_was_cut_off_is_repaired(legible):
    whole = save_scan("whole.pdf").read_bytes()
    with open("cut.pdf", "wb") as file:
        file.write(whole[:-120])
    done = legible("clean", "cut.pdf", "-o", "out.pdf")
    assert done.code == 0 and "has been repaired" in done.err
    assert is_clean(seen("out.pdf"))


def test_an_encrypted_file_stays_encrypted(legible):
    save_scan("plain.pdf")
    with pikepdf.open("plain.pdf") as pdf:
        pdf.save("in.pdf", encryption=pikepdf.Encryption(owner="secret", user=""))
        pdf.save("locked.pdf", encryption=pikepdf.Encryption(owner="secret", user="secret"))
    assert legible("clean", "in.pdf", "-o", "out.pdf").code == 0
    with pikepdf.open("out.pdf") as pdf:
        assert pdf.is_encrypted
    assert is_clean(seen("out.pdf"))
    done = legible("clean", "locked.pdf", "-o", "no.pdf")
    assert done.code == 3 and "locked.pdf asks for a password" in done.err


def test_only_chosen_pages_are_cleaned_and_the_others_keep_their_pixels(legible):
    save_scan("in.pdf", draw_page(), draw_page())
    assert legible("clean", "in.pdf", "-o", "out.pdf", "--pages", "2").code == 0
    assert np.array_equal(pixels_in("out.pdf", 0), np.asarray(draw_page()))
    assert is_clean(pixels_in("out.pdf", 1))


def test_a_resolution_is_for_pages_that_are_drawn_anew(legible):
    save_scan("in.pdf")
    done = legible("clean", "in.pdf", "-o", "out.pdf", "--dpi", "144")
    assert done.code == 2 and "--redraw" in done.err
    assert legible("clean", "in.pdf", "-o", "out.pdf", "--dpi", "144", "--redraw").code == 0
    assert pixels_in("out.pdf").shape[:2] == (2 * HEIGHT, 2 * WIDTH)


def test_a_dry_run_says_which_pages_hold_a_scan(legible):
    save_scan("in.pdf", draw_page(), draw_photograph())
    done = legible("clean", "in.pdf", "-o", "out.pdf", "--dry-run")
    assert [line.split()[0] for line in done.out.splitlines()] == ["clean", "leave"]
    assert "photograph" in done.out


def test_a_claim_of_pdf_a_stays_true_in_the_colour_space(legible):
    with pikepdf.new() as pdf:
        add_page(pdf, {"/I": in_icc(pdf)})
        with pdf.open_metadata() as metadata:
            metadata["pdfaid:part"], metadata["pdfaid:conformance"] = "2", "B"
        pdf.save("in.pdf")
    assert legible("clean", "in.pdf", "-o", "out.pdf").code == 0
    with pikepdf.open("out.pdf") as pdf:
        (image,) = images_of(pdf).values()
        assert image.ColorSpace[0] == Name.CalGray  # no device's own grey
        assert pdf.open_metadata().pdfa_status == "2B"


def test_python_cleans_a_file_to_a_file(tmp_path):
    scan, output = save_scan(tmp_path / "in.pdf"), tmp_path / "out.pdf"
    report = package.clean(scan, output=output)
    assert report.n_cleaned == 1 and is_clean(seen(output))
    with pytest.raises(OutputError, match="exists already"):
        package.clean(scan, output=output)


@pytest.mark.parametrize("content", [b"q 1 0 0", b"\xff\xfe(((", b"/I Do /I", b"1 1 1 cm BI /W 9 ID x"])
def test_content_in_disorder_is_no_reason_to_stop(content, legible):
    with pikepdf.new() as pdf:
        add_page(pdf, {"/I": add_picture(pdf, draw_page())}, content)
        pdf.save("in.pdf")
    done = legible("clean", "in.pdf", "-o", "out.pdf")
    assert done.code in (0, 3) and "Traceback" not in done.err
    assert text_of("out.pdf") == ""


def test_the_memory_needed_does_not_grow_with_the_number_of_pages(legible):
    page = draw_page().resize((960, 720))
    peaks = {}
    for n_pages in (1, 2, 8):  # the first run loads what all need
        save_scan("in.pdf", *[page] * n_pages)
        tracemalloc.start()
        assert legible("clean", "in.pdf", "-o", f"{n_pages}.pdf").code == 0
        peaks[n_pages] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks[8] - peaks[2] < 2 * page.width * page.height
