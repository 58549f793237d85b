"""`/api/models`, `/api/results`: the saved models with their scores, and what the studies found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

import legible
from legible.cards import Card, list_cards
from legible.evaluation.measures import say_score
from legible.report.tables import from_markdown
from legible.web.documents import failures
from legible.web.problems import Refused

PAGES = Path(legible.__file__).parents[2] / "docs" / "results"  # of a checkout; elsewhere there is none
_FIGURE = re.compile(r"!\[(.*)\]\((.*)\)")
router = APIRouter()  # plain functions: FastAPI reads their files in threads, off the event loop


class Model(BaseModel):
    """A saved model, in short."""

    name: str = Field(examples=["digits"])
    task: str = Field(examples=["classify"])
    n_parameters: int = Field(examples=[412266])
    trained: dict[str, Any] = Field(description="On what, how, with which seed and at which commit.")
    score: str = Field(examples=["accuracy 99.70 % on mnist (clean)"])


class Block(BaseModel):
    """A piece of a page of results: a table, a figure, a heading or a paragraph."""

    header: list[str] = []
    rows: list[list[str]] = []
    figure: str = ""
    heading: str = ""
    text: str = ""


class ResultsPage(BaseModel):
    """What one study found."""

    name: str = Field(examples=["report-a"])
    title: str
    blocks: list[Block] = []


@router.get("/api/models", tags=["models"], summary="The shipped models", responses=failures(500))
def models() -> list[Model]:
    """All models that ship with the program, with their main scores."""
    return [_sum_up(card) for card in list_cards()]


@router.get(
    "/api/models/{name}", tags=["models"], summary="One model's card", responses=failures(404, 422, 500)
)
def model(name: str) -> dict[str, Any]:
    """All that is known of a shipped model."""
    for card in list_cards():
        if card.name == name:
            return card.facts
    raise Refused(404, f"no shipped model {name[:80]!r}. List: /api/models")


@router.get("/api/results", tags=["results"], summary="The studies", responses=failures(500))
def results() -> list[ResultsPage]:
    """The pages of results there are; none where the program is not run from a checkout."""
    return [ResultsPage(name=path.stem, title=read_title(path)) for path in sorted(PAGES.glob("*.md"))]


@router.get(
    "/api/results/{name}", tags=["results"], summary="What a study found", responses=failures(404, 422, 500)
)
def result(name: str) -> ResultsPage:
    """The tables, figures and notes of one study."""
    for path in PAGES.glob("*.md"):
        if path.stem == name:
            return ResultsPage(name=name, title=read_title(path), blocks=list(read_blocks(path.read_text())))
    raise Refused(404, f"no study {name[:80]!r}. List: /api/results")


def read_title(path: Path) -> str:
    """The first heading of a page."""
    with path.open() as file:
        return file.readline().lstrip("# ").strip()


def read_blocks(text: str) -> Iterator[Block]:
    """The parts of a page as `legible reproduce --pages` writes it, below its heading."""
    for part in re.split(r"\n\s*\n", text.partition("\n")[2]):
        lines = [line.strip() for line in part.strip().splitlines()]
        if not lines:
            continue
        if figure := _FIGURE.fullmatch(lines[0]):
            yield Block(figure=figure[2], text=figure[1])
        elif lines[0].startswith("#"):
            yield Block(heading=lines[0].lstrip("# "))
        elif table := from_markdown(part):
            yield Block(header=list(table.columns), rows=[list(row) for row in table.rows])
        else:
            yield Block(text=" ".join(line.removeprefix("- ") for line in lines))


def _sum_up(card: Card) -> Model:
    return Model(
        name=card.name, task=card.task, n_parameters=card.facts["n_parameters"],
        trained=card.facts["trained"], score=say_score(card.main_score),
    )  # fmt: skip
