"""`/api/read`: the digits in a picture; `/api/denoise`: one digit with noise added, then removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from threading import Event
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, File, Form, Request, UploadFile
from pydantic import BaseModel, Field

from legible.choices import ReadMode
from legible.errors import ArgumentError
from legible.images import to_bytes
from legible.noise import add_noise, split_chain
from legible.reading.find import flatten_illumination, whole
from legible.reading.open_pictures import Opened, open_pictures
from legible.reading.reader import BLANK, doubt, prepare_main_component
from legible.web.openapi import EXAMPLE_READING, error_responses
from legible.web.state import ServerState, state_of
from legible.web.uploads import BufferedRoute, display_name, request_folder, save_upload

MAX_NOISES = 3
router = APIRouter(route_class=BufferedRoute)


class Readings(BaseModel):
    """One reading for each page of the file, as `legible read --json` prints them."""

    pages: list[dict[str, Any]] = Field(examples=[[EXAMPLE_READING]])


class DigitView(BaseModel):
    """One digit as the classifier sees it, and how it is classified."""

    pixels: list[list[int]] = Field(description="28 rows of 28 pixels, 255 = ink.")
    probabilities: dict[str, float] = Field(examples=[{"0": 0.0001, "7": 0.9992}])
    digit: str | None = Field(description="The digit read; null if it is rejected.", examples=["7"])
    reason: str = Field("", description="Why it is rejected.")


class Denoised(BaseModel):
    """A digit as uploaded, with noise added, and denoised."""

    input: DigitView
    noisy: DigitView
    denoised: DigitView


@router.post("/api/read", tags=["read"], summary="Read the digits in a picture", responses=error_responses())
async def read(
    request: Request,
    file: Annotated[UploadFile, File(description="A picture or a PDF.")],
    mode: Annotated[ReadMode, Form(description="What the picture shows; auto detects it.")] = "auto",
    min_confidence: Annotated[
        float | None, Form(ge=0, le=1, description="Reject digits and lines less certain than this.")
    ] = None,
    error_rate: Annotated[
        float | None,
        Form(gt=0, lt=1, description="For single digits: list prediction sets with this error rate."),
    ] = None,
) -> Readings:
    """Read handwritten digits: one, a line of them, or all on a page or photo; anything else is rejected."""
    state = state_of(request)

    def work(gone: Event) -> Readings:
        pages = []
        for opened in _open(state, file):
            if gone.is_set():
                break
            reading = state.reader.read(
                opened.pixels, mode=mode, min_confidence=min_confidence, error_rate=error_rate
            )
            pages.append({"file": opened.name, **reading.to_json()})
        return Readings(pages=pages)

    return await state.queue_for(file.size).run(request, work)


@router.post(
    "/api/denoise", tags=["denoise"], summary="Add noise to a digit and remove it",
    responses=error_responses(),
)  # fmt: skip
async def denoise(
    request: Request,
    file: Annotated[UploadFile, File(description="A picture of one digit.")],
    noise: Annotated[
        str, Form(description="Noise to add, e.g. gaussian:0.5; several joined by +; clean for none.")
    ] = "clean",
    seed: Annotated[int, Form(ge=0, lt=2**32, description="Equal seeds give equal noise.")] = 0,
) -> Denoised:
    """One digit as the classifier sees it, with noise added, and denoised, each with all probabilities."""
    state = state_of(request)
    chain = split_chain(noise)
    if len(chain) > MAX_NOISES:
        raise ArgumentError(f"noise: join at most {MAX_NOISES}, not {len(chain)}.")

    def work(gone: Event) -> Denoised:
        opened = next(iter(_open(state, file)))
        picture = flatten_illumination(opened.pixels)
        _, prepared = prepare_main_component(whole(picture).ink)
        image = np.zeros((1, 1, *prepared.shape), np.float32) if picture.is_blank else prepared[None, None]
        noisy = add_noise(image, np.random.default_rng(seed), chain)
        images = np.concatenate([image, noisy, state.denoiser.restore(noisy)])  # (3, 1, 28, 28)
        probabilities = state.digits.predict(images)
        views = [_view(state, each[0], p) for each, p in zip(images, probabilities, strict=True)]
        return Denoised(input=views[0], noisy=views[1], denoised=views[2])

    return await state.queue_for(file.size).run(request, work)


def _view(state: ServerState, image: np.ndarray, probabilities: np.ndarray) -> DigitView:
    names, best = state.digits.classes, int(probabilities.argmax())
    is_blank = not image.any()
    is_accepted = not is_blank and probabilities[best] >= state.digits.rejection_threshold
    reason = BLANK if is_blank else doubt(names[best], float(probabilities[best]))
    return DigitView(
        pixels=to_bytes(image).tolist(),
        probabilities={name: round(float(p), 5) for name, p in zip(names, probabilities, strict=True)},
        digit=names[best] if is_accepted else None,
        reason="" if is_accepted else reason,
    )


def _open(state: ServerState, file: UploadFile) -> Iterator[Opened]:
    """The pages of an upload in turn, named after the client's file. Raises LegibleError."""
    with request_folder() as folder, save_upload(file, folder) as path:
        for batch in open_pictures([path], most_pixels=state.limits.max_page_pixels):
            for opened in batch:
                if opened.error is not None:
                    raise opened.error
                yield replace(opened, name=opened.name.replace(str(path), display_name(file)))
