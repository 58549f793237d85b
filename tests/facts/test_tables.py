"""Tables look as written by hand.

Source of the expected values: text written by hand; SciPy for intervals.
"""

import io

import numpy as np
import pytest
from rich.console import Console

from legible.errors import ArgumentError
from legible.evaluation.classification import evaluate_classifier
from legible.evaluation.measures import duration
from legible.report.tables import (
    Table,
    classification_table,
    confusion_table,
    markdown,
    number,
    per_class_table,
    percent,
    to_rich,
)

TABLE = Table(
    ("#", "system", "ours"),
    [("A1", "conv | pool", "98.98 ± 0.05 %"), ("C1", "two [bold]conv[/]", "99.1 %"), ("D1", "plain", "")],
    "Report A",
)


@pytest.fixture(scope="module")
def report():
    labels = np.array([0] * 1200 + [1] * 300)
    answers = np.where(np.arange(1500) < 1230, 0, 1)  # 30 of class 1 are taken for class 0
    images = np.zeros((1500, 1, 2, 2), np.float32)
    return evaluate_classifier(lambda batch: 4.0 * np.eye(2)[answers], images, labels, ("no", "yes"))


def show(table: Table) -> str:
    console = Console(file=io.StringIO(), width=100, color_system=None)
    console.print(to_rich(table))
    return console.file.getvalue()


def test_markdown_is_aligned_for_reading_as_plain_text():
    assert markdown(TABLE) == (
        "**Report A**\n"
        "\n"
        "| #   | system            |           ours |\n"
        "| --- | ----------------- | -------------: |\n"
        "| A1  | conv \\| pool      | 98.98 ± 0.05 % |\n"
        "| C1  | two [bold]conv[/] |         99.1 % |\n"
        "| D1  | plain             |                |\n"
    )


def test_the_terminal_shows_the_same_cells_without_interpreting_markup():
    shown = show(TABLE)
    assert all(cell in shown for row in (TABLE.columns, *TABLE.rows) for cell in row)
    assert "Report A" in shown


def test_a_table_may_have_no_title_and_no_rows():
    assert markdown(Table(("a", "b"), [])) == "| a   | b   |\n| --- | --- |\n"
    assert "a" in show(Table(("a", "b"), []))


def test_a_row_with_too_few_cells_is_refused():
    with pytest.raises(ArgumentError, match="row 1 has 1 cells for 2 columns"):
        Table(("a", "b"), [("1", "2"), ("3",)])


@pytest.mark.parametrize(
    ("cells", "flush_right"),
    [
        (["98.98 %", "98.98 ± 0.05 %", ""], True),
        (["1,135", "·", "-3"], True),
        (["0.034 s", "2 min 29 s", "1 h 05 min"], True),
        ([">0.9999", "0.5000"], True),
        (["94.08 and 94.66 %"], False),
        (["98.98 % (text: 99.3)", "98.55 %"], False),
        (["", ""], False),
    ],
)
def test_columns_of_figures_are_right_aligned_and_text_left_aligned(cells, flush_right):
    assert Table(("name", "x"), [("", cell) for cell in cells]).holds_figures(1) is flush_right


def test_fractions_are_written_as_percent_with_two_decimals():
    assert percent(0.98983) == "98.98 %"
    assert percent(0.98983, 0.0005) == "98.98 ± 0.05 %"
    assert percent(1.0) == "100.00 %"


def test_losses_are_written_with_four_decimals():
    assert (number(0.03291), number(0.03291, 0.001)) == ("0.0329", "0.0329 ± 0.0010")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0341, "0.034 s"),
        (0.0996, "0.10 s"),
        (2.409, "2.41 s"),
        (9.996, "10.0 s"),
        (58.21, "58.2 s"),
        (59.96, "1 min 00 s"),
        (149, "2 min 29 s"),
        (3599.6, "1 h 00 min"),
        (3900, "1 h 05 min"),
    ],
)
def test_durations_are_formatted_for_reading(seconds, text):
    assert duration(seconds) == text


def test_a_report_is_summarised_with_its_baseline(report):
    cells = dict(classification_table(report, title="clean").rows)
    assert cells["accuracy"] == "98.00 %"
    assert cells["most frequent class alone"] == "80.00 %"
    assert cells["images"] == "1,500"
    assert cells["95 % interval"] == "97.16 % to 98.60 %"  # scipy: 0.97158 to 0.98596


def test_each_class_has_its_row(report):
    assert per_class_table(report).rows == [
        ("no", "97.56 %", "100.00 %", "98.77 %", "1,200"),
        ("yes", "100.00 %", "90.00 %", "94.74 %", "300"),
    ]


def test_the_confusion_table_shows_zeros_as_dots(report):
    assert confusion_table(report).rows == [("no", "1,200", "·"), ("yes", "30", "270")]
