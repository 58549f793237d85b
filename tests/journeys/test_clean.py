"""From dirty scans to clean ones: the real commands, with a small net trained on pages made here."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import legible as package
from legible.cleaning.clean import load_cleaner
from legible.data.page_maker import make_page
from legible.data.page_tiles import make_pairs
from legible.documents.document import open_document, write_document
from legible.documents.page import Page
from legible.errors import ArgumentError, InputError
from legible.images import to_bytes
from tests.conftest import run_command


def as_bytes(ink: np.ndarray) -> np.ndarray:
    return to_bytes(1 - ink)


@pytest.fixture(scope="session")
def cleaner(tmp_path_factory) -> Path:
    """A small page cleaner, trained by the real command. Not to be changed."""
    root = tmp_path_factory.mktemp("cleaner")
    for name in ("dirty", "clean"):
        (root / "pages" / name).mkdir(parents=True)
    for pair in make_pairs(12, dirt=0.5):
        cv2.imwrite(str(root / "pages" / "dirty" / f"{pair.name}.png"), as_bytes(pair.noisy))
        cv2.imwrite(str(root / "pages" / "clean" / f"{pair.name}.png"), as_bytes(pair.clean))
    done = run_command(
        "train", "unet:filters=8", "-d", root / "pages", "--size", "128x128", "--task", "restore:mse",
        "--epochs", 12, "--batch-size", 8, "-o", root / "small-cleaner",
    )  # fmt: skip
    assert done.code == 0, done.err
    return root / "small-cleaner"


@pytest.fixture
def scan(tmp_path) -> Path:
    """A page of text on grey paper with a shadow, with its resolution."""
    made = make_page(np.random.default_rng(4), size=(420, 540), dpi=100)
    shadow = np.linspace(0.9, 0.5, 540, dtype=np.float32)
    write_document(tmp_path / "scan.png", [Page(as_bytes(1 - (1 - made.ink) * shadow), dpi=(100, 100))])
    np.save(tmp_path / "truth.npy", made.ink)
    return tmp_path / "scan.png"


def read(path: Path) -> np.ndarray:
    with open_document(path) as document:
        return next(iter(document)).pixels


def test_a_scan_becomes_clean_and_keeps_its_size_and_resolution(legible, cleaner, scan, tmp_path):
    before = scan.read_bytes()
    done = legible("clean", scan, "-o", "out/clean.png", "--model", cleaner)
    assert done.code == 0 and done.out == "out/clean.png\n" and "1 page in" in done.err, done.err
    truth, restored = np.load(tmp_path / "truth.npy"), 1 - read(Path("out/clean.png")) / 255
    dirty = 1 - read(scan) / 255
    assert np.square(restored - truth).mean() < 0.4 * np.square(dirty - truth).mean()
    with Image.open("out/clean.png") as picture:
        assert picture.size == (540, 420) and picture.info["dpi"] == pytest.approx((100, 100), rel=0.01)
    assert scan.read_bytes() == before


def test_python_gives_what_the_command_gives(legible, cleaner, scan):
    legible("clean", scan, "-o", "clean.png", "--model", cleaner)
    cleaned = load_cleaner(str(cleaner)).clean(read(scan))
    np.testing.assert_array_equal(cleaned.image, read(Path("clean.png")))
    assert 0 < cleaned.ink_after < cleaned.ink_before and cleaned.reduced_by == 1 and cleaned.vanished == ()
    with Image.open(scan) as picture:
        np.testing.assert_array_equal(load_cleaner(str(cleaner)).clean(picture).image, cleaned.image)


def test_folders_are_mirrored_and_a_second_run_goes_on(legible, cleaner, scan, tmp_path):
    scans = tmp_path / "scans"
    for name in ("a.png", "deep/b.jpg", "deep/er/c.tif"):
        (scans / name).parent.mkdir(parents=True, exist_ok=True)
        Image.open(scan).save(scans / name)
    (scans / "notes.txt").write_text("not a scan")
    done = legible("clean", scans, "-o", "out", "--model", cleaner, "--workers", 1)
    assert done.code == 0 and "3 files cleaned (3 pages), 0 failed" in done.err, done.err
    written = sorted(path for path in Path("out").rglob("[!.]*") if path.is_file())
    assert [str(path) for path in written] == ["out/a.png", "out/deep/b.jpg", "out/deep/er/c.tif"]
    times = [path.stat().st_mtime_ns for path in written]
    Path("out/a.png").unlink()
    again = legible("clean", scans, "-o", "out", "--model", cleaner)
    assert again.code == 0 and again.out == "out/a.png\n" and "2 of 3 files exist already" in again.err
    assert [path.stat().st_mtime_ns for path in written[1:]] == times[1:]


def test_what_was_cleaned_into_a_folder_among_the_scans_is_not_cleaned_again(
    legible, cleaner, scan, tmp_path
):
    folder = tmp_path / "scans"
    folder.mkdir()
    shutil.copy(scan, folder / "a.png")
    words = ("clean", folder, "-o", folder / "clean", "--model", cleaner)
    assert legible(*words).code == 0
    again = legible(*words, "--overwrite")
    assert again.code == 0 and [p.name for p in folder.rglob("*.png")] == ["a.png", "a.png"]


def test_before_is_beside_after_in_every_mode_and_folders_are_mirrored(legible, cleaner, scan, tmp_path):
    scans = tmp_path / "scans"
    for name in ("a.png", "deep/a.png"):
        (scans / name).parent.mkdir(parents=True, exist_ok=True)
        Image.open(scan).convert("RGB").save(scans / name)
    for mode in ("grey", "colour", "black-and-white"):
        more = ("--mode", mode, "--compare", f"seen-{mode}", "--workers", 1)
        assert legible("clean", scans, "-o", mode, "--model", cleaner, *more).code == 0
        seen = Path(f"seen-{mode}")
        written = sorted(str(path.relative_to(seen)) for path in seen.rglob("*.png"))
        assert written == ["a.png", "deep/a.png"]
        both = np.array(Image.open(seen / "deep/a.png").convert("L"))
        np.testing.assert_array_equal(both[:, :540], read(scan))
        after = np.array(Image.open(Path(mode) / "deep/a.png").convert("L"))
        np.testing.assert_array_equal(both[:, -540:], after)


def test_several_workers_write_the_same_as_one(legible, cleaner, scan, tmp_path):
    scans = tmp_path / "scans"
    scans.mkdir()
    for name in "ab":
        shutil.copy(scan, scans / f"{name}.png")
    assert legible("clean", scans, "-o", "one", "--model", cleaner, "--workers", 1).code == 0
    assert legible("clean", scans, "-o", "two", "--model", cleaner, "--workers", 2).code == 0
    for name in "ab":
        np.testing.assert_array_equal(read(Path("one") / f"{name}.png"), read(Path("two") / f"{name}.png"))


def test_one_bad_file_does_not_stop_the_rest(legible, cleaner, scan, tmp_path):
    scans = tmp_path / "scans"
    scans.mkdir()
    (scans / "bad.png").write_bytes(scan.read_bytes()[:300])
    (scans / "none.pdf").write_text("no PDF")
    shutil.copy(scan, scans / "good.png")
    done = legible("clean", scans, "-o", "out", "--model", cleaner, "--json", "--workers", 1)
    assert done.code == 3 and "1 file cleaned (1 page), 2 failed" in done.err and "Traceback" not in done.err
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [Path(line["file"]).name for line in lines] == ["bad.png", "good.png", "none.pdf"]
    assert "damaged" in lines[0]["error"] and "output" in lines[1] and "damaged" in lines[2]["error"]
    assert sorted(path.name for path in Path("out").glob("[!.]*")) == ["good.png"]


def test_many_pages_of_a_pdf_keep_their_sizes(legible, cleaner, scan):
    page = Page(read(scan), dpi=(100, 100))
    write_document(Path("in.pdf"), [page, Page(page.pixels[:200], dpi=(100, 100))])
    done = legible("clean", "in.pdf", "-o", "out.pdf", "--model", cleaner, "--json", "--compare", "seen")
    assert done.code == 0, done.err
    with open_document(Path("in.pdf")) as before, open_document(Path("out.pdf")) as after:
        assert [p.size_points for p in before] == [p.size_points for p in after]
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [(line["page"], line["pages"], line["height"]) for line in lines] == [(1, 2, 420), (2, 2, 200)]
    assert sorted(path.name for path in Path("seen").iterdir()) == ["out-001.png", "out-002.png"]


def test_colour_ink_survives_in_colour_and_black_and_white_is_that(legible, cleaner, scan):
    page = np.repeat(read(scan)[..., None], 3, axis=2)
    cv2.circle(page, (400, 330), 40, (40, 60, 200), 3)  # a blue stamp
    Image.fromarray(page).save("stamped.png")
    assert (
        legible("clean", "stamped.png", "-o", "colour.png", "--mode", "colour", "--model", cleaner).code == 0
    )
    stamp = read(Path("colour.png"))[330, 358:363].astype(int)
    assert (stamp[:, 2] - stamp[:, 0]).max() > 80
    assert (
        legible("clean", "stamped.png", "-o", "two.png", "--mode", "black-and-white", "--model", cleaner).code
        == 0
    )
    with Image.open("two.png") as two:
        assert two.mode == "1"


def test_a_solid_seal_survives_in_colour_and_a_ring_of_coffee_does_not(scan):
    """On yellowish paper: red ink, filled, and a thin brown line round it."""
    page = np.repeat(read(scan)[..., None], 3, axis=2) * np.array([1, 0.97, 0.88])
    seal, ring = (np.zeros(page.shape[:2], np.uint8) for _ in range(2))
    cv2.circle(seal, (400, 300), 40, 1, -1)
    cv2.circle(ring, (400, 300), 70, 1, 6)
    for mask, ink in ((seal, (190, 25, 40)), (ring, (170, 120, 75))):
        page = np.where(mask[..., None] > 0, page * np.array(ink) / 255, page)
    cleaned = package.clean(np.rint(page).astype(np.uint8), mode="colour").image
    inner = cv2.erode(seal, np.ones((5, 5), np.uint8)) > 0
    assert (np.ptp(cleaned[inner].astype(int), axis=1) > 100).mean() > 0.85
    assert (np.ptp(cleaned[ring > 0].astype(int), axis=1) > 30).mean() < 0.2


def test_a_clean_page_changes_little(cleaner):
    page = as_bytes(make_page(np.random.default_rng(7), size=(420, 540), dpi=100).ink)
    assert load_cleaner(str(cleaner)).clean(page).changed < 0.05


def test_sixteen_bit_pages_stay_so(cleaner, scan):
    deep = read(scan).astype(np.uint16) * 257
    model = load_cleaner(str(cleaner))
    cleaned = model.clean(deep)
    assert cleaned.image.dtype == np.uint16
    np.testing.assert_allclose(cleaned.image / 257, model.clean(read(scan)).image, atol=1)


def test_large_strokes_are_cleaned_on_a_reduced_page(cleaner):
    made = make_page(np.random.default_rng(3), size=(1600, 1800), dpi=400, languages=["English"])
    cleaned = load_cleaner(str(cleaner)).clean(as_bytes(0.3 + 0.7 * made.ink))
    assert cleaned.reduced_by > 1 and cleaned.image.shape == (1600, 1800)
    assert np.square(1 - cleaned.image / 255 - made.ink).mean() < 0.02


def test_an_empty_page_stays_empty(cleaner):
    cleaned = load_cleaner(str(cleaner)).clean(np.full((300, 200), 255, np.uint8))
    assert cleaned.image.min() > 200 and cleaned.vanished == ()


def test_text_that_vanishes_is_reported():
    from legible.cleaning.cleaner import find_vanished

    page = np.rint(
        255 * make_page(np.random.default_rng(4), size=(420, 540), dpi=100, blocks=["paragraph"]).ink
    )
    before = page.astype(np.uint8)
    after = before.copy()
    after[96:240, 96:336] = 0
    boxes = list(find_vanished(before, after, 2))
    assert boxes and all(
        left >= 192 and right <= 672 and top >= 192 and bottom <= 480 for left, top, right, bottom in boxes
    )
    assert not list(find_vanished(before, before, 2))


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.full((4, 4), 2.0), "floats of a picture lie in"),
        (np.zeros((4, 4, 5), np.uint8), "shape"),
        (np.zeros((0, 4), np.uint8), "shape"),
    ],
    ids=["large floats", "five channels", "empty"],
)
def test_anything_that_is_not_a_page_is_refused(cleaner, image, reason):
    with pytest.raises(InputError, match=reason):
        load_cleaner(str(cleaner)).clean(image)


def test_a_wrong_mode_is_refused(cleaner):
    with pytest.raises(ArgumentError, match="grey, colour, black-and-white"):
        load_cleaner(str(cleaner)).clean(np.zeros((4, 4), np.uint8), mode="sepia")


def test_inputs_are_never_written_over(legible, cleaner, scan, tmp_path):
    done = legible("clean", scan, "-o", scan, "--model", cleaner, "--overwrite")
    assert done.code == 2 and "would be written over" in done.err
    assert legible("clean", tmp_path / "no.png", "-o", "x.png", "--model", cleaner).code == 3
    (tmp_path / "twins").mkdir()
    shutil.copy(scan, tmp_path / "twins" / "other.png")
    for sources, output in (([scan], "x.bmp"), ([scan.parent / "twins"], "x.png"), ([scan, scan], "x.pdf")):
        done = legible("clean", *sources, "-o", output, "--model", cleaner)
        assert done.code == 2 and f"{output} would be a folder" in done.err and not Path(output).exists()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".pdf"])
def test_a_full_disk_leaves_nothing_half_written(cleaner, scan, tmp_path, suffix):
    """Files may have 2,000 bytes at most here, which fails as a full disk does: in the middle of writing."""
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000));"
        "from legible.cli import main; main()"
    )
    command = ["clean", scan, "-o", tmp_path / "out" / f"clean{suffix}", "--model", cleaner]
    run = [sys.executable, "-c", code, *map(str, command)]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 6, done.stderr
    assert "cannot write" in done.stderr and "Traceback" not in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_a_model_for_digits_is_refused(legible, scan):
    done = legible("clean", scan, "-o", "x.png", "--model", "digits-fast")
    assert done.code == 4 and "a restorer is needed here" in done.err


@pytest.mark.parametrize(("typed", "meant"), [("color", "colour"), ("gray", "grey")])
def test_us_spellings_of_a_mode_are_accepted(typed, meant, cleaner, scan, tmp_path):
    done = run_command("clean", scan, "-o", tmp_path / "c.png", "--mode", typed, "--model", cleaner, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["mode"] == meant
    page = load_cleaner(str(cleaner)).clean(read(scan), mode=typed)
    assert page.mode == meant


def test_an_unknown_mode_is_refused_with_a_list_of_modes(cleaner, scan, tmp_path):
    done = run_command("clean", scan, "-o", tmp_path / "c.png", "--mode", "sepia", "--model", cleaner)
    assert done.code == 2
    assert "mode is one of grey, colour, black-and-white" in " ".join(done.err.replace("│", " ").split())
    assert not (tmp_path / "c.png").exists()
