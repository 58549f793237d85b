"""results.json: what is written is read back, and studies of the same name are replaced.

Source of the expected values: by hand.
"""

from dataclasses import replace

import pytest

from legible.errors import InputError
from legible.report.study_results import (
    Part,
    Provenance,
    RowResult,
    StudyResult,
    footnotes,
    read_results,
    rows_by_name,
    write_results,
)

RUN = Provenance("a0b7c38684e5e86a", 3, None, "650c36a577", False, "2026-11-21", "a machine, 2 cores")
A1 = RowResult(
    "A1",
    "two convolutions",
    "98.68 %",
    "98.71 ± 0.09 %",
    measure="accuracy",
    values=(0.9865, 0.9877),
    mean=0.9871,
    spread=0.0009,
    target=0.9868,
    reached="yes",
    n_runs=3,
    runs=(RUN, RUN),
    train_seconds=61.4,
    figures=("report-a-A1-curves.png",),
)
A2 = RowResult("A2", "a drawing", "figure", "figure", note="a remark.")
STUDY = StudyResult(
    "report-a", "Report A", (Part("", (A1,)), Part("Drawings", (A2,))), {"A1-curves": "a.png"}
)


def test_studies_survive_the_file(tmp_path):
    path = write_results(tmp_path, [STUDY])
    assert path == tmp_path / "results.json"
    assert read_results(tmp_path) == {"report-a": STUDY}
    assert rows_by_name(read_results(tmp_path)) == {"A1": A1, "A2": A2}


def test_writing_a_study_replaces_it_and_leaves_the_others(tmp_path):
    other = StudyResult("records", "Records", ())
    changed = StudyResult("report-a", "Report A, again", ())
    write_results(tmp_path, [STUDY])
    write_results(tmp_path, [other])
    write_results(tmp_path, [changed])
    assert list(read_results(tmp_path).values()) == [other, changed]  # sorted by name


def test_a_folder_without_the_file_has_no_studies(tmp_path):
    assert read_results(tmp_path) == {}


@pytest.mark.parametrize("text", ["", "[]", '{"studies": [{"name": "a"}]}', '{"studies": [3]}', "\xff"])
def test_a_file_of_something_else_is_refused_with_its_name(tmp_path, text):
    (tmp_path / "results.json").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=r"results\.json is not a file of results"):
        read_results(tmp_path)


def test_a_row_is_shown_with_its_missing_runs_and_its_length():
    assert A1.cells() == ["A1", A1.system, "98.68 %", "98.71 ± 0.09 %", "2 of 3", "1 min 01 s", "yes"]
    assert A2.cells() == ["A2", "a drawing", "figure", "figure", "", "", ""]


def test_a_figure_is_marked_for_a_run_without_a_commit_and_for_local_changes():
    unknown = replace(RUN, commit="")
    changed = replace(RUN, local_changes=True)
    rows = [
        RowResult("X", "", "", "1 %", also="RMSE 2", runs=runs)
        for runs in ((RUN,), (RUN, unknown), (changed,), (changed, unknown))
    ]
    assert [row.cells()[3] for row in rows] == [
        "1 % (RMSE 2)", "1 % (RMSE 2) †", "1 % (RMSE 2) ‡", "1 % (RMSE 2) †‡"
    ]  # fmt: skip
    assert [row.marked for row in rows] == ["1 %", "1 % †", "1 % ‡", "1 % †‡"]
    assert footnotes(rows[:1]) == []
    assert [note[0] for note in footnotes(rows)] == ["†", "‡"]
