"""Draw what was read on the picture it was read in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from legible.documents.pictures import upper_byte
from legible.images import Box

_SURE, _UNSURE = (0, 114, 178), (213, 94, 0)  # blue, vermillion: colour-blind readers tell them apart
_SURE_FROM = 0.9
_LEAST_PX = 480  # the longer side: a smaller picture is enlarged, or its letters would hide it
_LETTER_SHARE, _LEAST_LETTER_PX = 0.5, 12  # of a digit's height


def draw_boxes(
    pixels: np.ndarray, labelled: Sequence[tuple[Box, str, float]], reason: str = ""
) -> Image.Image:
    """The picture with a box around each digit, and above it what it was read as.

    pixels: (H, W) or (H, W, 3), bytes or 16 bits. labelled: box, label and confidence of each digit. Blue: at
    least 90 % sure; orange: less. reason: written above a picture in which nothing was read.
    """
    picture = Image.fromarray(upper_byte(pixels)).convert("RGB")
    enlarged = max(1, -(-_LEAST_PX // max(picture.size)))
    if enlarged > 1:
        picture = picture.resize(
            (picture.width * enlarged, picture.height * enlarged), Image.Resampling.NEAREST
        )
    heights = [(box[3] - box[1]) * enlarged for box, _, _ in labelled]
    letter_px = max(_LEAST_LETTER_PX, _LETTER_SHARE * float(np.median(heights)) if heights else 0)
    room = round(1.4 * letter_px)
    drawn = Image.new("RGB", (picture.width, picture.height + room), "white")
    drawn.paste(picture, (0, room))
    pen, font = ImageDraw.Draw(drawn), ImageFont.load_default(letter_px)
    if not labelled:
        pen.text((4, 2), reason, fill=_UNSURE, font=ImageFont.load_default(_LEAST_LETTER_PX))
    for place, label, confidence in labelled:
        left, top, right, bottom = (side * enlarged for side in place)
        colour = _SURE if confidence >= _SURE_FROM else _UNSURE
        box = (left, top + room, max(left, right - 1), max(top, bottom - 1) + room)
        pen.rectangle(box, outline=colour, width=max(1, round(letter_px / 16)))
        pen.text(((left + right) / 2, top + room - 2), label, fill=colour, font=font, anchor="mb")
    return drawn
