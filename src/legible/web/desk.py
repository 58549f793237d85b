"""Work on the processor, off the event loop: so many at once, so many waiting, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from threading import Event, Lock
from typing import Any, TypeVar

from starlette.requests import Request

from legible.web.problems import Refused, too_busy

CLIENT_CLOSED = 499  # what access logs call a request whose client went away
R = TypeVar("R")


class ClientGone(Refused):
    """Nobody waits for the answer any more."""

    def __init__(self) -> None:
        super().__init__(CLIENT_CLOSED, "the client went away.")


class Desk:
    """A few threads with a queue of bounded length. tidy: what a thread does after each piece of work."""

    def __init__(
        self, name: str, n_workers: int, n_waiting: int, tidy: Callable[[], None] = lambda: None
    ) -> None:
        self.name, self.n_taken, self._most, self._tidy = name, 0, n_workers + n_waiting, tidy
        self._pool, self._closed, self._counting = ThreadPoolExecutor(n_workers, name), False, Lock()

    async def run(self, request: Request, work: Callable[[Event], R]) -> R:
        """Do work in a thread, and give what it gives; the request's body must have come.

        work: told of an event that is set when nobody waits any more; what takes long looks at it. Raises
        Refused when all places are taken or the server is closing, and ClientGone.
        """
        if self._closed:
            raise _closing()
        if self.n_taken >= self._most:
            raise too_busy("there is more to do than can wait. Try again in a second.")
        gone = Event()
        self._count(1)
        waited = self._pool.submit(self._do, work, gone)
        waited.add_done_callback(
            lambda _: self._count(-1)
        )  # when the thread is free, not when a client leaves
        answer = asyncio.wrap_future(waited)
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())  # of who left: looked at
        leaving = asyncio.create_task(_wait_until_gone(request))
        try:
            first: set[asyncio.Future[Any]] = {answer, leaving}
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise ClientGone
            if answer.cancelled():
                raise _closing()
            return answer.result()
        finally:
            leaving.cancel()
            gone.set()
            waited.cancel()

    def close(self) -> None:
        """Take nothing more; what waits is refused, what runs goes on."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def finish(self) -> None:
        """Wait for what still runs."""
        self._pool.shutdown(wait=True)

    def _do(self, work: Callable[[Event], R], gone: Event) -> R:
        try:
            return work(gone)
        finally:
            self._tidy()

    def _count(self, by: int) -> None:
        with self._counting:
            self.n_taken += by


def _closing() -> Refused:
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "the server is closing. Try again soon.")


async def _wait_until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
