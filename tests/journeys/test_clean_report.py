"""`legible clean --report`: a row for each page, on a web page, as CSV and as JSON lines."""

import csv
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from legible.cleaning.run_report import COLUMNS, write_page
from tests.scans import draw_scan, made_in, save_scans

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


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
