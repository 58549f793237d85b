"""How fast `legible serve` answers, and whether it withstands 500 clients, hostile ones among them.

    python benchmarks/serve_under_load.py

Starts a server and sends it requests from this process, on the same cores: single digits by 1 and by 16
clients at once; then, for two minutes, valid, invalid, slow and incomplete uploads by 500 clients at once.
Each answer must be the right result or the right error; the server's memory is read once a second.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import random
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
from PIL import Image

from legible.images import to_bytes
from legible.inference.saved import load
from legible.runs.provenance import describe_machine

BUSY = {429}  # right for any request when the server is full
DRIP_S, DRIPS = 0.5, 8


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--seconds", type=float, default=120, help="duration of the load test")
    add("--clients", type=int, default=500, help="clients at once in the load test")
    return parser.parse_args()


def form(name: str, content: bytes, **settings: str) -> bytes:
    parts = [f'--b\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in settings.items()]
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return ("".join(parts) + head).encode() + content + b"\r\n--b--\r\n"


def request(path: str, body: bytes, length: int | None = None) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        f"Content-Length: {len(body) if length is None else length}\r\n\r\n"
    )
    return head.encode() + body


def picture(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, kind)
    return written.getvalue()


class Connection:
    """A connection with a minimal HTTP client."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Connection:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    async def answer(self) -> tuple[int, bytes]:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        body = await self.reader.readexactly(int(length[1])) if length else b""
        return int(head.split()[1]), body

    async def ask(self, content: bytes) -> tuple[int, bytes]:
        self.writer.write(content)
        return await self.answer()


async def time_digits(port: int, seconds: float, n_clients: int) -> str:
    """The rate and latency at which n_clients at once, each on one connection, get single digits read."""
    digits = load("digit-generator").generate(list("0123456789") * 20, np.random.default_rng(0))
    asked = [
        request("/api/read", form("a.png", picture(to_bytes(1 - one[0])), mode="digit")) for one in digits
    ]
    took: list[float] = []

    async def client(number: int) -> None:
        async with Connection(port) as connection:
            while time.perf_counter() < end:
                started = time.perf_counter()
                status, _ = await connection.ask(asked[(number + len(took)) % len(asked)])
                assert status == 200, status
                took.append(1000 * (time.perf_counter() - started))

    end = time.perf_counter() + seconds
    await asyncio.gather(*(client(number) for number in range(n_clients)))
    p50, p99 = np.percentile(took, (50, 99))
    return (
        f"{n_clients} client{'s' * (n_clients > 1)}: {len(took) / seconds:,.0f} single digits a second, "
        f"p50 {p50:.1f} ms, p99 {p99:.1f} ms"
    )


