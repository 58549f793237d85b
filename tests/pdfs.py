"""Small PDFs for tests: pages with a scan on them, made with pikepdf, and what is seen of them."""

import io
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 320, 240
STAIN = (slice(180, 220), slice(240, 290))  # rows and columns


def draw_page(mode: str = "L", *, stain: bool = True) -> Image.Image:
    """A grey page with lines of strokes, and a pale stain at STAIN."""
    page = np.full((HEIGHT, WIDTH), 230, np.uint8)
    if stain:
        page[STAIN] = 190
    for top in range(24, 160, 18):
        for left in range(24, 280, 12):
            page[top : top + 10, left : left + 2] = 20
            page[top + 8 : top + 10, left : left + 7] = 20
    return Image.fromarray(page).convert(mode)


def draw_photograph() -> Image.Image:
    """A picture of no paper: dark, with light spots, and grain."""
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.normal(70, 25, (HEIGHT, WIDTH)).clip(0, 255).astype(np.uint8))
    ImageDraw.Draw(picture).ellipse((60, 40, 160, 120), fill=180)
    return picture


def to_jpeg(picture: Image.Image, **settings) -> bytes:
    written = io.BytesIO()
    picture.save(written, "JPEG", **({"quality": 85} | settings))
    return written.getvalue()


def add_picture(pdf: pikepdf.Pdf, picture: Image.Image, data: bytes | None = None, **more) -> pikepdf.Stream:
    """An image XObject of a grey or RGB picture, without loss unless data and a Filter are given."""
    space = {"L": Name.DeviceGray, "RGB": Name.DeviceRGB, "CMYK": Name.DeviceCMYK}.get(picture.mode)
    stream = pdf.make_stream(picture.tobytes() if data is None else data)
    facts = {"Type": Name.XObject, "Subtype": Name.Image, "Width": picture.width, "Height": picture.height,
             "BitsPerComponent": 8, "ColorSpace": space, **more}  # fmt: skip
    for key, value in facts.items():
        if value is not None:
            stream[f"/{key}"] = value
    return pdf.make_indirect(stream)


def images_of(pdf: pikepdf.Pdf, number: int = 0) -> dict[str, pikepdf.Stream]:
    """The pictures among a page's resources, by their names."""
    return dict(pdf.pages[number].Resources.XObject.items())


def add_page(
    pdf: pikepdf.Pdf, images: dict[str, pikepdf.Stream], content: bytes = b"", **more
) -> pikepdf.Page:
    """A page of WIDTH x HEIGHT points. content: what it draws; the picture I over all of it if empty."""
    page = pdf.add_blank_page(page_size=(WIDTH, HEIGHT))
    page.Resources = Dictionary(XObject=Dictionary(images), **more)
    page.Contents = pdf.make_stream(content or b"q %d 0 0 %d 0 0 cm /I Do Q" % (WIDTH, HEIGHT))
    return page


def save_scan(path: Path | str, *pictures: Image.Image) -> Path:
    """A PDF with a picture on each page."""
    with pikepdf.new() as pdf:
        for picture in pictures or (draw_page(),):
            add_page(pdf, {"/I": add_picture(pdf, picture)})
        pdf.save(path)
    return Path(path)


def seen(path: Path | str, number: int = 0) -> np.ndarray:
    """A page as it is shown, (H, W, 3) bytes, a pixel for each point."""
    document = pypdfium2.PdfDocument(str(path))
    try:
        return np.array(document[number].render(scale=1, rev_byteorder=True).to_numpy()[..., :3])
    finally:
        document.close()


def text_of(path: Path | str, number: int = 0) -> str:
    document = pypdfium2.PdfDocument(str(path))
    try:
        return document[number].get_textpage().get_text_bounded()
    finally:
        document.close()


def add_font(page: pikepdf.Page) -> None:
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    page.Resources.Font = Dictionary(F=font)


def add_signature(pdf: pikepdf.Pdf) -> None:
    """A signature field with a value, which no one could verify."""
    value = Dictionary(Type=Name.Sig, Filter=Name("/Adobe.PPKLite"), Contents=b"\0" * 20)
    field = pdf.make_indirect(Dictionary(Subtype=Name.Widget, FT=Name.Sig, T="S", Rect=[0, 0, 0, 0], V=value))
    pdf.Root.AcroForm = Dictionary(Fields=Array([field]), SigFlags=3)
