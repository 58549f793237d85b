"""`/api/read` and `/api/denoise`: pictures of digits in, what is written there out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from threading import Event
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, File, Form, Request, UploadFile
from pydantic import BaseModel, Field

from legible.apply.find import even_out, whole
from legible.apply.load_pictures import Opened, open_pictures
from legible.apply.reader import BLANK, check_picture, doubt, prepare_main_piece
from legible.choices import ReadMode
from legible.errors import ArgumentError
from legible.images import to_bytes
from legible.noise import add_noise, split_chain
from legible.web.documents import EXAMPLE_READING, failures
from legible.web.shelf import Shelf
from legible.web.uploads import WholeRoute, name_of, own_folder, put_down

MOST_NOISES = 3
router = APIRouter(route_class=WholeRoute)


class Readings(BaseModel):
    """What was read, a reading for each page of the file, as `legible read --json` prints them."""

    pages: list[dict[str, Any]] = Field(examples=[[EXAMPLE_READING]])


class Look(BaseModel):
    """One digit as the classifier sees it, and what it takes it for."""

    pixels: list[list[int]] = Field(description="28 rows of 28 pixels, 255 = ink.")
    probabilities: dict[str, float] = Field(examples=[{"0": 0.0001, "7": 0.9992}])
    digit: str | None = Field(description="What it is read as; none where it is refused.", examples=["7"])
    reason: str = Field("", description="Why it is refused.")


class Denoised(BaseModel):
    """A digit as it was given, with noise on it, and with the noise taken off."""

    seen: Look
    noisy: Look
    denoised: Look


@router.post("/api/read", tags=["read"], summary="Read the digits in a picture", responses=failures())
async def read(
    request: Request,
    file: Annotated[UploadFile, File(description="A picture or a PDF.")],
    mode: Annotated[ReadMode, Form(description="What the picture shows; auto finds out.")] = "auto",
    min_confidence: Annotated[
        float | None, Form(ge=0, le=1, description="Refuse what is less sure than this.")
    ] = None,
    error_rate: Annotated[
        float | None,
        Form(gt=0, lt=1, description="For single digits: tell all that each may be, at this rate of errors."),
    ] = None,
) -> Readings:
    """Read handwritten digits: one, a line of them, or all on a page or photo; what is none is refused."""
    shelf: Shelf = request.app.state.shelf

    def work(gone: Event) -> Readings:
        pages = []
        for opened in _open(shelf, file):
            if gone.is_set():
                break
            told = shelf.reader.read(
                opened.pixels, mode=mode, min_confidence=min_confidence, error_rate=error_rate
            )
            pages.append(told.to_json(opened.name))
        return Readings(pages=pages)

    return await shelf.desk_for(file.size).run(request, work)


@router.post(
    "/api/denoise", tags=["denoise"], summary="Put noise on a digit, and take it off", responses=failures()
)
async def denoise(
    request: Request,
    file: Annotated[UploadFile, File(description="A picture of one digit.")],
    noise: Annotated[
        str, Form(description="Noise to put on it, e.g. gaussian:0.5; joined by +; clean for none.")
    ] = "clean",
    seed: Annotated[int, Form(ge=0, lt=2**32, description="Equal seeds give equal noise.")] = 0,
) -> Denoised:
    """Show one digit as the classifier sees it, noisy, and denoised, with all ten probabilities of each."""
    shelf: Shelf = request.app.state.shelf
    chain = split_chain(noise)
    if len(chain) > MOST_NOISES:
        raise ArgumentError(f"noise: give {MOST_NOISES} in a row at most, not {len(chain)}.")

    def work(gone: Event) -> Denoised:
        opened = next(iter(_open(shelf, file)))
        picture = even_out(check_picture(opened.pixels))
        _, prepared = prepare_main_piece(whole(picture).ink)
        seen = np.zeros((1, 1, *prepared.shape), np.float32) if picture.is_blank else prepared[None, None]
        noisy = add_noise(seen, np.random.default_rng(seed), chain)
        three = np.concatenate([seen, noisy, shelf.denoiser.restore(noisy)])
        odds = shelf.digits.predict(three)
        looks = [_look(shelf, image[0], each) for image, each in zip(three, odds, strict=True)]
        return Denoised(seen=looks[0], noisy=looks[1], denoised=looks[2])

    return await shelf.desk_for(file.size).run(request, work)


def _look(shelf: Shelf, image: np.ndarray, odds: np.ndarray) -> Look:
    names, best = shelf.digits.classes, int(odds.argmax())
    is_blank = not image.any()
    is_sure = not is_blank and odds[best] >= shelf.digits.refuse_below
    why = BLANK if is_blank else doubt(names[best], float(odds[best]))
    return Look(
        pixels=to_bytes(image).tolist(),
        probabilities={name: round(float(p), 5) for name, p in zip(names, odds, strict=True)},
        digit=names[best] if is_sure else None,
        reason="" if is_sure else why,
    )


def _open(shelf: Shelf, file: UploadFile) -> Iterator[Opened]:
    """The pages of an upload in turn, named as the client does. Raises LegibleError."""
    with own_folder() as folder, put_down(file, folder) as path:
        for batch in open_pictures([path], most_pixels=shelf.limits.pixels):
            for opened in batch:
                if opened.error is not None:
                    raise opened.error
                yield replace(opened, name=opened.name.replace(str(path), name_of(file)))
