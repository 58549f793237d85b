"""Tables of text, written as Markdown to files and shown by rich in terminals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from legible.errors import ArgumentError
from legible.evaluation.classification import ClassificationReport
from legible.evaluation.generation import GenerationReport
from legible.evaluation.line_reading import LineReadingReport
from legible.evaluation.measures import MEASURES, duration
from legible.evaluation.restoration import RestorationReport
from legible.notebook import html_table

if TYPE_CHECKING:
    from rich.table import Table as RichTable

ZERO = "·"  # shown for a count of zero, so that other counts stand out
# 98.98 %, 98.98 ± 0.05 % †, 1,135, >0.9999, 12.3 s, 2 min 29 s
_FIGURE = re.compile(r"[-+<>~]?\d[\d.,]*( ± [\d.,]+)?( ?[^\W\d]{1,4}| ?%)?( \d+ \w{1,3})?( [†‡]+)?")


@dataclass(frozen=True)
class Table:
    """Column heads, rows of text, and a title."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""

    def __post_init__(self) -> None:
        """Check that every row has a cell for each column."""
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ArgumentError(
                    f"table {self.title!r}: row {number} has {len(row)} cells "
                    f"for {len(self.columns)} columns."
                )

    def holds_figures(self, column: int) -> bool:
        """Whether a column (except the first) has only figures, so that it is right-aligned."""
        cells = [row[column] for row in self.rows if row[column] not in ("", "-", ZERO)]
        return column > 0 and bool(cells) and all(_FIGURE.fullmatch(cell) for cell in cells)

    def _repr_html_(self) -> str:
        figures = [i for i in range(len(self.columns)) if self.holds_figures(i)]
        return html_table(self.columns, self.rows, figures)


def markdown(table: Table) -> str:
    """The table as Markdown with aligned columns, readable as plain text; ends with a newline."""
    grid = [[_escape(cell) for cell in row] for row in (table.columns, *table.rows)]
    widths = [max(3, *(len(row[i]) for row in grid)) for i in range(len(table.columns))]
    right = [table.holds_figures(i) for i in range(len(table.columns))]
    rule = ["-" * (w - 1) + ":" if r else "-" * w for w, r in zip(widths, right, strict=True)]
    padded = [
        [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)] for row in grid
    ]
    lines = [f"| {' | '.join(row)} |" for row in (padded[0], rule, *padded[1:])]
    return "\n".join(([f"**{table.title}**", ""] if table.title else []) + lines) + "\n"


