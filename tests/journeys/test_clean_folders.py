"""`legible clean` over folders: nothing is lost, nothing is silent, and a second run goes on."""

import csv
import io
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from legible.cleaning import workers
from legible.cleaning.run_report import COLUMNS, write_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
RECORD = ".legible-clean.json"


def draw_scan(n: int = 0) -> Image.Image:
    """A small grey page with black lines of words."""
    page = np.full((120, 160), 200 - n, np.uint8)
    for top in range(20, 100, 16):
        page[top : top + 2, 20 : 100 + 5 * (n % 8)] = 20
        page[top : top + 8, 20:140:10] = 20
    return Image.fromarray(page)


def save_scans(folder: Path, *names: str) -> Path:
    for n, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        draw_scan(n).save(folder / name)
    return folder


def made_in(folder) -> list[str]:
    """All files, hidden ones too, but not the record."""
    files = (path for path in Path(folder).rglob("*") if path.is_file() and path.name != RECORD)
    return sorted(str(path.relative_to(folder)) for path in files)


def bytes_of(folder) -> dict[str, bytes]:
    return {name: (Path(folder) / name).read_bytes() for name in made_in(folder)}


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


def test_a_dry_run_measures_a_pdf_in_points(legible):
    draw_scan().save("in.pdf", resolution=72)
    done = legible("clean", "in.pdf", "-o", "out.pdf", "--dry-run")
    assert done.code == 0 and done.out == "clean   in.pdf, page 1 of 1, 160 x 120 points -> out.pdf\n"


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


