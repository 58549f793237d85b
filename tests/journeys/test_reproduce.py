"""The published reports are reproduced by the real command, on small data and with small nets."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from legible.cards import open_card
from legible.cli.screen import Screen
from legible.errors import InputError
from legible.report.study_results import read_results, rows_by_name
from legible.runs.run import Run
from legible.studies import STUDIES, choose, report_a, report_d
from legible.studies.study import Line, Study
from legible.studies.summary import put_summary, summary_tables, write_summary
from legible.training.settings import Settings

ROOT = Path(__file__).parents[2]
TINY = Settings(n_epochs=2, batch_size=100)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """The same systems, smaller and trained for a moment."""
    tiny = replace(report_a.AS_PUBLISHED, model="cnn-one-conv:filters=2,dense=8", settings=TINY)
    monkeypatch.setattr(report_a, "AS_PUBLISHED", tiny)
    monkeypatch.setattr(report_d, "SMALL", Run(model=tiny.model, dataset="digits-embedded", settings=TINY))


@pytest.fixture
def rows(tmp_path):
    """The file of rows of the quick version, in its usual place."""
    return tmp_path / "here" / "results" / "quick" / "rows.jsonl"


def test_a_row_is_done_once_and_kept(legible, rows):
    first = legible("reproduce", "A1", "--quick", "--seeds", 1)
    assert first.code == 0, first.err
    assert (
        "A1, run 1 of 1: cnn-one-conv:filters=2,dense=8, seed 0" in first.err and "epoch   2/2" in first.err
    )
    assert "test accuracy" in first.err and "held out" not in first.err  # the report followed the test set
    assert "| A1" in first.out and "98.68 %" in first.out and "images/s" not in first.out
    [row] = map(json.loads, rows.read_text().splitlines())
    assert row["run"]["dataset"] == "digits-embedded" and row["run"]["seed"] == 0
    again = legible("reproduce", "a1", "--quick", "--seeds", 1)
    assert again.code == 0 and again.out == first.out and "run 1 of" not in again.err
    assert len(rows.read_text().splitlines()) == 1
    more = legible("reproduce", "A1", "--quick", "--seeds", 2, "--json")
    assert more.code == 0 and "A1, run 1 of 1" in more.err and "seed 1" in more.err  # only what was missing
    assert len(json.loads(more.out)["A1"]["values"]) == 2


def test_what_is_trained_is_kept_where_that_is_asked_for(legible, rows):
    words = ("reproduce", "A1", "--quick", "--seeds", 1, "--keep", "models")
    first = legible(*words)
    assert first.code == 0, first.err
    card = open_card(Path("models/A1-seed0"))
    [row] = map(json.loads, rows.read_text().splitlines())
    assert card.main_score["accuracy"] == row["scores"]["clean"]["accuracy"]
    assert legible("models", "verify", card.folder).code == 0
    again = legible(*words)
    assert again.code == 0 and "no model is saved" in again.err
    rows.unlink()  # what is there is not written over, and nothing is trained in vain
    third = legible(*words)
    assert third.code == 6 and "models/A1-seed0 exists already" in third.err and "epoch" not in third.err


def test_a_run_that_was_cut_off_goes_on_from_its_last_epoch(legible, rows, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Screen, "epoch", stop)
        assert legible("reproduce", "A1", "--quick", "--seeds", 1).code == 130
    assert not rows.exists() and len(list((rows.parent / "unfinished").iterdir())) == 1
    done = legible("reproduce", "A1", "--quick", "--seeds", 1)
    assert done.code == 0 and "epoch   2/2" in done.err and "epoch   1/2" not in done.err
    [row] = map(json.loads, rows.read_text().splitlines())
    assert [record["epoch"] for record in row["history"]] == [1, 2]
    assert list((rows.parent / "unfinished").iterdir()) == []


def test_report_ds_pair_is_written_loaded_back_and_compared(legible):
    done = legible("reproduce", "D4", "--quick")
    assert done.code == 0 and "360 of 360 predictions the same" in done.out
    assert "360 of 360" in json.loads(legible("reproduce", "D4", "--quick", "--json").out)["D4"]["ours"]


def test_report_ds_four_stages_are_shown_one_by_one(legible):
    done = legible("reproduce", "D2", "D5", "--quick")
    assert done.code == 0, done.err
    words = done.out + done.err
    places = [words.index(stage) for stage in ("(1) load", "(2) define", "(3) train", "(4) estimate")]
    assert places == sorted(places)
    assert "Conv2d -> 2 x 26 x 26, 20 parameters" in words and "(3, 28, 28)" in words


def test_report_es_layouts_are_the_same_images(legible):
    done = legible("reproduce", "E1", "--quick")
    assert done.code == 0 and "the same" in done.out and "(360, 28, 28, 1)" in done.out


def test_tables_only_trains_nothing(legible, rows):
    done = legible("reproduce", "A1", "A3", "--quick", "--tables-only", "--pages", "shown")
    assert done.code == 0 and "not run" in done.out and "epoch" not in done.err
    assert not rows.exists()
    assert "no page written: pages are of whole reports" in done.err and not Path("shown").exists()


def test_a_whole_report_gets_a_page_with_its_figures(legible, rows, monkeypatch):
    line = Line("X1", "a net", "98 %", (replace(report_d.SMALL, watch="test"),), note="a remark.")
    study = Study("Report X", (line,), report_a_curves)
    monkeypatch.setattr(choose, "choose_lines", lambda names: [("x", study, [line])])
    done = legible("reproduce", "--quick", "--missing")
    assert done.code == 0, done.err
    page = (rows.parent / "pages" / "report-x.md").read_text()
    assert page.startswith("# Report X (small: the embedded digits, 3 epochs at most)\n")
    assert "| X1" in page and "a remark." in page
    assert "![curves](report-x-curves.png)" in page
    assert (rows.parent / "pages" / "report-x-curves.png").read_bytes().startswith(b"\x89PNG")
    assert "written: results/quick/pages/report-x.md" in done.err


def test_a_long_report_is_shown_in_parts_and_its_state_shows_what_its_page_says(legible, monkeypatch):
    lines = [
        Line("X1", "first", "1", prove=lambda: "found one"),
        Line("X2", "second", "2", prove=lambda: "found two", note="a remark."),
        Line("X3", "third", "figure"),
    ]
    study = Study("Report X: parts", tuple(lines), lambda study, results: {}, {"X2": "The second part"})
    monkeypatch.setattr(choose, "choose_lines", lambda names: [("x", study, lines)])
    before = legible("reproduce")
    assert before.code == 0 and before.out.count("no page yet") == 2 and "found" not in before.out
    assert legible("reproduce", "--tables-only", "--pages", "docs/results").code == 0
    page = Path("docs/results/report-x.md").read_text()
    first, second = page.split("\n\n## The second part\n\n")
    assert "| X1" in first and "X2" not in first and "| X2" in second and "\n- X2: a remark." in second
    after = legible("reproduce")
    assert "found one" in after.out and "found two" in after.out and "no page yet" not in after.out
    assert legible("reproduce", "--check").code == 0


def test_tables_are_shown_where_the_pictures_of_a_page_want_data_that_is_not_there(legible, monkeypatch):
    def draw(study, results):
        raise InputError("cannot download it. Put it here.")

    lines = [Line("X1", "first", "1", prove=lambda: "found one")]
    monkeypatch.setattr(
        choose, "choose_lines", lambda names: [("x", Study("Report X", (*lines,), draw), lines)]
    )
    done = legible("reproduce", "--tables-only")
    assert (
        done.code == 0 and "found one" in done.out and "no page written of x: cannot download it." in done.err
    )
    asked = legible("reproduce", "--tables-only", "--pages", "pages")
    assert asked.code == 3 and "cannot download it" in asked.err and not Path("pages/report-x.md").exists()


def report_a_curves(study, results):
    from legible.report import figures

    return {"curves": figures.curves(results.histories(study.lines[0]), watched="test", title="X1")}


def test_every_report_can_be_shown_before_anything_was_run(legible, rows):
    done = legible("reproduce", "--quick", "--tables-only")
    assert done.code == 0, done.err
    pages = {path.name for path in (rows.parent / "pages").glob("*.md")}
    assert pages == {*(f"report-{letter}.md" for letter in "abcde"), "records.md"}
    for entry in STUDIES:
        assert all(f"| {line.row} " in done.out for line in entry.build().lines)


def test_rows_are_found_by_their_own_name_and_by_that_of_all_with_a_point(legible):
    def shown(name):
        return list(json.loads(legible("reproduce", name, "--quick", "--tables-only", "--json").out))

    assert shown("b1.3") == ["B1.3"]
    assert shown("b1.1 ours") == ["B1.1 ours"]
    assert shown("B1") == ["B1.1", "B1.1 ours", *(f"B1.{number}" for number in range(2, 8))]
    assert shown("B2") == ["B2.1", "B2.2", "B2.3", "B2.3 ours", "B2.4", "B2.5", "B2 noise"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("A11",), 2, "no study or row 'A11'"),
        (("A1", "--seeds", 0), 2, "greater than or equal to 1"),
        (("Z",), 2, "no study or row 'Z'"),
    ],
)
def test_what_is_not_there_is_said(legible, words, code, said):
    done = legible("reproduce", *words, "--quick")
    assert done.code == code and said in done.err and done.out == "" and "Traceback" not in done.err


def test_rows_that_cannot_be_read_are_named_with_their_line(legible, rows):
    rows.parent.mkdir(parents=True)
    rows.write_text('{"key": "a"}\nhalf a li')
    done = legible("reproduce", "A1", "--quick")
    assert done.code == 3 and "rows.jsonl, line 2, is not a row of results" in done.err
    assert rows.read_text() == '{"key": "a"}\nhalf a li'


def test_without_a_name_it_says_how_far_all_is_and_does_nothing(legible, rows):
    done = legible("reproduce", "--quick")
    assert done.code == 0 and not rows.exists() and "epoch" not in done.err
    for entry in STUDIES:
        assert all(f"| {line.row} " in done.out for line in entry.build().lines)
    assert "not run" in done.out and "runs are missing" in done.err
    assert legible("reproduce", "A1", "--quick", "--seeds", 1).code == 0
    again = legible("reproduce", "--quick")
    assert "| 1 of 2 |" in again.out and "legible reproduce --missing does them" in again.err


def test_what_is_missing_is_done_with_the_shortest_first(legible, rows, monkeypatch):
    short = replace(report_d.SMALL, seed=1)
    long = replace(short, settings=replace(TINY, n_epochs=4))
    lines = [
        Line("X1", "long", "", (long,)),
        Line("X2", "short", "", (short,)),
        Line("X3", "known", "", (replace(short, seed=2),)),
    ]
    study = Study("Report X", tuple(lines), lambda study, results: {})
    monkeypatch.setattr(
        choose,
        "choose_lines",
        lambda names: [("x", study, [line for line in lines if not names or line.row in names])],
    )
    first = legible("reproduce", "X3", "-o", "results")
    assert first.code == 0, first.err
    done = legible("reproduce", "--missing", "-o", "results")
    assert done.code == 0, done.err
    assert "2 runs are missing: about" in done.err
    assert done.err.index("X2, run 1 of 2") < done.err.index("X1, run 2 of 2")
    assert "All" not in done.err and "0 of" not in done.out


@pytest.fixture
def written(legible, rows):
    """Two rows done, and the results of all studies written into docs/results."""
    assert legible("reproduce", "A1", "D1", "--quick", "--seeds", 1, "-o", "results").code == 0
    done = legible("reproduce", "--quick", "--tables-only", "-o", "results", "--pages", "docs/results")
    assert done.code == 0, done.err
    return rows_by_name(read_results(Path("docs/results")))


def change(path, before, after):
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_results_that_differ_from_the_rows_are_reported_one_by_one(legible, written):
    words = ("reproduce", "--quick", "--check", "-o", "results")
    same = legible(*words)
    assert same.code == 0 and "say what the rows say" in same.err
    file, page, ours = Path("docs/results/results.json"), Path("docs/results/report-d.md"), written["D1"].ours
    whole = file.read_text()
    change(page, f" {ours} ", " 99.99 % ")
    Path("README.md").write_text(
        f"Right: {written['A1'].ours} (`A1`), wrong: 12 % (`A1`), no row: 12 % (`A99`).\n"
    )
    differ = legible(*words)
    assert differ.code == 7 and "2 differences found" in differ.err
    assert "report-d.md, line 7, differs from results.json; it should be: | D1 " in differ.err
    assert f"README.md: row A1 is {written['A1'].ours} in results.json; here it is ..." in differ.err
    assert "wrong: 12 %." in differ.err
    Path("README.md").unlink()
    change(page, " 99.99 % ", f" {ours} ")
    change(file, f'"ours": "{ours}"', '"ours": "99.99 %"')
    differ = legible(*words)
    assert differ.code == 7
    assert f"results.json, row D1: ours is '99.99 %'; by the rows it is '{ours}'." in differ.err
    file.write_text(whole)
    assert legible(*words).code == 0
    file.unlink()
    assert legible(*words).code == 7


def test_rows_made_without_a_recorded_commit_or_with_local_changes_are_marked(legible, written, rows):
    path = Path("results/rows.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    commits = {written["A1"].runs[0].key: "", written["D1"].runs[0].key: "0123456789+"}
    for line in lines:
        line["commit"] = commits.get(line["key"], "0123456789")
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    shown = legible("reproduce", "A1", "D1", "--quick", "--tables-only", "-o", "results")
    assert f" {written['A1'].ours} † " in shown.out and f" {written['D1'].ours} ‡ " in shown.out
    assert "† At least one run behind this figure was made without a recorded commit." in shown.err
    assert "‡ At least one run behind this figure was made with local changes" in shown.err
    assert legible("reproduce", "--quick", "--check", "-o", "results").code == 7  # the pages do not say so
    again = legible("reproduce", "--quick", "--tables-only", "-o", "results", "--pages", "docs/results")
    assert again.code == 0 and legible("reproduce", "--quick", "--check", "-o", "results").code == 0
    page = Path("docs/results/report-d.md").read_text()
    assert f" {written['D1'].ours} ‡ " in page and "\n\n‡ At least one run" in page and "†" not in page
    state = legible("reproduce", "--quick", "-o", "results", "--pages", "docs/results")
    assert f" {written['A1'].ours} † " in state.out and "† At least one run" in state.err
    found = rows_by_name(read_results(Path("docs/results")))
    [run] = found["D1"].runs
    assert (run.commit, run.local_changes, run.seed) == ("0123456789", True, 0)
    assert found["A1"].values == written["A1"].values and found["A1"].ours == written["A1"].ours


def test_the_tables_of_a_document_are_brought_up_to_date_and_compared(legible, tmp_path):
    folder = tmp_path / "pages"
    folder.mkdir()
    shutil.copy(ROOT / "docs/results/results.json", folder)
    document = Path("README.md")
    document.write_text("Before.\n<!-- results -->\nold\n<!-- end of results -->\nAfter.\n")
    write_summary(document, folder)
    text = document.read_text()
    assert text.startswith("Before.\n<!-- results -->\n\n| report |") and text.endswith("-->\nAfter.\n")
    assert put_summary(text, folder) == text and "old" not in text
    assert put_summary((ROOT / "README.md").read_text(), folder) == (ROOT / "README.md").read_text()
    reports, anchors = summary_tables(rows_by_name(read_results(folder)))
    counts = {row[0]: row[-1] for row in reports.rows if row[-1]}
    assert set(counts) == set("ABCDE") and counts["C"] == "1 of 1"
    better = {row[0]: row[3] for row in anchors.rows}
    assert better["MNIST, one net"] == "yes" and better["MNIST, binarised once"] == "no"
    assert "| 99.74 ± 0.01 % † | yes" in text and "\n† At least one run" in text  # R1 has no commit
    change(folder / "results.json", '"row": "R1"', '"row": "S1"')
    with pytest.raises(InputError, match=r"no row 'R1'\. Write it first"):
        put_summary(text, folder)


def test_a_document_to_bring_up_to_date_must_be_there(legible):
    done = legible("reproduce", "E1", "--quick", "--tables-only", "-o", "results", "--readme", "nowhere.md")
    assert done.code == 3 and "there is no file nowhere.md to bring up to date" in done.err
