"""`legible reproduce`: run the published reports' tables, ours beside theirs, with their figures."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from legible.cli import options
from legible.cli.screen import EpochLines, counting, print_json, print_table, say, waiting
from legible.errors import UnknownName
from legible.output import check_free

if TYPE_CHECKING:
    from legible.studies.plan import Line, Run, Study
    from legible.studies.results import Results


def reproduce(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[STUDY|ROW]...", help="Reports (a b c d e) or rows (A1 B2.4); all if none."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A small version on the embedded digits, 2 seeds.")
    ] = False,
    seeds: Annotated[int | None, typer.Option(min=1, help="Only this many seeds of each run.")] = None,
    output: options.Output = None,
    pages: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write the pages and figures here, not to OUTPUT/pages."),
    ] = None,
    tables_only: Annotated[
        bool, typer.Option("--tables-only", help="Do no missing run: show what the rows say.")
    ] = False,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Keep what is trained in here too, a saved model for each run."),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Reproduce the published reports: do the runs that are missing, then print tables and draw figures.

    Finished runs are kept as lines of OUTPUT/rows.jsonl (default: results, or results/quick with --quick) and
    are not done again; a run that was cut off goes on from its last epoch.
    """
    with waiting("starting PyTorch"):
        from legible.data import load_dataset
        from legible.studies.pages import write_page
        from legible.studies.plan import QUICK_EPOCHS, shrink
        from legible.studies.results import Results, line_facts, notes, study_table
        from legible.studies.runner import read_rows
    folder = output or Path("results") / ("quick" if quick else "")
    results = Results(read_rows(folder / "rows.jsonl"), load_dataset)
    chosen = choose_lines(names or [])
    if quick:
        small = f" (small: the embedded digits, {QUICK_EPOCHS} epochs at most)"
        chosen = [(n, replace(s, title=s.title + small), list(map(shrink, lines))) for n, s, lines in chosen]
    if seeds is not None:
        chosen = [(n, s, [replace(x, runs=tuple(r for r in x.runs if r.seed < seeds)) for x in lines])
                  for n, s, lines in chosen]  # fmt: skip
    if not tables_only:
        do_missing([line for _, _, lines in chosen for line in lines], results, folder, keep)
    if as_json:
        print_json({line.row: line_facts(line, results) for _, _, lines in chosen for line in lines})
    for name, study, lines in chosen:
        if not as_json:
            print_table(study_table(lines, results, study.title))
            say(*notes(lines, results))
        if len(lines) == len(study.lines):
            page = write_page(name, replace(study, lines=tuple(lines)), results, pages or folder / "pages")
            say(f"written: {page}")
        elif pages is not None:
            say(f"no page written: pages are of whole reports, here of {name}.")


def choose_lines(names: list[str]) -> list[tuple[str, Study, list[Line]]]:
    """The studies and, in each, the lines that the names ask for. Raises UnknownName with near names."""
    from legible.studies import STUDIES

    studies = {entry.name: entry.build() for entry in STUDIES}
    rows = {name for study in studies.values() for line in study.lines for name in _names_of(line)}
    wanted = {name.lower() for name in names} or set(studies)
    for name in names:
        if name.lower() not in {*studies, *rows}:
            raise UnknownName(
                "study or row", name, [*studies, *sorted(row for row in rows if " " not in row)]
            )
    chosen = [
        (name, study, [x for x in study.lines if name in wanted or _names_of(x) & wanted])
        for name, study in studies.items()
    ]
    return [(name, study, lines) for name, study, lines in chosen if lines]


def _names_of(line: Line) -> set[str]:
    """What its row may be called: `E3 ours` is so called, and of e3; `B2.4` is b2.4 and of b2."""
    row = line.row.split()[0].lower()
    return {line.row.lower(), row, row.partition(".")[0]}


def do_missing(lines: list[Line], results: Results, folder: Path, models: Path | None = None) -> None:
    """Do every run that has no row yet, and append its row; what was trained goes to `models`, if given."""
    from legible.studies.keep import keep_work
    from legible.studies.perform import perform
    from legible.studies.provenance import this_command
    from legible.studies.runner import append_row

    missing: dict[Run, str] = {}
    for line in lines:
        missing |= {run: line.row for run in results.missing(line) if run not in missing}
    if models is not None and not missing:
        say("All these runs have their rows: nothing is trained, and nothing kept.")
    for number, (run, row_name) in enumerate(missing.items(), start=1):
        splits, keep = results.splits(run.dataset), None
        part = f"fold {run.fold + 1}/{run.n_folds}" if run.n_folds else f"seed {run.seed}"
        say(f"{row_name}, run {number} of {len(missing)}: {run.model}, {part}")
        if models is not None:
            target = models / f"{row_name}-{part}".replace(" ", "").replace("/", "of")
            check_free(target, overwrite=False)
            keep = partial(keep_work, folder=target, command=this_command())
        watched = "test" if run.watch == "test" else "held out"
        epochs = EpochLines(run.settings.n_epochs, "  ", watched=watched)
        with counting("  judging") as progress:
            for record in perform(run, splits, folder / "unfinished", progress, keep=keep):
                if "key" in record:
                    append_row(folder / "rows.jsonl", record)
                    results.rows[record["key"]] = record
                else:
                    epochs.show(record)
