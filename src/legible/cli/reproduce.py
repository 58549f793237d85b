"""`legible reproduce`: run the published reports' tables, ours beside theirs, with their figures."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from legible.cli import options
from legible.cli.screen import EpochLines, counting, print_json, print_table, say, waiting
from legible.errors import InputError, ResultsDiffer, UnknownName
from legible.output import check_free

if TYPE_CHECKING:
    from legible.studies.plan import Line
    from legible.studies.results import Results
    from legible.studies.state import Chosen


README, PAGES, FINDINGS = Path("README.md"), Path("docs/results"), "findings.md"
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[STUDY|ROW]...", help="Reports (a b c d e), records, or rows (A1 B2.4)."),
]
Quick = Annotated[bool, typer.Option("--quick", help="A small version on the embedded digits, 2 seeds.")]
Seeds = Annotated[int | None, typer.Option(min=1, help="Only this many seeds of each run.")]
Pages = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Write the pages and figures here, not to OUTPUT/pages."),
]
Readme = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.md", help="Bring this document's tables of results up to date with the pages."
    ),
]
Missing = Annotated[
    bool,
    typer.Option("--missing", help="Do what is missing, of all if none is named, the shortest first."),
]
Check = Annotated[
    bool,
    typer.Option("--check", help="Do the pages and README.md say what the rows do? Exit code 7 if not."),
]
TablesOnly = Annotated[bool, typer.Option("--tables-only", help="Do no missing run: show what the rows say.")]
Keep = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Keep what is trained in here too, a saved model for each run."),
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
    """Reproduce the published reports: do the runs that are missing, then print tables and draw figures.

    Without a name, say how far all of them are. Finished runs are kept as lines of OUTPUT/rows.jsonl
    (default: results, or results/quick with --quick) and are not done again; a run that was cut off goes on
    from its last epoch.
    """
    with waiting("starting PyTorch"):
        from legible.data import load_dataset
        from legible.studies.results import Results
        from legible.studies.runner import read_rows
    folder = output or Path("results") / ("quick" if quick else "")
    results = Results(read_rows(folder / "rows.jsonl"), load_dataset)
    chosen = narrow(choose_lines(names or []), quick=quick, n_seeds=seeds)
    if check:
        check_docs(chosen, results, pages or PAGES)
    elif names or missing or tables_only:
        if not tables_only:
            do_missing(chosen, results, folder, keep, shortest_first=missing)
        show_tables(chosen, results, pages, folder / "pages", as_json=as_json)
        if readme is not None:
            update_readme(readme, pages or folder / "pages")
    else:
        show_state(chosen, results, pages or (folder / "pages" if quick else PAGES), as_json=as_json)


def choose_lines(names: list[str]) -> Chosen:
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


def narrow(chosen: Chosen, *, quick: bool, n_seeds: int | None) -> Chosen:
    """The same in small (embedded digits, few epochs), or with so many seeds of each run, if wanted."""
    from legible.studies.plan import QUICK_EPOCHS, shrink

    if quick:
        small = f" (small: the embedded digits, {QUICK_EPOCHS} epochs at most)"
        chosen = [(n, replace(s, title=s.title + small), list(map(shrink, lines))) for n, s, lines in chosen]
    if n_seeds is not None:
        chosen = [(n, s, [replace(x, runs=tuple(r for r in x.runs if r.seed < n_seeds)) for x in lines])
                  for n, s, lines in chosen]  # fmt: skip
    return chosen


def _names_of(line: Line) -> set[str]:
    """What its row may be called: `E3 ours` is so called, and of e3; `B2.4` is b2.4 and of b2."""
    row = line.row.split()[0].lower()
    return {line.row.lower(), row, row.partition(".")[0]}


def show_state(chosen: Chosen, results: Results, pages: Path, *, as_json: bool) -> None:
    """Print every row with its figures, or that it is missing, and how long what is missing takes."""
    from legible.studies.results import line_facts
    from legible.studies.state import by_cost, find_missing, state_table

    if as_json:
        print_json(
            {line.row: line_facts(line, results) for _, _, lines in chosen for line in lines if line.runs}
        )
    else:
        print_table(state_table(chosen, results, pages))
    if missing := find_missing(chosen, results):
        say(by_cost(missing, results)[1] + " legible reproduce --missing does them.")


def show_tables(
    chosen: Chosen, results: Results, pages: Path | None, usual_pages: Path, *, as_json: bool
) -> None:
    """Print the studies' tables, and write a page for each study of which all lines are chosen."""
    from legible.studies.pages import write_page
    from legible.studies.results import line_facts, notes, study_table

    if as_json:
        print_json({line.row: line_facts(line, results) for _, _, lines in chosen for line in lines})
    for name, study, lines in chosen:
        if not as_json:
            print_table(study_table(list(lines), results, study.title))
            say(*notes(list(lines), results))
        if len(lines) == len(study.lines):
            try:
                page = write_page(replace(study, lines=tuple(lines)), results, pages or usual_pages)
            except InputError as error:  # its pictures want data that is not at hand
                if pages is not None:
                    raise
                say(f"no page written of {name}: {error}")
            else:
                say(f"written: {page}")
        elif pages is not None:
            say(f"no page written: pages are of whole reports, here of {name}.")


def update_readme(readme: Path, pages: Path) -> None:
    """Write the two tables of results into a document."""
    from legible.studies.summary import write_summary

    if not readme.is_file():
        raise InputError(f"there is no file {readme} to bring up to date.")
    write_summary(readme, pages)
    say(f"its tables are up to date: {readme}")


def check_docs(chosen: Chosen, results: Results, pages: Path) -> None:
    """Raise ResultsDiffer where the docs say something else than the rows."""
    from legible.studies.state import find_differences

    found = list(find_differences(chosen, results, pages, [README, pages / FINDINGS]))
    say(*found)
    if found:
        raise ResultsDiffer(f"{len(found)} figures differ. Write the pages anew: make results")
    say("the pages and README.md say what the rows do")


def do_missing(
    chosen: Chosen,
    results: Results,
    folder: Path,
    models: Path | None = None,
    *,
    shortest_first: bool = False,
) -> None:
    """Do every run that has no row yet, and append its row; what was trained goes to `models`, if given."""
    from legible.studies.keep import keep_work
    from legible.studies.perform import perform
    from legible.studies.provenance import this_command
    from legible.studies.runner import append_row
    from legible.studies.state import by_cost, find_missing

    missing = find_missing(chosen, results)
    if shortest_first and missing:
        missing, told = by_cost(missing, results)
        say(told)
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