def to_rich(table: Table) -> RichTable:
    """The table for a terminal: `rich.print(to_rich(table))`."""
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    shown = RichTable(
        title=Text(table.title, style="bold") if table.title else None,
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    for i, name in enumerate(table.columns):
        shown.add_column(Text(name), justify="right" if table.holds_figures(i) else "left")
    for row in table.rows:
        shown.add_row(*(Text(cell) for cell in row))  # Text: "[a]" isn't markup
    return shown


def percent(fraction: float, spread: float | None = None) -> str:
    """Format a fraction as "98.98 %", or with its standard deviation as "98.98 ± 0.05 %"."""
    return f"{100 * fraction:.2f}{_plus_minus(spread, 100, 2)} %"


def number(value: float, spread: float | None = None, digits: int = 4) -> str:
    """Format a number as "0.0329", or with its standard deviation as "0.0329 ± 0.0010"."""
    return f"{value:.{digits}f}{_plus_minus(spread, 1, digits)}"


def classification_tables(report: ClassificationReport, *, title: str, in_full: bool = False) -> list[Table]:
    """A classifier's report: summary and classes; in_full: the confusion matrix too."""
    tables = [classification_table(report, title=title), per_class_table(report)]
    return [*tables, confusion_table(report)] if in_full else tables


def restoration_tables(report: RestorationReport, *, title: str, in_full: bool = False) -> list[Table]:
    """A restorer's report; in_full makes no difference."""
    return [restoration_table(report, title=title)]


def line_reading_tables(report: LineReadingReport, *, title: str, in_full: bool = False) -> list[Table]:
    """A line reader's report; in_full makes no difference."""
    return [lines_table(report, title=title)]


def generation_tables(report: GenerationReport, *, title: str, in_full: bool = False) -> list[Table]:
    """A generator's report; in_full makes no difference."""
    return [generation_table(report, title=title)]


def classification_table(report: ClassificationReport, *, title: str = "Classification") -> Table:
    """Summarise a classifier's report."""
    r = report
    rows = [
        ("accuracy", percent(r.accuracy)),
        ("95 % interval", f"{percent(r.accuracy_low)} to {percent(r.accuracy_high)}"),
        ("most frequent class alone", percent(r.most_frequent_class_accuracy)),
        ("loss", f"{number(r.loss_nats)} nats"),
        ("calibration error", percent(r.calibration_error)),
        ("images", f"{r.n_images:,}"),
        ("time", f"{duration(r.seconds)}, {r.images_per_second:,.0f} images per second"),
    ]
    return Table(("measure", "value"), rows, title)


def restoration_table(restoration: RestorationReport, *, title: str = "Restoration") -> Table:
    """Summarise a restorer's report, next to the scores of the unrestored images."""
    r, rows = restoration.scores, []
    for name in ("mse", "rmse", "psnr_db", "ssim", "bce_nats"):
        written = [_write_measure(name, r[key]) for key in (name, f"noisy_{name}")]
        rows += [(MEASURES[name].label, *written)] if any(written) else []
    if len(restoration.kinds) > 1:
        rows += [(f"RMSE, {k}", MEASURES["rmse"].write(mse**0.5), "") for k, mse in restoration.kinds.items()]
    rows += [
        ("lowest possible BCE", _write_measure("bce_nats", restoration.least_bce_nats), ""),
        ("images", f"{restoration.n_images:,}", ""),
        (
            "time",
            f"{duration(restoration.seconds)}, {restoration.images_per_second:,.0f} images per second",
            "",
        ),
    ]
    return Table(("measure", "restored", "noisy"), rows, title)


def _write_measure(name: str, value: float | None) -> str:
    """Format a measure with its unit; None is infinite (PSNR) or not available ("")."""
    if value is None:
        return f"∞{MEASURES[name].unit}" if name == "psnr_db" else ""
    return MEASURES[name].write(value)


def lines_table(report: LineReadingReport, *, title: str = "Lines") -> Table:
    """Summarise a line reader's report."""
    names = ("strings_right", "digit_error_rate", "falsely_read")
    rows = [(MEASURES[name].label, MEASURES[name].write(getattr(report, name))) for name in names]
    rows += [
        ("lines", f"{report.n_images:,}, with {report.n_digits:,} digits"),
        ("time", f"{duration(report.seconds)}, {report.lines_per_second:,.0f} lines per second"),
    ]
    return Table(("measure", "value"), rows, title)


def generation_table(report: GenerationReport, *, title: str = "Generation") -> Table:
    """Summarise a generator's report."""
    r = report
    bound = MEASURES["bound_nats"].write(r.bound_nats, r.bound_error_nats)
    rows = [
        (f"bound, {r.n_samples} samples", bound),
        ("bound without label", MEASURES["bound_nats"].write(r.bound_without_label_nats)),
        ("-ELBO", MEASURES["elbo_nats"].write(r.elbo_nats)),
    ]
    rows += [
        (MEASURES[name].label, MEASURES[name].write(value))
        for name in ("read_as_asked", "frechet", "diversity", "distinct")
        if (value := getattr(r, name)) is not None
    ]
    if r.frechet_of_real is not None:
        rows.append(("Fréchet distance, real to real", MEASURES["frechet"].write(r.frechet_of_real)))
    rows += [("test images", f"{r.n_images:,}"), ("generated images", f"{r.n_drawn:,}")]
    return Table(("measure", "value"), rows, title)


def per_class_table(report: ClassificationReport) -> Table:
    """Precision, recall, F1 and the number of images of each class."""
    rows = [
        (name, percent(s.precision), percent(s.recall), percent(s.f1), f"{s.support:,}")
        for name, s in zip(report.classes, report.per_class, strict=True)
    ]
    return Table(("class", "precision", "recall", "F1", "images"), rows, "Classes")


def confusion_table(report: ClassificationReport) -> Table:
    """How many images of each class (row) were predicted as which class (column)."""
    rows = [
        (name, *(f"{count:,}" if count else ZERO for count in counts))
        for name, counts in zip(report.classes, report.confusion, strict=True)
    ]
    return Table(("true \\ predicted", *report.classes), rows, "Confusion matrix")


def _plus_minus(spread: float | None, scale: int, digits: int) -> str:
    return "" if spread is None else f" ± {scale * spread:.{digits}f}"


def _escape(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
