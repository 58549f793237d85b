"""`legible serve`: a web page and an HTTP API over the shipped models, without PyTorch."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from legible.cli.screen import say

HostName = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME", help="A name by which others call the server, as behind a proxy; may be repeated."
    ),
]


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for all of this machine's.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    host_name: HostName = None,
    max_megabytes: Annotated[float, typer.Option(min=0.1, help="Refuse larger uploads.")] = 64,
    max_megapixels: Annotated[
        float, typer.Option(min=0.1, help="Refuse larger pages: they may be meant to fill the memory.")
    ] = 50,
    waiting: Annotated[
        int, typer.Option(min=0, help="Requests that may wait; more are told to come back.")
    ] = 64,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Write no line for each request.")] = False,
) -> None:
    """Serve a page to draw, read, clean and generate on, and an HTTP API for the same.

    Prints the address when it is ready. Nothing that is sent is kept, and nothing is sent elsewhere. Ctrl-C
    stops it. The API is told at /api/openapi.json, counts for Prometheus at /metrics.
    """
    from legible.web.server import serve as run
    from legible.web.shelf import Limits

    _write_log(logging.WARNING if quiet else logging.INFO)
    limits = Limits(bytes=round(max_megabytes * 1e6), pixels=round(max_megapixels * 1e6), n_waiting=waiting)

    def ready(address: str) -> None:
        typer.echo(address)
        sys.stdout.flush()
        say("the page and the API are there; Ctrl-C stops them")
        if open_page:
            import webbrowser

            webbrowser.open(address)

    run(host, port, limits, host_names=host_name or (), ready=ready)
    say("stopped")


def _write_log(level: int) -> None:
    """A line for each request on stderr; of what other libraries have to say, errors alone."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    for name, least in (("legible.web", level), ("uvicorn", logging.ERROR)):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(least)
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # the client is told
