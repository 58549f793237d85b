"""What stands before every request: who may ask, how much may come, what is written down about it."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Collection
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from legible.web.counts import Counts
from legible.web.desk import CLIENT_CLOSED, ClientGone
from legible.web.problems import Refused, answer, too_busy
from legible.web.shelf import Limits
from legible.web.uploads import FORM

log = logging.getLogger("legible.web")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_SAFE = {"GET", "HEAD", "OPTIONS"}
_METHODS = {*_SAFE, "POST", "PUT", "PATCH", "DELETE"}
_PLAIN_BYTES = 64_000  # of bodies that are no form
_LATE_BYTES = 4  # times what is allowed: so much is read and dropped, for the answer to be heard


class Guard:
    """The outermost layer: an ASGI app around another one.

    hosts: names by which the server may be called; empty for any. What pages of other sites send is
    refused.
    """

    def __init__(self, app: ASGIApp, limits: Limits, counts: Counts, hosts: Collection[str] = ()) -> None:
        self.app, self.limits, self.counts, self.hosts = app, limits, counts, frozenset(map(str.lower, hosts))
        self.n_bytes = 0  # of all bodies that are on the way or worked on

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(self, scope, receive, send)
        try:
            self._check(scope)
            await self.app(scope, exchange.receive, exchange.send)
        except (ClientGone, ClientDisconnect):
            exchange.status = exchange.status or CLIENT_CLOSED
        except Refused as refused:
            await exchange.refuse(refused)
        except Exception:
            log.exception("fault %s", fault_of(scope))
        finally:
            exchange.finish()

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self.hosts and _name_in(host) not in self.hosts:
            named = "Name it with --host-name when the server is started."
            raise Refused(HTTPStatus.BAD_REQUEST, f"this server is not called {host[:80]!r}. {named}")
        origin = headers.get("origin")
        if scope["method"] not in _SAFE and origin is not None and origin.partition("://")[2] != host:
            raise Refused(HTTPStatus.FORBIDDEN, "pages of other sites may not send anything here.")


def fault_of(scope: Scope) -> str:
    """What a fault in answering this request is called, in the answer and in the log."""
    return str(scope.setdefault("state", {}).setdefault("fault", uuid.uuid4().hex[:12]))


def _name_in(host: str) -> str | None:
    """The name in a Host header, without the port."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


class _Exchange:
    """One request and its answer, counted as they pass."""

    def __init__(self, guard: Guard, scope: Scope, receive: Receive, send: Send) -> None:
        self._guard, self._scope, self._receive, self._send = guard, scope, receive, send
        self._headers, self._is_whole = Headers(scope=scope), False
        self._n_in = self._n_kept = self._n_out = self.status = 0
        self._started = time.perf_counter()
        limits = guard.limits
        is_form = self._headers.get("content-type", "").startswith(FORM)
        self._most = limits.bytes + _PLAIN_BYTES if is_form else _PLAIN_BYTES

    async def receive(self) -> Message:
        """The next piece of the body, or that the client is gone. Raises Refused."""
        if self._is_whole:
            return await self._receive()
        if self._announced > self._most and self._waits_to_send:
            raise self._too_large()
        message = await self._next()
        n = len(message.get("body", b""))
        self._n_kept += n
        self._guard.n_bytes += n
        if self._guard.n_bytes > self._guard.limits.all_bytes:
            raise too_busy("too many uploads are on the way. Try again in a second.")
        if self._n_in > self._most:
            raise self._too_large()
        return message

    async def _next(self) -> Message:
        left = self._guard.limits.body_s - (time.perf_counter() - self._started)
        try:
            async with asyncio.timeout(max(0.0, min(self._guard.limits.idle_s, left))):
                message = await self._receive()
        except TimeoutError:
            self._is_whole = True  # as far as it will ever be
            text = f"the rest of the request did not come: {self._n_in:,} bytes did. Send it again."
            raise Refused(HTTPStatus.REQUEST_TIMEOUT, text, {"Connection": "close"}) from None
        self._n_in += len(message.get("body", b""))
        self._is_whole = not message.get("more_body")
        return message

    async def _drop_rest(self) -> None:
        """Read on, and keep nothing: who is still sending does not hear."""
        with suppress(Refused):
            while not self._is_whole and not self._waits_to_send and self._n_in < _LATE_BYTES * self._most:
                await self._next()

    @property
    def _waits_to_send(self) -> bool:
        return not self._n_in and "100-continue" in self._headers.get("expect", "")

    @property
    def _announced(self) -> int:
        length = self._headers.get("content-length", "0")
        return int(length) if length.isdecimal() else 0

    def _too_large(self) -> Refused:
        most = f"{self._most / 1e6:,.0f} MB" if self._most > 1e6 else f"{self._most:,} bytes"
        text = f"the request is larger than {most}. Send less, or raise --max-megabytes of the server."
        return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text, {"Connection": "close"})

    async def send(self, message: Message) -> None:
        """Pass on a piece of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            await self._drop_rest()
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            is_data = self._scope["path"].startswith("/api/")
            headers.setdefault("Cache-Control", "no-store" if is_data else "no-cache")
        else:
            self._n_out += len(message.get("body", b""))
        await self._send(message)

    async def refuse(self, refused: Refused) -> None:
        """Answer with a problem, unless an answer has begun."""
        if not self.status:
            response = answer(refused.status, str(refused), refused.headers)
            await response(self._scope, Request(self._scope).receive, self.send)

    def finish(self) -> None:
        """Count the request, and write it down."""
        self._guard.n_bytes -= self._n_kept
        seconds = time.perf_counter() - self._started
        route = getattr(self._scope.get("route"), "path", "") or "other"
        method = self._scope["method"] if self._scope["method"] in _METHODS else "other"
        self._guard.counts.add(route, method, self.status, seconds, self._n_in)
        client = (self._scope.get("client") or ("-",))[0]
        log.info(
            "%s %s %r %s %s bytes in, %s out, %.1f ms",
            client, method, self._scope["path"][:200], self.status or CLIENT_CLOSED,
            self._n_in, self._n_out, seconds * 1000,
        )  # fmt: skip
