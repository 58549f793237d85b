"""Tables of text: one value, shown as Markdown in a file and by rich in a terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from legible.errors import ArgumentError
from legible.evaluation.measure import Judgement
from legible.evaluation.measure_drawings import Drawings
from legible.evaluation.measure_images import Restoration
from legible.evaluation.measure_lines import LineJudgement
from legible.evaluation.measures import MEASURES, duration
from legible.notebook import html_table

if TYPE_CHECKING:
    from rich.table import Table as RichTable

NOTHING = "·"  # a count of zero: lets the others stand out
# 98.98 %, 98.98 ± 0.05 %, 1,135, >0.9999, 12.3 s, 2 min 29 s
_FIGURE = re.compile(r"[-+<>~]?\d[\d.,]*( ± [\d.,]+)?( ?[^\W\d]{1,4}| ?%)?( \d+ \w{1,3})?")


@dataclass(frozen=True)
class Table:
    """Column heads, rows of finished text, and a title."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""

    def __post_init__(self) -> None:
        """Refuse rows that do not fill the columns."""
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ArgumentError(
                    f"table {self.title!r}: row {number} has {len(row)} cells "
                    f"for {len(self.columns)} columns."
                )

    def holds_figures(self, column: int) -> bool:
        """Tell whether all filled cells of a column but the first are figures: those are set flush right."""
        cells = [row[column] for row in self.rows if row[column] not in ("", "-", NOTHING)]
        return column > 0 and bool(cells) and all(_FIGURE.fullmatch(cell) for cell in cells)

    def _repr_html_(self) -> str:
        figures = [i for i in range(len(self.columns)) if self.holds_figures(i)]
        return html_table(self.columns, self.rows, figures)


def markdown(table: Table) -> str:
    """Write a table as Markdown that is also easy to read as plain text; ends with a newline."""
    grid = [[_escape(cell) for cell in row] for row in (table.columns, *table.rows)]
    widths = [max(3, *(len(row[i]) for row in grid)) for i in range(len(table.columns))]
    right = [table.holds_figures(i) for i in range(len(table.columns))]
    rule = ["-" * (w - 1) + ":" if r else "-" * w for w, r in zip(widths, right, strict=True)]
    padded = [
        [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)] for row in grid
    ]
    lines = [f"| {' | '.join(row)} |" for row in (padded[0], rule, *padded[1:])]
    return "\n".join(([f"**{table.title}**", ""] if table.title else []) + lines) + "\n"


