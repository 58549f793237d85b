"""Run the app: one process, one address, until a signal stops it."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from legible.errors import OutputError
from legible.web.app import create_app
from legible.web.state import Limits, ServerState, load_state

_LOCAL = {"127.0.0.1", "::1", "localhost"}
_BACKLOG = 2048  # connections waiting to be accepted
_SHUTDOWN_S = 10  # for running requests to finish


def serve(
    host: str,
    port: int,
    limits: Limits,
    *,
    host_names: Collection[str] = (),
    results: Path | None = None,
    ready: Callable[[str], None],
) -> None:
    """Serve until SIGINT or SIGTERM. ready: called with the address once requests are accepted.

    results: see create_app. Raises InputError, ModelError, OutputError.
    """
    with _listen(host, port) as listening:
        state = load_state(limits)
        hosts = {*_LOCAL, *host_names} if host in _LOCAL else set(host_names)
        app = create_app(state, hosts, results)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, lifespan="off",
            timeout_graceful_shutdown=_SHUTDOWN_S,
        )  # fmt: skip
        name = f"[{host}]" if ":" in host else host
        ready(f"http://{name}:{listening.getsockname()[1]}/")
        _Server(config, state).run(sockets=[listening])
        state.join()


class _Server(uvicorn.Server):
    """A uvicorn server that returns after a signal; uvicorn's own then raises the signal again."""

    def __init__(self, config: uvicorn.Config, state: ServerState) -> None:
        super().__init__(config)
        self._state = state

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Refuse what waits, finish what runs, and close."""
        self._state.close()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Shut down in order on SIGINT and SIGTERM."""
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
    # connections inherit it; without it, a response's body waits 40 ms for the client to acknowledge its head
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
