"""What the documents of this program claim is what its rows say."""

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_pages_and_the_readme_say_what_the_rows_do(legible, monkeypatch):
    monkeypatch.chdir(ROOT)
    done = legible("reproduce", "--check")
    assert done.code == 0, done.err