HEARING_CTRL_C = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell runs in the background
from legible.__main__ import run
run()
"""


def run_process(*words, **more):
    command = [sys.executable, "-m", "legible", "clean", *map(str, words)]
    return subprocess.run(command, capture_output=True, check=False, **more)


def test_stdin_becomes_stdout_in_its_own_format_and_nothing_else_is_there(tmp_path):
    draw_scan().save(tmp_path / "a.jpg")
    done = run_process("-", "-o", "-", input=(tmp_path / "a.jpg").read_bytes(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with Image.open(io.BytesIO(done.stdout)) as picture:
        assert picture.format == "JPEG" and picture.size == (160, 120)
    assert b"standard input: 1 page in" in done.stderr and b"/tmp" not in done.stderr
    named = run_process("a.jpg", "-o", "-", cwd=tmp_path)
    assert named.returncode == 0 and named.stdout == done.stdout and made_in(tmp_path) == ["a.jpg"]


@pytest.mark.parametrize(
    ("words", "given", "code", "reason"),
    [
        (["-", "-o", "x.png"], b"", 3, "standard input is empty"),
        (["-", "-o", "x.png"], b"no scan", 3, "standard input is not a scan"),
        (["-", "-", "-o", "x"], b"", 2, "given twice"),
        (["a.png", "b.png", "-o", "-"], b"", 2, "for one scan"),
        (["-", "-o", "-", "--json"], b"", 2, "would both write to standard output"),
    ],
)
def test_a_pipe_that_makes_no_sense_is_refused_in_a_sentence(tmp_path, words, given, code, reason):
    done = run_process(*words, input=given, cwd=tmp_path)
    assert done.returncode == code and reason.encode() in done.stderr and done.stdout == b""
    assert b"Traceback" not in done.stderr and made_in(tmp_path) == []


def test_a_terminal_gets_no_picture(tmp_path):
    draw_scan().save(tmp_path / "a.png")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "legible", "clean", tmp_path / "a.png", "-o", "-"]
    done = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, check=False)
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 2 and b"standard output is a terminal" in done.stderr


@pytest.mark.parametrize("n_workers", [1, 2])
def test_ctrl_c_says_what_is_done_and_how_to_go_on(tmp_path, n_workers):
    """The last file is a pipe that nobody writes to, so that the run never ends by itself."""
    names = [f"{n}.png" for n in range(4)]
    save_scans(tmp_path, *names)
    os.mkfifo(tmp_path / "last.png")
    words = ["clean", *names, "last.png", "-o", "out", "--workers", str(n_workers)]
    with subprocess.Popen(
        [sys.executable, "-c", HEARING_CTRL_C, *words],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stderr is not None
        written = [process.stdout.readline().strip() for _ in names]
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to the workers too
        said = process.stderr.read()
    assert process.returncode == 130 and "Traceback" not in said, said
    assert "interrupted: 4 of 5 files done, nothing half-written is left. Run the same command again" in said
    assert written == [f"out/{name}" for name in names] and made_in(tmp_path / "out") == names


def test_a_report_has_a_row_for_each_page_and_covers_resumed_runs(legible):
    scans = save_scans(Path("scans"), "a.png", "deep/b.jpg")
    draw_scan().save(scans / "book.tif", save_all=True, append_images=[draw_scan(1)])
    (scans / "notes.txt").write_text("no scan")
    words = ("clean", scans, "-o", "out", "--report", "seen")
    assert legible(*words).code == 0
    save_scans(scans, "c.png")
    (scans / "bad.png").write_bytes(b"bad")
    assert legible(*words).code == 3
    rows = [json.loads(line) for line in Path("seen/pages.jsonl").read_text().splitlines()]
    found = [(row["file"], row["page"], row["action"]) for row in rows]
    assert sorted(found, key=str) == [
        ("scans/a.png", 1, "cleaned"), ("scans/bad.png", None, "failed"), ("scans/book.tif", 1, "cleaned"),
        ("scans/book.tif", 2, "cleaned"), ("scans/c.png", 1, "cleaned"), ("scans/deep/b.jpg", 1, "cleaned"),
        ("scans/notes.txt", None, "skipped"),
    ]  # fmt: skip
    with Path("seen/pages.csv").open(newline="") as file:
        assert [row["file"] for row in csv.DictReader(file)] == [row["file"] for row in rows]
    [row] = [row for row in rows if row["file"] == "scans/deep/b.jpg"]
    assert (
        row["bytes_after"] == Path("out/deep/b.jpg").stat().st_size
        and row["output_link"] == "../out/deep/b.jpg"
    )
    assert row["ink_lost"] == pytest.approx(1 - row["ink_after"] / row["ink_before"], abs=1e-3)
    for name in ("before", "after"):
        with Image.open(Path("seen") / row[name]) as thumb:
            assert thumb.size == (160, 120)
    (scans / "bad.png").unlink()
    assert legible(*words).code == 0 and made_in("out") == ["a.png", "book.tif", "c.png", "deep/b.jpg"]


def test_a_report_lists_files_that_an_earlier_run_made_without_one(legible):
    scans = save_scans(Path("scans"), "a.png", "b.png")
    assert legible("clean", scans, "-o", "out").code == 0
    assert legible("clean", scans, "-o", "out", "--report", "seen").code == 0
    rows = [json.loads(line) for line in Path("seen/pages.jsonl").read_text().splitlines()]
    assert [(row["file"], row["action"]) for row in rows] == [
        ("scans/a.png", "existed"),
        ("scans/b.png", "existed"),
    ]


def test_a_line_of_the_report_that_was_cut_off_is_no_row(legible):
    scans = save_scans(Path("scans"), "a.png")
    words = ("clean", scans, "-o", "out", "--report", "seen")
    assert legible(*words).code == 0
    with Path("seen/pages.jsonl").open("a") as file:
        file.write('{"file": "scans/z.p')
    assert legible(*words).code == 0 and len(Path("seen/pages.jsonl").read_text().splitlines()) == 1


def test_a_folder_of_somebody_else_becomes_no_report(legible):
    scans = save_scans(Path("scans"), "a.png")
    Path("mine").mkdir()
    Path("mine/index.html").write_text("my page")
    done = legible("clean", scans, "-o", "out", "--report", "mine")
    assert done.code == 6 and "mine exists already and is no report" in done.err
    assert not Path("out").exists() and made_in("mine") == ["index.html"]
    assert legible("clean", scans, "-o", "out", "--report", "mine", "--overwrite").code == 0


def many_rows(n: int) -> list[dict]:
    """Rows as reports have them; every fiftieth has a warning, with letters that HTML gives a meaning."""
    row = dict.fromkeys(COLUMNS) | {"pages": 1, "page": 1, "action": "cleaned", "width": 2480, "height": 3508}
    row |= {
        "mode": "grey",
        "ink_before": 0.2,
        "ink_after": 0.1,
        "bytes_before": 9_000_000,
        "bytes_after": 900_000,
    }
    row |= dict.fromkeys(("reason", "error", "before", "after"), "")
    return [
        row | {
            "file": f"scans/{i:05d}.png", "output": f"out/{i:05d}.png", "output_link": f"../out/{i:05d}.png",
            "source_link": f"../scans/{i:05d}.png", "ink_lost": i / n, "seconds": i % 7 / 10,
            "warnings": ["</script><b>torn</b>"] if i % 50 == 0 else [],
        }
        for i in range(n)
    ]  # fmt: skip


def test_a_report_of_ten_thousand_pages_is_small_and_draws_a_few_rows_at_a_time(tmp_path):
    page = write_page(many_rows(10_000), {"mode": "grey"})
    assert len(page) < 4_000_000 and page.count("</script>") == 2
    if not CHROMIUM:
        pytest.skip("no Chromium: on Debian, apt install chromium")
    (tmp_path / "index.html").write_text(page)
    command = [CHROMIUM, "--headless", "--no-sandbox", "--dump-dom", f"file://{tmp_path}/index.html"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    body = shown.partition("<script")[0]
    assert 20 <= body.count('class="row page"') <= 1000 and "10,000" in body and "<b>torn" not in body
    assert "200" in body and "more rows below" in body
