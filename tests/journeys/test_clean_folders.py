"""`legible clean` over folders: nothing is lost, nothing is silent, and a second run goes on."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from legible.cleaning import workers
from tests.scans import RECORD, bytes_of, draw_scan, made_in, save_scans


def last_line(done) -> str:
    return done.err.strip().splitlines()[-1]


def test_hidden_files_are_passed_over_and_what_is_skipped_is_counted_and_listed(legible):
    scans = save_scans(Path("scans"), "p1.png", ".cache/p2.png")
    (scans / "._p1.png").write_bytes(b"not a picture")
    (scans / "notes.txt").write_text("not a scan")
    done = legible("clean", scans, "-o", "out")
    assert done.code == 0 and made_in("out") == ["p1.png"]
    assert "1 file cleaned (1 page)" in last_line(done) and "3 skipped" in last_line(done)
    assert "notes.txt (unknown ending .txt)" in done.err and "._p1" not in done.err
    again = legible("clean", scans, "-o", "out", "-v")
    assert "._p1.png (hidden)" in again.err and ".cache (hidden)" in again.err
    assert last_line(again) == "0 files cleaned (0 pages), 0 failed, 1 existed already, 3 skipped"


def test_scans_of_one_name_are_all_cleaned_and_a_second_run_makes_nothing_again(legible):
    scans = save_scans(Path("scans"), "s.bmp", "s.png", "deep/t.gif")
    first = legible("clean", scans, "-o", "out")
    assert first.code == 0 and made_in("out") == ["deep/t.png", "s.bmp.png", "s.png"]
    assert "scans/s.bmp becomes out/s.bmp.png" in first.err
    before = bytes_of("out")
    again = legible("clean", scans, "-o", "out")
    assert again.code == 0 and again.out == "" and "3 of 3 files exist already" in again.err
    assert bytes_of("out") == before


def test_two_files_of_one_name_from_two_folders_are_both_cleaned(legible):
    save_scans(Path("a"), "s.png")
    save_scans(Path("b"), "s.png")
    done = legible("clean", "a/s.png", "b/s.png", "-o", "out")
    assert done.code == 0 and made_in("out") == ["b-s.png", "s.png"]
    later = legible("clean", "b/s.png", "-o", "out")
    assert later.code == 0 and made_in("out") == ["b-s.png", "s.png"] and "1 of 1 files exist" in later.err


def test_a_newcomer_does_not_pass_for_the_file_of_another_scan(legible):
    scans = save_scans(Path("scans"), "s.bmp")
    assert legible("clean", scans, "-o", "out").code == 0 and made_in("out") == ["s.png"]
    before = bytes_of("out")["s.png"]
    save_scans(scans, "s.png")
    done = legible("clean", scans, "-o", "out")
    assert (
        done.code == 0 and made_in("out") == ["s.png", "scans-s.png"] and bytes_of("out")["s.png"] == before
    )


def test_other_settings_ask_for_overwrite_and_the_same_ones_go_on(legible):
    scans = save_scans(Path("scans"), "a.png", "b.png")
    assert legible("clean", scans, "-o", "out").code == 0
    before = bytes_of("out")
    other = legible("clean", scans, "-o", "out", "--mode", "black-and-white")
    assert other.code == 6 and other.out == "" and bytes_of("out") == before
    assert (
        "2 of these files already, cleaned with other settings (mode grey, now black-and-white)" in other.err
    )
    Path("out/b.png").unlink()
    assert legible("clean", scans, "-o", "out").out == "out/b.png\n" and bytes_of("out") == before
    replaced = legible("clean", scans, "-o", "out", "--mode", "black-and-white", "--overwrite")
    assert replaced.code == 0
    with Image.open("out/a.png") as picture:
        assert picture.mode == "1"
    assert legible("clean", scans, "-o", "out", "--mode", "black-and-white").code == 0
    assert legible("clean", scans, "-o", "out").code == 6


def test_a_file_that_nobody_knows_is_never_overwritten_unasked(legible):
    scans = save_scans(Path("scans"), "a.png", "b.png")
    Path("out").mkdir()
    Path("out/a.png").write_bytes(b"mine")
    done = legible("clean", scans, "-o", "out", "--mode", "colour")
    assert done.code == 0 and Path("out/a.png").read_bytes() == b"mine" and done.out == "out/b.png\n"
    assert "of unknown origin, left as they are: out/a.png" in done.err and "1 existed already" in done.err
    asked = legible("clean", scans, "-o", "out", "--mode", "colour", "--overwrite")
    assert asked.code == 0 and Path("out/a.png").read_bytes() != b"mine"


@pytest.mark.parametrize("text", ["{", "[]", '{"settings": [], "files": {"a.png": 1}}'])
def test_a_damaged_record_is_said_and_what_is_there_stays(legible, text):
    scans = save_scans(Path("scans"), "a.png", "b.png")
    assert legible("clean", scans, "-o", "out").code == 0
    before = bytes_of("out")
    (Path("out") / RECORD).write_text(text)
    done = legible("clean", scans, "-o", "out", "--mode", "colour")
    assert done.code == 0 and f"out/{RECORD} cannot be read" in done.err and bytes_of("out") == before


def test_a_single_file_that_exists_is_left_and_gets_no_record(legible):
    save_scans(Path(), "a.png")
    assert legible("clean", "a.png", "-o", "b.png").code == 0
    again = legible("clean", "a.png", "-o", "b.png", "--mode", "colour")
    assert (
        again.code == 0 and again.out == "" and "b.png exists already; --overwrite replaces it" in again.err
    )
    assert not Path(RECORD).exists()


def test_only_the_chosen_pages_are_cleaned_and_the_others_stay(legible):
    pages = [draw_scan(n).convert("RGB") for n in range(3)]
    pages[0].putpixel((3, 3), (255, 0, 0))
    pages[0].save("book.tif", save_all=True, append_images=pages[1:])
    done = legible("clean", "book.tif", "-o", "out.tif", "--pages", "2-", "--json")
    assert done.code == 0, done.err
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line["action"] for line in lines] == ["left", "cleaned", "cleaned"]
    assert [line["reason"] for line in lines] == ["not chosen by --pages", "", ""]
    assert all(line["warnings"] == [] for line in lines)
    with Image.open("out.tif") as written:
        assert written.n_frames == 3
        np.testing.assert_array_equal(np.asarray(written.convert("RGB")), np.asarray(pages[0]))
        written.seek(1)
        assert np.asarray(written.convert("L"))[2, 2] > 240


def test_a_file_without_a_chosen_page_is_written_byte_for_byte(legible):
    save_scans(Path(), "a.jpg", "b.bmp", "c.tif")
    done = legible("clean", "a.jpg", "b.bmp", "c.tif", "-o", "out", "--pages", "2")
    assert (
        done.code == 0
        and "0 files cleaned (0 pages)" in last_line(done)
        and "3 files left" in last_line(done)
    )
    for name in ("a.jpg", "c.tif"):
        assert (Path("out") / name).read_bytes() == Path(name).read_bytes()
    with Image.open("out/b.png") as written, Image.open("b.bmp") as scan:
        np.testing.assert_array_equal(np.asarray(written), np.asarray(scan))
    assert legible("clean", "a.jpg", "-o", "x.jpg", "--pages", "5-3").code == 2 and not Path("x.jpg").exists()


def test_a_dry_run_says_what_would_be_done_loads_no_network_and_writes_nothing(legible, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a network was loaded")

    monkeypatch.setattr(workers, "load_cleaner", refuse)
    scans = save_scans(Path("scans"), "a.png", "s.bmp", "s.png")
    draw_scan().save(scans / "book.tif", save_all=True, append_images=[draw_scan(1)])
    (scans / "bad.png").write_bytes(b"bad")
    (scans / "notes.txt").write_text("no scan")
    save_scans(Path("out"), "a.png")
    before = made_in(".")
    words = (
        "clean",
        scans,
        "-o",
        "out",
        "--pages",
        "1",
        "--report",
        "seen",
        "--compare",
        "seen2",
        "--dry-run",
    )
    done = legible(*words)
    assert done.code == 3 and made_in(".") == before and "dry run, nothing was written" in last_line(done)
    for line in (
        "stays   scans/a.png -> out/a.png (exists already, of unknown origin)",
        "clean   scans/book.tif, page 1 of 2, 160 x 120 pixels -> out/book.tif",
        "leave   scans/book.tif, page 2 of 2, 160 x 120 pixels -> out/book.tif (not chosen by --pages)",
        "clean   scans/s.bmp, page 1 of 1, 160 x 120 pixels -> out/s.bmp.png (s.png is of another scan)",
        "skipped scans/notes.txt (unknown ending .txt)",
    ):
        assert line in done.out.splitlines()
    lines = [json.loads(line) for line in legible(*words, "--json").out.splitlines()]
    assert sorted(line["action"] for line in lines if line["file"] == "scans/bad.png") == ["fails"]


def test_a_dry_run_measures_the_scan_in_a_pdf(legible):
    draw_scan().save("in.pdf", resolution=72)
    done = legible("clean", "in.pdf", "-o", "out.pdf", "--dry-run")
    assert done.code == 0 and done.out == "clean   in.pdf, page 1 of 1, 160 x 120 pixels -> out.pdf\n"


def test_quiet_says_errors_only_and_verbose_a_line_for_each_page(legible):
    scans = save_scans(Path("scans"), "a.png")
    draw_scan().save(scans / "book.tif", save_all=True, append_images=[draw_scan(1)])
    done = legible("clean", scans, "-o", "quiet", "-q")
    assert (done.code, done.out, done.err) == (0, "", "")
    (scans / "bad.png").write_bytes(b"bad")
    done = legible("clean", scans, "-o", "quiet", "-q", "--overwrite")
    assert done.code == 3 and done.out == "" and len(done.err.splitlines()) == 1 and "bad.png" in done.err
    done = legible("clean", scans, "-o", "loud", "-v")
    assert "scans/book.tif, page 2 of 2: cleaned, ink 0." in done.err
    assert legible("clean", scans, "-o", "loud", "-v", "-q").code == 2


def test_pictures_before_and_after_have_plain_names(legible):
    save_scans(Path("scans"), "letter.png", "a.png", "a.jpg")
    draw_scan().save("scans/book.tif", save_all=True, append_images=[draw_scan(1)])
    assert legible("clean", "scans", "-o", "out", "--compare", "seen").code == 0
    assert made_in("seen") == ["a.jpg.png", "a.png.png", "book-001.png", "book-002.png", "letter.png"]
