"""A web page and an HTTP API for reading, cleaning, denoising and generating, and for the results."""
