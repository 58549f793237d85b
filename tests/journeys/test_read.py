"""From pictures to the digits on them: the real command with the shipped models."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

import legible as package
from legible.errors import ArgumentError, InputError
from legible.images import to_bytes
from legible.inference.saved import load
from legible.reading.read import load_reader
from legible.seeds import rng_for

NUMBERS = ("4711", "902", "358", "66")


def write(text: str, rng: np.random.Generator, *, height: int = 60) -> np.ndarray:
    """A number as somebody might write it: drawn digits side by side, ink (H, W) in [0, 1]."""
    drawn = load("digit-generator").generate(list(text), rng, temperature=0.6)[:, 0]
    cut = [digit[2:26, np.flatnonzero(digit.max(0) > 0.2)] for digit in drawn]
    digits = [cv2.resize(digit, None, fx=height / 24, fy=height / 24) for digit in cut]
    gaps = [np.zeros((height, height // 8), np.float32)] * len(digits)
    return np.hstack([part for pair in zip(gaps, digits, strict=True) for part in pair] + gaps[:1]).clip(0, 1)


def save(ink: np.ndarray, path: Path, *, margin: int = 12) -> np.ndarray:
    """Dark ink on light grey paper."""
    paper = np.pad(ink, margin)
    pixels = to_bytes(0.9 - 0.8 * paper)
    Image.fromarray(pixels).save(path)
    return pixels


@pytest.fixture(scope="module")
def reader():
    return load_reader()


@pytest.fixture
def number(tmp_path) -> Path:
    save(write("4711", rng_for("number")), tmp_path / "number.png")
    return tmp_path / "number.png"


def test_a_number_is_read_to_stdout_and_nothing_else(legible, number):
    done = legible("read", number)
    assert (done.code, done.out, done.err) == (0, "4711\n", "")
    assert package.read(np.asarray(Image.open(number))).text == "4711"


def test_pictures_of_one_name_in_two_folders_are_drawn_in_two_places(legible, tmp_path):
    for folder in ("0", "1"):
        (tmp_path / "p" / folder).mkdir(parents=True)
        Image.new("L", (40, 40), 255).save(tmp_path / "p" / folder / "0001.png")
    done = legible("read", tmp_path / "p", "--plot", tmp_path / "seen")
    assert done.code == 0, done.err
    drawn = sorted(path.relative_to(tmp_path / "seen").as_posix() for path in tmp_path.glob("seen/*/*"))
    assert drawn == ["0/0001.png.read.png", "1/0001.png.read.png"]


def test_pages_of_one_file_are_drawn_to_files_of_their_own(legible, tmp_path):
    blank = Image.new("L", (40, 40), 255)
    blank.save(tmp_path / "two.tif", save_all=True, append_images=[blank])
    done = legible("read", tmp_path / "two.tif", "--plot", tmp_path / "seen.png")
    assert done.code == 0 and sorted(p.name for p in tmp_path.glob("seen*")) == ["seen.1.png", "seen.2.png"]


def test_most_numbers_are_read_right(reader):
    rng = rng_for("numbers")
    texts = ["".join(rng.choice(list("0123456789"), int(rng.integers(2, 7)))) for _ in range(40)]
    pictures = [to_bytes(0.9 - 0.8 * np.pad(write(text, rng), 10)) for text in texts]
    read = [reading.text for reading in reader.read_all(pictures)]
    assert sum(a == b for a, b in zip(texts, read, strict=True)) >= 30


def test_a_single_digit_is_read_at_any_place_and_size(reader):
    rng = rng_for("single")
    pictures, texts = [], []
    for height, margin in ((28, 4), (28, 60), (90, 20), (200, 300)):
        for text in "0123456789":
            texts.append(text)
            pictures.append(to_bytes(1 - np.pad(write(text, rng, height=height), margin)))
    read = [reading.text for reading in reader.read_all(pictures)]
    assert sum(a == b for a, b in zip(texts, read, strict=True)) >= 34


def test_several_numbers_on_a_page_are_read_in_reading_order(legible, tmp_path):
    rng, page = rng_for("page of numbers"), np.zeros((600, 800), np.float32)
    for text, (top, left) in zip(NUMBERS, ((60, 60), (70, 460), (260, 120), (450, 300)), strict=True):
        ink = write(text, rng)
        page[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    save(page, tmp_path / "page.png")
    done = legible("read", tmp_path / "page.png", "--json")
    found = json.loads(done.out)
    assert done.code == 0 and found["text"] == " ".join(NUMBERS)
    for line, (top, left) in zip(found["lines"], ((60, 60), (70, 460), (260, 120), (450, 300)), strict=True):
        assert abs(line["box"][0] - 12 - left) < 20 and abs(line["box"][1] - 12 - top) < 20
        assert [digit["digit"] for digit in line["digits"]] == [*line["text"]]
        lefts = [digit["box"][0] for digit in line["digits"]]
        assert lefts == sorted(lefts) and 0 < line["confidence"] <= 1


def test_light_on_dark_and_every_kind_of_file_are_read_alike(legible, number, tmp_path):
    pixels = np.asarray(Image.open(number))
    Image.fromarray(255 - pixels).save(tmp_path / "inverted.png")
    Image.fromarray(pixels).convert("CMYK").save(tmp_path / "cmyk.jpg")
    Image.fromarray(pixels.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    Image.fromarray(pixels).save(tmp_path / "paper.pdf", resolution=100)
    turned = Image.fromarray(np.rot90(pixels).copy())
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    frames = [Image.fromarray(pixels), Image.new("L", pixels.shape[::-1], 200)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    for name, ink in (("black", 0), ("white", 255)):  # ink on nothing
        see_through = np.full((*pixels.shape, 4), ink, np.uint8)
        see_through[..., 3] = 255 - pixels
        Image.fromarray(see_through).save(tmp_path / f"{name}-ink.png")
    names = ["inverted.png", "cmyk.jpg", "deep.png", "paper.pdf", "turned.jpg", "moving.gif", "black-ink.png",
             "white-ink.png"]  # fmt: skip
    done = legible("read", *(tmp_path / name for name in names))
    assert done.code == 0
    assert done.out == "".join(f"{tmp_path / name}\t4711\n" for name in names)


def test_anything_that_is_not_a_digit_is_refused_with_a_reason(legible, tmp_path):
    Image.new("L", (300, 200), 240).save(tmp_path / "blank.png")
    Image.new("L", (1, 1)).save(tmp_path / "dot.png")
    noise = rng_for("noise").integers(0, 256, (28, 28), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    for name in ("blank", "dot", "noise"):
        done = legible("read", tmp_path / f"{name}.png")
        assert (done.code, done.out) == (0, "\n") and "no digit found" in done.err, name
    told = json.loads(legible("read", tmp_path / "blank.png", "--json").out)
    assert told["text"] == "" and told["confidence"] == 0 and "blank" in told["reason"]


def test_one_bad_file_does_not_stop_the_rest(legible, number, tmp_path):
    (tmp_path / "torn.png").write_bytes(number.read_bytes()[:200])
    (tmp_path / "text.png").write_text("no picture")
    done = legible("read", tmp_path / "torn.png", number, tmp_path / "text.png", tmp_path / "nothing.png")
    assert done.code == 3 and done.out == f"{number}\t4711\n"
    for name in ("torn.png", "text.png"):
        assert f"{name} is not a picture, or damaged" in done.err
    assert "there is no file" in done.err and "Traceback" not in done.err


def test_a_huge_picture_is_refused_or_read(legible, number, tmp_path):
    large = np.full((2000, 3000), 230, np.uint8)
    pixels = np.asarray(Image.open(number).resize((900, 300)))
    large[800:1100, 500:1400] = pixels
    Image.fromarray(large).save(tmp_path / "large.png")
    assert legible("read", tmp_path / "large.png").out == "4711\n"
    done = legible("read", tmp_path / "large.png", "--max-megapixels", 5)
    assert done.code == 3 and "more than the limit of 5 million" in done.err


def test_the_picture_is_drawn_with_its_boxes(legible, number):
    done = legible("read", number, "--plot", "drawn.png")
    assert done.code == 0 and done.out == "4711\n" and "drawn: drawn.png" in done.err
    with Image.open("drawn.png") as drawn, Image.open(number) as plain:
        assert drawn.width >= plain.width and drawn.height > plain.height
        colours = np.asarray(drawn.convert("RGB")).reshape(-1, 3)
    assert (colours == (0, 114, 178)).all(1).sum() > 100  # boxes of what is sure
    assert legible("read", number, "--plot", "drawn.png").code == 6
    assert legible("read", number, number, "--plot", "two.png").code == 2
    assert legible("read", number, "--plot", "drawn.jpg").code == 2


def test_all_that_a_digit_may_be_is_listed_at_a_rate_of_errors(legible, tmp_path):
    save(write("7", rng_for("seven")), tmp_path / "seven.png")
    done = legible("read", tmp_path / "seven.png", "--error-rate", 0.05, "--json")
    assert done.code == 0
    (digit,) = json.loads(done.out)["lines"][0]["digits"]
    assert digit["possible"][0] == digit["digit"] == "7"
    done = legible("read", tmp_path / "seven.png", "--error-rate", 0.00001)
    assert done.code == 2 and "guarantees no error rate of 1e-05. It has: 0.0005" in done.err


def test_more_is_refused_the_surer_it_must_be(reader, number):
    pixels = np.asarray(Image.open(number))
    confidence = reader.read(pixels).confidence
    assert reader.read(pixels, min_confidence=min(1, confidence + 1e-6)).text == ""
    assert reader.read(pixels, min_confidence=0).text == "4711"


def test_modes_say_what_to_look_for(reader, number):
    pixels = np.asarray(Image.open(number))
    assert reader.read(pixels, mode="line").text == reader.read(pixels, mode="page").text == "4711"
    assert len(reader.read(pixels, mode="digit", min_confidence=0).text) == 1


@pytest.mark.parametrize(
    "image", [np.zeros((3, 3, 5), np.uint8), np.full((3, 3), 2.0), np.zeros((0, 5), np.uint8)]
)
def test_anything_that_is_not_a_picture_is_refused(reader, image):
    with pytest.raises(InputError, match="picture"):
        reader.read(image)


def test_wrong_settings_are_refused(reader, number):
    pixels = np.asarray(Image.open(number))
    with pytest.raises(ArgumentError, match="mode is one of auto"):
        reader.read(pixels, mode="word")
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        reader.read(pixels, min_confidence=2)


def test_models_for_something_else_are_refused(legible, number):
    done = legible("read", number, "--line-model", "page-cleaner")
    assert done.code == 4 and "a line reader is needed here" in done.err


def test_the_sets_hold_the_right_digit_as_often_as_guaranteed(real_data, monkeypatch):
    monkeypatch.setenv("LEGIBLE_DATA", str(real_data))
    test, model = package.load_dataset("mnist").test, load("digits")
    probabilities = model.predict(test.images)
    right = probabilities[np.arange(len(test)), test.labels]
    for rate in (0.001, 0.01, 0.05):
        missed = (right < model.least_probability(rate)).mean()
        assert missed <= rate + 3 * np.sqrt(rate / len(test))


def test_an_own_classifier_of_any_classes_needs_no_line_reader(legible, tmp_path, monkeypatch):
    """Letters drawn by a program: learnt from a folder of pictures, then read from one of them."""
    rng = np.random.default_rng(0)
    for letter in "ABC":
        (tmp_path / "letters" / letter).mkdir(parents=True)
        for number in range(40):
            picture = Image.new("L", (40, 40), 255)
            place = tuple(rng.integers(4, 12, 2).tolist())
            ImageDraw.Draw(picture).text(place, letter, fill=0, font=ImageFont.load_default(24))
            picture.save(tmp_path / "letters" / letter / f"{number}.png")
    done = legible("train", "mlp", "-d", tmp_path / "letters", "--epochs", 20, "-o", "runs/letters")
    assert done.code == 0, done.err

    def fail(*_, **__):
        raise AssertionError("a line reader was loaded")

    monkeypatch.setattr("legible.reading.read.LineReader", fail)
    for letter in "ABC":
        words = ("read", tmp_path / "letters" / letter / "0.png", "--digit-model", "runs/letters")
        done = legible(*words, "--mode", "digit", "--json")
        reading = json.loads(done.out)
        assert done.code == 0 and reading["text"] == letter, done.err
        assert reading["lines"][0]["box"] == [0, 0, 40, 40]
    refused = legible(*words)
    assert refused.code == 4 and "--mode digit" in refused.err
