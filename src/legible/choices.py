"""Values of options: layouts, polarities, modes, shipped models. Light, so that help texts load fast."""

from __future__ import annotations

from typing import Literal, cast, get_args

Layout = Literal["auto", "channels-first", "channels-last"]
Polarity = Literal["auto", "dark-on-light", "light-on-dark"]
Mode = Literal["grey", "colour", "black-and-white"]  # of a cleaned page
ModeAsTyped = Mode | Literal["gray", "color"]
ReadMode = Literal["auto", "digit", "line", "page"]  # what a picture shows

# the shipped models
CLEANER, LINE_READER, DIGIT_READER = "page-cleaner", "line-reader", "digits"
DENOISER, GENERATOR = "digit-denoiser", "digit-generator"

_US_SPELLINGS = {"gray": "grey", "color": "colour"}


def parse_mode(text: str) -> Mode:
    """Return the mode of a cleaned page that is named, in British or US spelling.

    Raises ValueError, which lists the modes, for any other text.
    """
    mode = _US_SPELLINGS.get(text, text)
    if mode not in get_args(Mode):
        raise ValueError(f"mode is one of {', '.join(get_args(Mode))}, not {text!r}.")
    return cast(Mode, mode)