def from_markdown(text: str) -> Table | None:
    """The first table in a piece of Markdown; None where it has none."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip().startswith("|")]
    if len(lines) < 2:
        return None
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    cells = [[cell.replace("\\|", "|") for cell in row] for row in cells]
    return Table(cells[0], [row for row in cells[2:] if len(row) == len(cells[0])])


def to_rich(table: Table) -> RichTable:
    """Lay a table out for the terminal: `rich.print(to_rich(table))`."""
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
        shown.add_row(*(Text(cell) for cell in row))  # Text: a name like "[a]" is no markup
    return shown


def percent(fraction: float, spread: float | None = None) -> str:
    """Write a fraction as "98.98 %", or with its standard deviation as "98.98 ± 0.05 %"."""
    return f"{100 * fraction:.2f}{_plus_minus(spread, 100, 2)} %"


def number(value: float, spread: float | None = None, digits: int = 4) -> str:
    """Write a loss or another plain figure as "0.0329", or with its spread as "0.0329 ± 0.0010"."""
    return f"{value:.{digits}f}{_plus_minus(spread, 1, digits)}"


def judgement_table(judgement: Judgement, *, title: str = "Judgement") -> Table:
    """Sum a judgement up in a few lines."""
    j = judgement
    rows = [
        ("accuracy", percent(j.accuracy)),
        ("95 % interval", f"{percent(j.accuracy_low)} to {percent(j.accuracy_high)}"),
        ("always the commonest class", percent(j.most_frequent_class_accuracy)),
        ("loss", f"{number(j.loss_nats)} nats"),
        ("calibration error", percent(j.calibration_error)),
        ("images", f"{j.n_images:,}"),
        ("time", f"{duration(j.seconds)}, {j.images_per_second:,.0f} images per second"),
    ]
    return Table(("measure", "value"), rows, title)


def restoration_table(restoration: Restoration, *, title: str = "Restoration") -> Table:
    """Sum a restoration up in a few lines, beside what the noisy images score as they are."""
    r, rows = restoration.scores, []
    for name in ("mse", "rmse", "psnr_db", "ssim", "bce_nats"):
        written = [_write_measure(name, r[key]) for key in (name, f"noisy_{name}")]
        rows += [(MEASURES[name].words, *written)] if any(written) else []
    if len(restoration.kinds) > 1:
        rows += [(f"RMSE, {k}", MEASURES["rmse"].write(mse**0.5), "") for k, mse in restoration.kinds.items()]
    rows += [
        ("least possible BCE", _write_measure("bce_nats", restoration.least_bce_nats), ""),
        ("images", f"{restoration.n_images:,}", ""),
        (
            "time",
            f"{duration(restoration.seconds)}, {restoration.images_per_second:,.0f} images per second",
            "",
        ),
    ]
    return Table(("measure", "restored", "noisy, as it is"), rows, title)


def _write_measure(name: str, value: float | None) -> str:
    """Write a measure with its unit; one of None is infinite (PSNR), or could not be taken ("")."""
    if value is None:
        return f"∞{MEASURES[name].unit}" if name == "psnr_db" else ""
    return MEASURES[name].write(value)


def lines_table(judgement: LineJudgement, *, title: str = "Lines") -> Table:
    """Sum up what was measured of a reader of lines."""
    names = ("strings_right", "digit_error_rate", "falsely_read")
    rows = [(MEASURES[name].words, MEASURES[name].write(getattr(judgement, name))) for name in names]
    rows += [
        ("lines", f"{judgement.n_images:,}, of {judgement.n_digits:,} digits"),
        ("time", f"{duration(judgement.seconds)}, {judgement.lines_per_second:,.0f} lines per second"),
    ]
    return Table(("measure", "value"), rows, title)


def drawings_table(drawings: Drawings, *, title: str = "Drawings") -> Table:
    """Sum up what was measured of a model that draws."""
    d = drawings
    bound = MEASURES["bound_nats"].write(d.bound_nats, d.bound_error_nats)
    rows = [
        (f"bound, {d.n_samples} samples", bound),
        ("if the class is not told", MEASURES["bound_nats"].write(d.bound_without_label_nats)),
        ("-ELBO", MEASURES["elbo_nats"].write(d.elbo_nats)),
    ]
    rows += [
        (MEASURES[name].words, MEASURES[name].write(value))
        for name in ("read_as_asked", "frechet", "diversity", "distinct")
        if (value := getattr(d, name)) is not None
    ]
    if d.frechet_of_real is not None:
        rows.append(("Fréchet distance of real to real", MEASURES["frechet"].write(d.frechet_of_real)))
    rows += [("test images", f"{d.n_images:,}"), ("drawings", f"{d.n_drawn:,}")]
    return Table(("measure", "value"), rows, title)


def per_class_table(judgement: Judgement) -> Table:
    """Show precision, recall, F1 and the number of images of each class."""
    rows = [
        (name, percent(s.precision), percent(s.recall), percent(s.f1), f"{s.support:,}")
        for name, s in zip(judgement.classes, judgement.per_class, strict=True)
    ]
    return Table(("class", "precision", "recall", "F1", "images"), rows, "Each class")


def confusion_table(judgement: Judgement) -> Table:
    """Show how many images of each class (row) were taken for which class (column)."""
    rows = [
        (name, *(f"{count:,}" if count else NOTHING for count in counts))
        for name, counts in zip(judgement.classes, judgement.confusion, strict=True)
    ]
    return Table(("true \\ read as", *judgement.classes), rows, "Confusion matrix")


def _plus_minus(spread: float | None, scale: int, digits: int) -> str:
    return "" if spread is None else f" ± {scale * spread:.{digits}f}"


def _escape(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
