"""The words in which people say how an array holds images, or what they want; light, for help texts."""

from __future__ import annotations

from typing import Literal

Layout = Literal["auto", "channels-first", "channels-last"]
Polarity = Literal["auto", "dark-on-light", "light-on-dark"]
Mode = Literal["grey", "colour", "black-and-white"]  # of a cleaned page
ReadMode = Literal["auto", "digit", "line", "page"]  # what a picture shows
