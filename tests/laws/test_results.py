"""What the documents of this program claim is what its rows say."""

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_pages_and_the_readme_say_what_the_rows_do(legible, monkeypatch):
    monkeypatch.chdir(ROOT)
    done = legible("reproduce", "--check")
    assert done.code == 0, done.err


def test_no_row_of_the_reports_is_missing(legible, monkeypatch):
    monkeypatch.chdir(ROOT)
    done = legible("reproduce")
    assert done.code == 0 and "missing" not in done.err and "not run" not in done.out, done.err
