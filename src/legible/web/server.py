"""Run the app: one process, one address, until it is told to stop."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import uvicorn

from legible.errors import OutputError
from legible.web.app import create_app
from legible.web.shelf import Limits, Shelf, fill_shelf

_LOCAL = {"127.0.0.1", "::1", "localhost"}
_BACKLOG = 2048  # of connections that are not taken yet
_STOP_S = 10  # that requests under way are given to finish


def serve(
    host: str, port: int, limits: Limits, *, host_names: Collection[str] = (), ready: Callable[[str], None]
) -> None:
    """Serve until a signal comes. ready: called with the address when requests are taken.

    Raises ModelError, OutputError.
    """
    with _listen(host, port) as listening:
        shelf = fill_shelf(limits)
        hosts = {*_LOCAL, *host_names} if host in _LOCAL else set(host_names)
        app = create_app(shelf, hosts)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, lifespan="off",
            timeout_graceful_shutdown=_STOP_S,
        )  # fmt: skip
        name = f"[{host}]" if ":" in host else host
        ready(f"http://{name}:{listening.getsockname()[1]}/")
        _Server(config, shelf).run(sockets=[listening])
        shelf.finish()


class _Server(uvicorn.Server):
    """A server that, told to stop, finishes and returns; uvicorn's own then sends itself the signal again."""

    def __init__(self, config: uvicorn.Config, shelf: Shelf) -> None:
        super().__init__(config)
        self._shelf = shelf

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer who waits, finish what runs, and close."""
        self._shelf.close()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop in order on Ctrl-C, and when the process is told to end."""
        before = {
            number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"cannot listen on {host}, port {port}: {reason}. Choose another --port."
        ) from error
    # connections inherit it; without it an answer's body waits 40 ms for the client to confirm its head
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
