"""`/api/generate`: new digits as a sheet; `/api/sliders`: what can be moved by hand."""

from __future__ import annotations

import io
from threading import Event

import numpy as np
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from legible.apply.drawings import draw_sheet
from legible.apply.generator import in_turn
from legible.errors import ArgumentError
from legible.web.documents import failures, file_of
from legible.web.shelf import N_SLIDERS, Shelf
from legible.web.uploads import WholeRoute

MOST_DRAWN, FURTHEST = 1000, 4.0
router = APIRouter(route_class=WholeRoute)


class Wish(BaseModel):
    """What to draw."""

    model_config = ConfigDict(strict=True)
    digits: list[str] = Field(
        default_factory=list, max_length=MOST_DRAWN, description="Drawn in turn; all ten if none.",
        examples=[["7"]],
    )  # fmt: skip
    number: int = Field(64, ge=1, le=MOST_DRAWN, description="How many in all.", examples=[16])
    seed: int = Field(0, ge=0, lt=2**32, description="Equal seeds give equal digits.")
    temperature: float = Field(
        1.0, ge=0, le=2, description="Below 1 the more usual digits, above 1 wilder ones."
    )
    sliders: list[float] = Field(
        default_factory=list, max_length=16, examples=[[1.5, 0, -1]],
        description="Added to the numbers that change drawings the most (see /api/sliders), in "
        "standard deviations.",
    )  # fmt: skip


class Sliders(BaseModel):
    """What sliders there are."""

    number: int = Field(examples=[6])
    furthest: float = Field(description="Either way, in standard deviations.", examples=[4.0])


@router.get("/api/sliders", tags=["generate"], summary="What can be moved by hand", responses=failures(500))
async def sliders(request: Request) -> Sliders:
    """How many sliders /api/generate takes, and how far each goes."""
    shelf: Shelf = request.app.state.shelf
    number = await shelf.quick.run(request, lambda _: len(shelf.sliders))
    return Sliders(number=number, furthest=FURTHEST)


@router.post(
    "/api/generate", tags=["generate"], summary="Draw new digits", response_class=Response,
    responses=failures() | file_of("image/png", description="The digits on one sheet."),
)  # fmt: skip
async def generate(request: Request, wish: Wish) -> Response:
    """Draw digits that nobody has written, as `legible generate` does, on one sheet."""
    shelf: Shelf = request.app.state.shelf
    if len(wish.sliders) > N_SLIDERS:
        raise ArgumentError(f"sliders: there are {N_SLIDERS}, not {len(wish.sliders)}.")
    for value in wish.sliders:
        if not abs(value) <= FURTHEST:
            raise ArgumentError(f"sliders must lie between -{FURTHEST:g} and {FURTHEST:g}, not {value:g}.")

    def work(_: Event) -> Response:
        asked = in_turn(wish.digits or shelf.drawer.classes, wish.number)
        moved = dict(zip(shelf.sliders, wish.sliders, strict=False)) if any(wish.sliders) else {}
        images = shelf.drawer.draw(
            asked, np.random.default_rng(wish.seed), temperature=wish.temperature, moved=moved
        )
        written = io.BytesIO()
        draw_sheet(images).save(written, "PNG")
        return Response(written.getvalue(), media_type="image/png")

    return await shelf.quick.run(request, work)
