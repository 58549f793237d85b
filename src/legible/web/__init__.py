"""A web page and an HTTP API over the instrument: read, clean, denoise, draw, and look at what is known."""
