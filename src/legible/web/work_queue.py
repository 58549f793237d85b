"""Run work in threads, off the event loop: a fixed number at once, a limited number waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from threading import Event, Lock
from typing import Any, TypeVar

from starlette.requests import Request

from legible.web.problems import Refused, too_busy

CLIENT_CLOSED_REQUEST = 499  # nginx's status for a request whose client disconnected
R = TypeVar("R")


class ClientGone(Refused):
    """The client has disconnected, so nobody waits for the answer."""

    def __init__(self) -> None:
        super().__init__(CLIENT_CLOSED_REQUEST, "the client disconnected.")


class WorkQueue:
    """A few worker threads and a queue of limited length before them.

    n_workers: threads. max_waiting: how much may wait. tidy: called by a thread after each piece of work.
    """

    def __init__(
        self, name: str, n_workers: int, max_waiting: int, tidy: Callable[[], None] = lambda: None
    ) -> None:
        self.name, self.length = name, 0  # length: requests running or waiting
        self._max_length, self._tidy = n_workers + max_waiting, tidy
        self._pool, self._closed, self._lock = ThreadPoolExecutor(n_workers, name), False, Lock()

    async def run(self, request: Request, work: Callable[[Event], R]) -> R:
        """Run work in a thread and return its result; the request's body must have been received.

        work: called with an event that is set once the client has disconnected; long work should check it.
        Raises Refused when the queue is full or the server is shutting down, and ClientGone.
        """
        if self._closed:
            raise _shutting_down()
        if self.length >= self._max_length:
            raise too_busy("too many requests are waiting. Try again in a second.")
        gone = Event()
        self._count(1)
        submitted = self._pool.submit(self._work, work, gone)
        # counted until the thread is free again, not until the client leaves
        submitted.add_done_callback(lambda _: self._count(-1))
        result = asyncio.wrap_future(submitted)
        # fetch the exception even when the client has left, or asyncio logs it as never retrieved
        result.add_done_callback(lambda done: done.cancelled() or done.exception())
        leaving = asyncio.create_task(_wait_for_disconnect(request))
        try:
            either: set[asyncio.Future[Any]] = {result, leaving}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not result.done():
                raise ClientGone
            if result.cancelled():
                raise _shutting_down()
            return result.result()
        finally:
            leaving.cancel()
            gone.set()
            submitted.cancel()

    def close(self) -> None:
        """Accept no more work and refuse what waits; what runs continues."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def join(self) -> None:
        """Wait for the work that is still running."""
        self._pool.shutdown(wait=True)

    def _work(self, work: Callable[[Event], R], gone: Event) -> R:
        try:
            return work(gone)
        finally:
            self._tidy()

    def _count(self, by: int) -> None:
        with self._lock:
            self.length += by


def _shutting_down() -> Refused:
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "the server is shutting down. Try again later.")


async def _wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
