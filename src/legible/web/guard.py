"""The checks before every request (host, origin, size, time), and the log line and metrics after it."""

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

from legible.web.metrics import Metrics
from legible.web.problems import Refused, error_response, too_busy
from legible.web.state import Limits
from legible.web.uploads import MULTIPART
from legible.web.work_queue import CLIENT_CLOSED_REQUEST, ClientGone

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
_MAX_OTHER_BYTES = 64_000  # of a body that is not a form
_DRAIN_FACTOR = 4  # times the size limit is received and dropped: most clients send all, then listen


class Guard:
    """ASGI middleware around the whole app: checks requests, logs and counts them.

    hosts: the Host headers that are accepted, without ports; empty accepts any. Requests that other sites'
    pages make a browser send are refused.
    """

    def __init__(self, app: ASGIApp, limits: Limits, metrics: Metrics, hosts: Collection[str] = ()) -> None:
        self.app, self.limits, self.metrics = app, limits, metrics
        self.hosts = frozenset(map(str.lower, hosts))
        self.n_bytes = 0  # of all bodies being received or worked on

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on to the app, or answer it with an error."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(self, scope, receive, send)
        try:
            self._check(scope)
            await self.app(scope, exchange.receive, exchange.send)
        except (ClientGone, ClientDisconnect):
            exchange.status = exchange.status or CLIENT_CLOSED_REQUEST
        except Refused as refused:
            await exchange.refuse(refused)
        except Exception:
            log.exception("error %s", error_id(scope))
        finally:
            exchange.finish()

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self.hosts and _host_name(host) not in self.hosts:
            advice = "If it should, start it with --host-name."
            message = f"this server does not answer to the name {host[:80]!r}. {advice}"
            raise Refused(HTTPStatus.BAD_REQUEST, message)
        origin = headers.get("origin")
        if scope["method"] not in _SAFE and origin is not None and origin.partition("://")[2] != host:
            raise Refused(HTTPStatus.FORBIDDEN, "pages of other sites may not send requests to this server.")


def error_id(scope: Scope) -> str:
    """The id under which an error in this request is both answered and logged."""
    return str(scope.setdefault("state", {}).setdefault("error_id", uuid.uuid4().hex[:12]))


def _host_name(host: str) -> str | None:
    """The name in a Host header, without the port."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


class _Exchange:
    """One request and its response: bytes counted and limits applied as they pass."""

    def __init__(self, guard: Guard, scope: Scope, receive: Receive, send: Send) -> None:
        self._guard, self._scope, self._receive, self._send = guard, scope, receive, send
        self._headers, self._is_complete = Headers(scope=scope), False
        self._n_received = self._n_kept = self._n_sent = self.status = 0
        self._started = time.perf_counter()
        limits = guard.limits
        self._is_upload = self._headers.get("content-type", "").lower().startswith(MULTIPART)
        self._max_bytes = _MAX_OTHER_BYTES + (limits.max_upload_bytes if self._is_upload else 0)

    async def receive(self) -> Message:
        """The next message: a part of the body, or a disconnect. Raises Refused."""
        if self._is_complete:
            return await self._receive()
        if self._content_length > self._max_bytes and self._expects_continue:
            raise self._too_large()
        message = await self._next()
        n = len(message.get("body", b""))
        self._n_kept += n
        self._guard.n_bytes += n
        if self._guard.n_bytes > self._guard.limits.max_total_bytes:
            raise too_busy("too many uploads at once. Try again in a second.")
        if self._n_received > self._max_bytes:
            raise self._too_large()
        return message

    async def _next(self) -> Message:
        left = self._guard.limits.body_timeout_s - (time.perf_counter() - self._started)
        try:
            async with asyncio.timeout(max(0.0, min(self._guard.limits.idle_timeout_s, left))):
                message = await self._receive()
        except TimeoutError:
            self._is_complete = True  # no more of it will be read
            text = f"the request did not arrive in time: only {self._n_received:,} bytes did. Send it again."
            raise Refused(HTTPStatus.REQUEST_TIMEOUT, text, {"Connection": "close"}) from None
        self._n_received += len(message.get("body", b""))
        self._is_complete = not message.get("more_body")
        return message

    async def _drop_rest(self) -> None:
        """Receive and drop the rest of the body: a client that is still sending would miss the answer."""
        limit = _DRAIN_FACTOR * self._max_bytes
        with suppress(Refused):
            while not (self._is_complete or self._expects_continue or self._n_received >= limit):
                await self._next()

    @property
    def _expects_continue(self) -> bool:
        return not self._n_received and "100-continue" in self._headers.get("expect", "")

    @property
    def _content_length(self) -> int:
        length = self._headers.get("content-length", "0")
        return int(length) if length.isdecimal() else 0

    def _too_large(self) -> Refused:
        limit = f"{self._max_bytes / 1e6:,.0f} MB" if self._max_bytes > 1e6 else f"{self._max_bytes:,} bytes"
        advice = (
            "Send a smaller file, or raise the server's --max-megabytes." if self._is_upload else "Send less."
        )
        message = f"the request is larger than {limit}. {advice}"
        return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message, {"Connection": "close"})

    async def send(self, message: Message) -> None:
        """Pass on a message of the response, with the security headers added."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            await self._drop_rest()
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            is_api = self._scope["path"].startswith("/api/")
            headers.setdefault("Cache-Control", "no-store" if is_api else "no-cache")
        else:
            self._n_sent += len(message.get("body", b""))
        await self._send(message)

    async def refuse(self, refused: Refused) -> None:
        """Answer with the error, unless a response has begun."""
        if not self.status:
            response = error_response(refused.status, str(refused), refused.headers)
            await response(self._scope, Request(self._scope).receive, self.send)

    def finish(self) -> None:
        """Count and log the request."""
        self._guard.n_bytes -= self._n_kept
        seconds = time.perf_counter() - self._started
        route = getattr(self._scope.get("route"), "path", "") or "other"
        method = self._scope["method"] if self._scope["method"] in _METHODS else "other"
        self._guard.metrics.add(route, method, self.status, seconds, self._n_received)
        client = (self._scope.get("client") or ("-",))[0]
        log.info(
            "%s %s %r %s %s bytes in, %s out, %.1f ms",
            client, method, self._scope["path"][:200], self.status or CLIENT_CLOSED_REQUEST,
            self._n_received, self._n_sent, seconds * 1000,
        )  # fmt: skip
