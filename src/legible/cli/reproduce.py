"""`legible reproduce`: run the published reports' tables, ours beside theirs, with their figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from legible.cli import options
from legible.cli.screen import Screen, print_json, print_table, say, waiting
from legible.errors import ResultsDiffer

if TYPE_CHECKING:
    from legible.studies.choose import Chosen
    from legible.studies.results import Results


PAGES, README, FINDINGS = Path("docs/results"), Path("README.md"), "findings.md"  # defaults of the options
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[STUDY|ROW]...", help="Reports (a b c d e), records, or rows (A1 B2.4)."),
]
Quick = Annotated[bool, typer.Option("--quick", help="A small version on the embedded digits, 2 seeds.")]
Seeds = Annotated[int | None, typer.Option(min=1, help="Only this many seeds of each run.")]
Pages = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="The folder of results.json, pages and figures. Default: OUTPUT/pages for writing, docs/results "
        "for --check and for the overview.",
    ),
]
Readme = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.md", help="Update this document's tables of results; with --check, compare them."
    ),
]
Missing = Annotated[
    bool,
    typer.Option("--missing", help="Do the missing runs, of all studies if none is named, shortest first."),
]
Check = Annotated[
    bool,
    typer.Option(
        "--check",
        help="Compare results.json, the pages and README.md with the rows. Exit code 7 if they differ.",
    ),
]
TablesOnly = Annotated[bool, typer.Option("--tables-only", help="Do no runs: show the finished ones.")]
Keep = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Also save the trained model of each run in this folder."),
]


def reproduce(
    names: Names = None,
    quick: Quick = False,
    seeds: Seeds = None,
    output: options.Output = None,
    pages: Pages = None,
    readme: Readme = None,
    missing: Missing = False,
    check: Check = False,
    tables_only: TablesOnly = False,
    keep: Keep = None,
    as_json: options.AsJson = False,
) -> None:
    """Reproduce the published reports: do the missing runs, then print tables and draw figures.

    Without a name, show how far all of them are. Finished runs are kept as lines of OUTPUT/rows.jsonl
    (default: results, or results/quick with --quick) and are not done again; an interrupted run continues
    after its last epoch.
    """
    with waiting("starting PyTorch"):
        from legible.data import load_dataset
        from legible.runs.rows import read_rows
        from legible.studies.choose import choose_lines, narrow
        from legible.studies.missing import ROWS, do_missing
        from legible.studies.results import Results
    folder = output or Path("results") / ("quick" if quick else "")
    results = Results(read_rows(folder / ROWS), load_dataset)
    chosen = narrow(choose_lines(names or []), quick=quick, n_seeds=seeds)
    if check:
        check_documents(chosen, results, pages or PAGES, readme or README)
    elif names or missing or tables_only:
        if not tables_only:
            do_missing(chosen, results, folder, open_screen, models=keep, shortest_first=missing)
        show_tables(chosen, results, pages or folder / "pages", required=pages is not None, as_json=as_json)
        if readme is not None:
            update_readme(readme, pages or folder / "pages")
    else:
        show_state(chosen, results, pages or (folder / "pages" if quick else PAGES), as_json=as_json)


def open_screen(watched: str) -> Screen:
    """The screen for one run. watched: what its epochs are measured on besides the training images."""
    return Screen(watched=watched)


def show_state(chosen: Chosen, results: Results, folder: Path, *, as_json: bool) -> None:
    """Print every row with its figures, or that it is missing, and how long the missing runs take."""
    from legible.report.study_results import footnotes
    from legible.studies.missing import by_cost, find_missing
    from legible.studies.state import find_state, state_table

    rows = find_state(chosen, results, folder)
    if as_json:
        print_json({row.row: row.to_json() for row in rows})
    else:
        print_table(state_table(rows))
        say(*footnotes(rows))
    if missing := find_missing(chosen, results):
        say(by_cost(missing, results)[1] + " legible reproduce --missing does them.")


def show_tables(chosen: Chosen, results: Results, folder: Path, *, required: bool, as_json: bool) -> None:
    """Print the studies' tables, and write a page for each study of which all lines are chosen.

    required: whether a page that cannot be written is an error.
    """
    from legible.report.study_results import footnotes, notes, results_table
    from legible.studies.pages import write_if_whole
    from legible.studies.results import row_result

    if as_json:
        rows = [row_result(line, results) for _, _, lines in chosen for line in lines]
        print_json({row.row: row.to_json() for row in rows})
    for name, study, lines in chosen:
        if not as_json:
            rows = [row_result(line, results) for line in lines]
            print_table(results_table(rows, study.title))
            say(*footnotes(rows), *notes(rows))
        if outcome := write_if_whole(name, study, lines, results, folder, required=required):
            say(outcome)


def update_readme(readme: Path, folder: Path) -> None:
    """Write the two tables of results into a document."""
    from legible.studies.summary import write_summary

    write_summary(readme, folder)
    say(f"its tables are up to date: {readme}")


def check_documents(chosen: Chosen, results: Results, folder: Path, readme: Path) -> None:
    """Raise ResultsDiffer where results.json, the pages or the documents differ from the rows."""
    from legible.studies.check import find_differences

    found = list(find_differences(chosen, results, folder, [readme, folder / FINDINGS]))
    say(*found)
    if found:
        raise ResultsDiffer(f"{len(found)} differences found. Write the results again: make results")
    say(f"results.json, the pages and {readme} say what the rows say")
