"""`/api/generate`: new digits on one sheet; `/api/sliders`: the sliders that change them."""

from __future__ import annotations

import io
from threading import Event

import numpy as np
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from legible.errors import ArgumentError
from legible.generating.files import draw_sheet
from legible.inference.generator import in_turn
from legible.web.openapi import error_responses, file_response
from legible.web.state import N_SLIDERS, state_of
from legible.web.uploads import BufferedRoute

MAX_DIGITS, MAX_SLIDER = 1000, 4.0
router = APIRouter(route_class=BufferedRoute)


class GenerateRequest(BaseModel):
    """What to generate."""

    model_config = ConfigDict(strict=True)
    digits: list[str] = Field(
        default_factory=list, max_length=MAX_DIGITS, examples=[["7"]],
        description="Generated in turn; all ten if empty.",
    )  # fmt: skip
    number: int = Field(64, ge=1, le=MAX_DIGITS, description="Digits in all.", examples=[16])
    seed: int = Field(0, ge=0, lt=2**32, description="Equal seeds give equal digits.")
    temperature: float = Field(
        1.0, ge=0, le=2, description="Below 1 for more typical digits, above 1 for more unusual ones."
    )
    sliders: list[float] = Field(
        default_factory=list, max_length=16, examples=[[1.5, 0, -1]],
        description="Offsets of the latents that change the digits the most (see /api/sliders), in "
        "standard deviations.",
    )  # fmt: skip


class Sliders(BaseModel):
    """How many sliders there are, and their range."""

    number: int = Field(examples=[6])
    limit: float = Field(
        description="A slider goes from -limit to limit, in standard deviations.", examples=[4.0]
    )


@router.get(
    "/api/sliders", tags=["generate"], summary="The sliders of /api/generate", responses=error_responses(500)
)
async def sliders(request: Request) -> Sliders:
    """How many sliders /api/generate accepts, and the range of each."""
    state = state_of(request)
    number = await state.quick.run(request, lambda _: len(state.sliders))
    return Sliders(number=number, limit=MAX_SLIDER)


@router.post(
    "/api/generate", tags=["generate"], summary="Generate new digits", response_class=Response,
    responses=error_responses() | file_response("image/png", description="The digits on one sheet."),
)  # fmt: skip
async def generate(request: Request, body: GenerateRequest) -> Response:
    """Generate new handwritten digits on one sheet, as `legible generate` does."""
    state = state_of(request)
    if len(body.sliders) > N_SLIDERS:
        raise ArgumentError(f"sliders: give at most {N_SLIDERS} values, not {len(body.sliders)}.")
    for value in body.sliders:
        if not abs(value) <= MAX_SLIDER:
            raise ArgumentError(
                f"sliders must lie between -{MAX_SLIDER:g} and {MAX_SLIDER:g}, not {value:g}."
            )

    def work(_: Event) -> Response:
        names = in_turn(body.digits or state.generator.classes, body.number)
        moved = dict(zip(state.sliders, body.sliders, strict=False)) if any(body.sliders) else {}
        images = state.generator.generate(
            names, np.random.default_rng(body.seed), temperature=body.temperature, moved=moved
        )
        written = io.BytesIO()
        draw_sheet(images).save(written, "PNG")
        return Response(written.getvalue(), media_type="image/png")

    return await state.quick.run(request, work)
