"""No two files of a run get one name, and equal scans get equal names.

Source of the expected values: by hand, from the rule in documents/naming.py.
"""

from pathlib import Path

import pytest

from legible.cleaning.job import FileReport, Job
from legible.documents.folders import plan_files
from legible.documents.naming import choose_view_names
from legible.errors import ArgumentError, ExitCode, InputError


@pytest.fixture
def scans(tmp_path, monkeypatch) -> Path:
    """Empty files: plans read no scan."""
    monkeypatch.chdir(tmp_path)
    for name in ("s/s.bmp", "s/s.png", "s/s.gif", "s/deep/s.bmp", "t/s.png", "u/t/s.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def names(plan):
    return {str(each.source): str(each.inner) for each in plan.files}


def test_scans_that_would_become_one_file_get_names_that_tell(scans):
    expected = {
        "s/deep/s.bmp": "deep/s.png",
        "s/s.bmp": "s.bmp.png",
        "s/s.gif": "s.gif.png",
        "s/s.png": "s.png",
    }
    assert names(plan_files([Path("s")], Path("out"))) == expected


def test_scans_of_one_name_are_told_apart_by_their_folders_or_by_a_number(scans):
    plan = plan_files([Path("s/s.png"), Path("t/s.png"), Path("u/t/s.png")], Path("out"))
    assert names(plan) == {"s/s.png": "s.png", "t/s.png": "t-s.png", "u/t/s.png": "s-2.png"}
    plan = plan_files([Path("t"), Path("u/t")], Path("out"))
    assert names(plan) == {"t/s.png": "t/s.png", "u/t/s.png": "u-t/s.png"}


def test_a_scan_given_twice_is_cleaned_once_and_that_is_said(scans):
    plan = plan_files([Path("t/s.png"), Path("t/s.png")], Path("out"))
    assert len(plan.files) == 1 and [each.reason for each in plan.skipped] == ["given twice"]


def test_files_of_an_earlier_run_keep_their_names(scans):
    made = {Path("s.png"): scans / "s/s.bmp"}
    assert names(plan_files([Path("s")], Path("out"), made=made))["s/s.bmp"] == "s.png"
    assert names(plan_files([Path("s")], Path("out"), made=made))["s/s.png"] == "s-s.png"
    moved = {Path("s.png"): scans / "gone/s.png"}
    assert names(plan_files([Path("t")], Path("out"), made=moved)) == {"t/s.png": "s.png"}


def test_a_scan_is_never_the_output_of_another(scans):
    with pytest.raises(ArgumentError, match=r"s.png would be written over"):
        plan_files([Path("s/s.bmp"), Path("t/s.png")], Path("t"))


def test_pictures_of_pages_have_plain_names_unless_these_clash():
    plain = ["letter.png", "book.pdf", "deep/letter.jpg"]
    assert [str(path) for path in choose_view_names([Path(name) for name in plain])] == [
        "letter", "book", "deep/letter",
    ]  # fmt: skip
    clashing = ["a.png", "a.jpg", "book.pdf", "book-003.png"]
    assert [str(path) for path in choose_view_names([Path(name) for name in clashing])] == [
        "a.png", "a.jpg", "book.pdf", "book-003",
    ]  # fmt: skip


def test_a_damaged_page_in_a_file_that_was_written_makes_the_exit_code_3():
    job = Job(Path("a.pdf"), Path("b.pdf"), "grey", None, 1)
    lines = (
        {"page": 1, "action": "cleaned", "warnings": []},
        {"page": 2, "action": "left", "warnings": ["torn"]},
    )
    assert FileReport(job, lines).exit_code == ExitCode.OK
    damaged = FileReport(job, (lines[0], {**lines[1], "damaged": True}))
    assert (
        damaged.exit_code == ExitCode.INPUT and damaged.warnings == ((2, "torn"),) and damaged.n_cleaned == 1
    )


def test_a_folder_without_scans_is_refused(scans):
    (scans / "none").mkdir()
    (scans / "none" / ".hidden.png").touch()
    with pytest.raises(InputError, match="holds no scans"):
        plan_files([scans / "none"], Path("out"))
