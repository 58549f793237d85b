"""`legible serve`: a web page and an HTTP API over the shipped models, without PyTorch."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from legible.cli.screen import say

HostName = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="A host name to accept besides the local ones, e.g. a proxy's public name; may be repeated.",
    ),
]
Results = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="Show this folder's results.json in the Workbench tab. Default: docs/results."
    ),
]


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for all addresses of this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free port.")] = 8000,
    host_name: HostName = None,
    max_megabytes: Annotated[float, typer.Option(min=0.1, help="Refuse larger uploads.")] = 64,
    max_megapixels: Annotated[
        float, typer.Option(min=0.1, help="Refuse larger pages, which could fill the memory.")
    ] = 50,
    waiting: Annotated[
        int, typer.Option(min=0, help="Requests that may wait in each queue; further ones get status 429.")
    ] = 64,
    results: Results = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the web page in a browser.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not log each request.")] = False,
) -> None:
    """Serve a web page to draw, read, clean and generate on, and an HTTP API for the same.

    Prints the address once it accepts requests; Ctrl-C stops it. Uploads are deleted once answered, and
    nothing is sent to other hosts. The API is described at /api/openapi.json; /metrics is for Prometheus.
    """
    from legible.web.server import serve as run
    from legible.web.state import Limits

    limits = Limits(
        max_upload_bytes=round(max_megabytes * 1e6),
        max_page_pixels=round(max_megapixels * 1e6),
        max_waiting=waiting,
    )

    def ready(address: str) -> None:
        typer.echo(address)
        sys.stdout.flush()
        say("serving the web page and the API; Ctrl-C stops the server")
        if open_page:
            import webbrowser

            webbrowser.open(address)

    with _log_to_stderr(logging.WARNING if quiet else logging.INFO):
        run(host, port, limits, host_names=host_name or (), results=results, ready=ready)
    say("stopped")


@contextmanager
def _log_to_stderr(level: int) -> Iterator[None]:
    """Log each request to stderr at INFO; of other libraries, log errors only. Undone afterwards."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    # python_multipart reports malformed forms, whose client gets the error
    lowest = {"legible.web": level, "uvicorn": logging.ERROR, "python_multipart": logging.CRITICAL}
    before = {name: logging.getLogger(name).level for name in lowest}
    for name, lowest_level in lowest.items():
        logging.getLogger(name).setLevel(lowest_level)
        logging.getLogger(name).addHandler(handler)
    try:
        yield
    finally:
        for name, level_before in before.items():
            logging.getLogger(name).setLevel(level_before)
            logging.getLogger(name).removeHandler(handler)
