"""The words in which people say how an array holds images; light, so that help texts can name them."""

from __future__ import annotations

from typing import Literal

Layout = Literal["auto", "channels-first", "channels-last"]
Polarity = Literal["auto", "dark-on-light", "light-on-dark"]
