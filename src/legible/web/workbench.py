"""`/api/models`, `/api/results`: the shipped models with their scores, and the results of the studies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from legible.cards import Card, list_cards
from legible.errors import InputError
from legible.evaluation.measures import say_score
from legible.report.study_results import (
    FILE,
    LEGEND,
    Studies,
    StudyResult,
    footnotes,
    notes,
    read_results,
    results_table,
)  # fmt: skip
from legible.web.openapi import error_responses
from legible.web.problems import Refused

RESULTS = Path("docs/results")  # below the working folder
router = APIRouter()  # plain functions: FastAPI reads their files in threads, off the event loop


class Model(BaseModel):
    """A shipped model in short."""

    name: str = Field(examples=["digits"])
    kind: str = Field(examples=["classifier"])
    n_parameters: int = Field(examples=[412266])
    trained: dict[str, Any] = Field(description="The command, data, duration, machine and commit.")
    score: str = Field(examples=["accuracy 99.70 % on mnist (clean)"])


class Block(BaseModel):
    """One block of a page of results: a table, a figure, a heading or a paragraph."""

    header: list[str] = []
    rows: list[list[str]] = []
    figure: str = ""
    heading: str = ""
    text: str = ""


class ResultsPage(BaseModel):
    """The results of one study."""

    name: str = Field(examples=["report-a"])
    title: str
    blocks: list[Block] = []


@router.get("/api/models", tags=["models"], summary="The shipped models", responses=error_responses(500))
def models() -> list[Model]:
    """All shipped models, with their main scores."""
    return [_sum_up(card) for card in list_cards()]


@router.get(
    "/api/models/{name}",
    tags=["models"],
    summary="One model's card",
    responses=error_responses(404, 422, 500),
)
def model(name: str) -> dict[str, Any]:
    """The card of a shipped model: its training, scores, input, classes and files."""
    for card in list_cards():
        if card.name == name:
            return {**card.facts, "model": card.model, "task": card.kind.name}
    raise Refused(404, f"no shipped model {name[:80]!r}. List: /api/models")


@router.get("/api/results", tags=["results"], summary="The studies", responses=error_responses(500))
def results(request: Request) -> list[ResultsPage]:
    """The studies in results.json; none where the server has no such file."""
    return [ResultsPage(name=study.name, title=study.title) for study in _studies(request).values()]


@router.get(
    "/api/results/{name}",
    tags=["results"],
    summary="The results of a study",
    responses=error_responses(404, 422, 500),
)
def result(name: str, request: Request) -> ResultsPage:
    """The tables, figures and notes of one study."""
    study = _studies(request).get(name)
    if study is None:
        raise Refused(404, f"no study {name[:80]!r}. List: /api/results")
    return ResultsPage(name=name, title=study.title, blocks=list(to_blocks(study)))


@router.get("/results/{file}", include_in_schema=False)
def figure(file: str, request: Request) -> Response:
    """A figure of a study, by its file name."""
    path: Path = request.app.state.results / file
    if not any(file in study.figures.values() for study in _studies(request).values()) or not path.is_file():
        raise Refused(404, f"no figure {file[:80]!r}. List: /api/results")
    return FileResponse(path)


def load_studies(app: FastAPI, folder: Path | None) -> None:
    """Let an app show the studies of a folder's results.json; if None, of docs/results, if there.

    Raises InputError where the folder has no such file, or where it cannot be read.
    """
    if folder is not None and not (folder / FILE).is_file():
        raise InputError(
            f"there is no {folder / FILE}. Write it: legible reproduce --tables-only --pages {folder}"
        )
    app.state.results = folder or RESULTS
    app.state.studies = read_results(app.state.results)


def to_blocks(study: StudyResult) -> Iterator[Block]:
    """The parts of a study's page, below its title."""
    yield Block(text=LEGEND)
    for part in study.parts:
        if part.heading:
            yield Block(heading=part.heading)
        table = results_table(part.rows)
        yield Block(header=list(table.columns), rows=[list(row) for row in table.rows])
        yield from (Block(text=text) for text in (*footnotes(part.rows), *notes(part.rows)))
    if study.figures:
        yield Block(heading="Figures")
    yield from (Block(figure=file, text=title) for title, file in study.figures.items())


def _studies(request: Request) -> Studies:
    studies: Studies = request.app.state.studies
    return studies


def _sum_up(card: Card) -> Model:
    return Model(
        name=card.name, kind=card.kind.noun, n_parameters=card.facts["n_parameters"],
        trained=card.facts["trained"], score=say_score(card.main_score),
    )  # fmt: skip