class LoadTest:
    """The kinds of requests, and the answers that are right for each."""

    def __init__(self, port: int) -> None:
        self.port, self.seen, self.wrong = port, Counter[str](), Counter[str]()
        seven = load("digit-generator").generate(["7"], np.random.default_rng(0), temperature=0.3)[0, 0]
        page = (Path(__file__).parents[1] / "docs" / "pictures" / "page.jpg").read_bytes()
        self.good = request("/api/read", form("a.png", picture(to_bytes(1 - seven)), mode="digit"))
        self.page = request("/api/clean", form("page.jpg", page))
        self.bomb = request("/api/read", form("bomb.png", picture(np.zeros((12_000, 12_000), np.uint8))))
        self.dense = request("/api/preview", form("large.png", picture(np.zeros((7_000, 7_000), np.uint8))))
        self.garbage = random.Random(0).randbytes(200_000)
        self.kinds: list[Callable[[], Awaitable[None]]] = [
            self.read, self.read, self.clean, self.send_bomb, self.send_large, self.send_garbage,
            self.send_nonsense, self.send_too_much, self.drip, self.stop_half_way, self.leave_half_way,
            self.leave_without_answer,
        ]  # fmt: skip

    async def client(self, end: float, rng: random.Random) -> None:
        while time.perf_counter() < end:
            kind = rng.choice(self.kinds)
            try:
                await asyncio.wait_for(kind(), 60)
            except (OSError, asyncio.IncompleteReadError) as error:
                self._note(kind.__name__, type(error).__name__, right=False)
            except TimeoutError:
                self._note(kind.__name__, "no answer in a minute", right=False)

    def _note(self, kind: str, what: object, *, right: bool) -> None:
        self.seen[f"{kind}: {what}"] += 1
        if not right:
            self.wrong[f"{kind}: {what}"] += 1

    async def _ask(self, kind: str, content: bytes, allowed: set[int], content_expected: bytes = b"") -> None:
        async with Connection(self.port) as connection:
            status, body = await connection.ask(content)
        right = status in BUSY or (status in allowed and content_expected in body)
        if status >= 400:
            right = right and json.loads(body)["error"]["status"] == status
        self._note(kind, status, right=right)

    async def read(self) -> None:
        await self._ask("read", self.good, {200}, b'"text":"7"')

    async def clean(self) -> None:
        await self._ask("clean", self.page, {200}, b"JFIF")

    async def send_bomb(self) -> None:
        await self._ask("send_bomb", self.bomb, {413}, b"12,000 x 12,000")

    async def send_large(self) -> None:
        await self._ask("send_large", self.dense, {200})

    async def send_garbage(self) -> None:
        await self._ask("send_garbage", request("/api/clean", form("a.tif", self.garbage)), {415})

    async def send_nonsense(self) -> None:
        await self._ask("send_nonsense", request("/api/read", self.garbage[:5000]), {400, 422})

    async def send_too_much(self) -> None:
        expecting = request("/api/read", b"", 10**12).replace(
            b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"
        )
        await self._ask("send_too_much", expecting, {413})

    async def drip(self) -> None:
        async with Connection(self.port) as connection:
            step = len(self.good) // DRIPS + 1
            for start in range(0, len(self.good), step):
                connection.writer.write(self.good[start : start + step])
                await asyncio.sleep(DRIP_S)
            status, body = await connection.answer()
        self._note("drip", status, right=status in BUSY or (status == 200 and b'"text":"7"' in body))

    async def stop_half_way(self) -> None:
        await self._ask("stop_half_way", self.good[: len(self.good) * 2 // 3], {408})

    async def leave_half_way(self) -> None:
        async with Connection(self.port) as connection:
            connection.writer.write(self.page[: len(self.page) // 2])
            await asyncio.sleep(0.05)
        self._note("leave_half_way", "left", right=True)

    async def leave_without_answer(self) -> None:
        async with Connection(self.port) as connection:
            connection.writer.write(self.page)
            await asyncio.sleep(0.2)
        self._note("leave_without_answer", "left", right=True)


def time_drawing(port: int) -> str:
    """The time from a mouse move to the new probabilities on the page, in Chromium."""
    chromium = shutil.which("chromium")
    if not chromium:
        return "no Chromium here: the page is not timed"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        box = page.locator("#pad").bounding_box()
        assert box
        took = []
        page.mouse.move(box["x"] + 80, box["y"] + 60)
        page.mouse.down()
        for step in range(80):
            page.mouse.move(box["x"] + 80 + step * 2, box["y"] + 60 + 2 * (step % 40))
            page.wait_for_timeout(100)
            took.append(float(page.locator("#pad").get_attribute("data-milliseconds") or "nan"))
        browser.close()
    p50, p99 = np.percentile(took[5:], (50, 99))
    return f"drawing, from stroke to bars: p50 {p50:.1f} ms, p99 {p99:.1f} ms"


def memory_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    match = re.search(r"VmRSS:\s+(\d+) kB", text)
    assert match
    return int(match[1]) / 1024


async def test_load(port: int, pid: int, seconds: float, n_clients: int) -> None:
    load_test, end = LoadTest(port), time.perf_counter() + seconds
    idle, most = memory_mb(pid), 0.0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, memory_mb(pid))
            await asyncio.sleep(1)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(load_test.client(end, random.Random(i)) for i in range(n_clients)))
    watching.cancel()
    for what, count in sorted(load_test.seen.items()):
        print(f"  {what}: {count:,}" + "  <- wrong" * (what in load_test.wrong))
    n_wrong = sum(load_test.wrong.values())
    print(
        f"{n_clients} clients for {seconds:.0f} s: {sum(load_test.seen.values()):,} requests, "
        f"{n_wrong} answered wrongly"
    )
    await asyncio.sleep(15)  # for waiting work to finish and slow clients to time out
    status, body = await health(port)
    print(f"afterwards: {status}, queue lengths {json.loads(body)['queue_lengths']}")
    print(
        f"memory: {idle:.0f} MB idle, {most:.0f} MB at most (+{most - idle:.0f}), "
        f"{memory_mb(pid):.0f} MB afterwards"
    )


async def health(port: int) -> tuple[int, bytes]:
    async with Connection(port) as connection:
        return await connection.ask(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n")


def main() -> None:
    given = read_arguments()
    print(describe_machine())
    command = [sys.executable, "-m", "legible", "serve", "--port", "0", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline().rsplit(":", 1)[1].strip("/\n"))
        asyncio.run(time_digits(port, 2, 1))  # warms up
        for n_clients in (1, 16):
            print(asyncio.run(time_digits(port, 10, n_clients)))
        print(time_drawing(port))
        asyncio.run(test_load(port, server.pid, given.seconds, given.clients))
        server.terminate()
        print(f"exit code after SIGTERM: {server.wait(30)}")


if __name__ == "__main__":
    main()
