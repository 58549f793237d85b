"""What the server does when too much comes, too slowly, half, or when it is at fault itself."""

import io
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import numpy as np
import pytest
import uvicorn
from PIL import Image

from legible.web.app import create_app
from legible.web.desk import Desk
from legible.web.shelf import Limits, Shelf, fill_shelf

LIMITS = Limits(bytes=300_000, all_bytes=2_000_000, pixels=1_000_000, idle_s=0.5, body_s=3.0, n_waiting=2)


def picture(width: int = 40, height: int = 40) -> bytes:
    written = io.BytesIO()
    Image.new("L", (width, height), 255).save(written, "PNG")
    return written.getvalue()


class Server(uvicorn.Server):
    def capture_signals(self):  # signals are for the main thread
        import contextlib

        return contextlib.nullcontext()


@pytest.fixture(scope="module")
def loaded() -> Shelf:
    return fill_shelf(LIMITS)


@pytest.fixture
def shelf(loaded) -> Shelf:
    """The loaded models, with desks of their own for each test."""
    return replace(loaded, quick=Desk("quick", 1, LIMITS.n_waiting), slow=Desk("slow", 1, 0), progress={})


@pytest.fixture
def client(shelf) -> Iterator[httpx.Client]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(create_app(shelf), log_config=None, access_log=False, lifespan="off")
        server = Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
            yield client
        server.should_exit = True
        thread.join()
    shelf.close()
    shelf.finish()


def send(client: httpx.Client, content: bytes, path: str = "/api/read") -> httpx.Response:
    return client.post(path, files={"file": ("a.png", content)})


def sentence(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.json()["error"]["message"])


def hold(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Readings that last until the event is set."""
    finish = threading.Event()
    read = shelf.reader.read

    def slowly(*given: object, **settings: object) -> object:
        assert finish.wait(20)
        return read(*given, **settings)

    monkeypatch.setattr(
        type(shelf.reader), "read", lambda self, *given, **settings: slowly(*given, **settings)
    )
    return finish


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def raw(client: httpx.Client, *parts: bytes, wait_s: float = 0.0) -> bytes:
    """Send bytes as they are, and give what comes back until the server closes."""
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address, timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(wait_s)
        connection.settimeout(20)
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


HEAD = (
    b"POST /api/read HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    b"Content-Length: %d\r\n%s\r\n"
)
BEGIN = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'


def test_an_upload_that_is_too_large_is_refused_and_so_is_one_that_only_says_so(client):
    for size in (400_000, 1_100_000):
        assert "larger than" in sentence(send(client, b"x" * size), 413)
    expecting = raw(client, HEAD % (9_000_000, b"Expect: 100-continue\r\n"))
    assert expecting.startswith(b"HTTP/1.1 413 ") and b"100 Continue" not in expecting
    assert sentence(client.post("/api/generate", content=b" " * 100_000), 413)


def test_a_small_file_of_a_huge_picture_is_refused_before_it_is_decoded(client):
    bomb = picture(20_000, 20_000)  # its size stands at its beginning
    for path in ("/api/read", "/api/clean", "/api/preview", "/api/denoise"):
        started = time.monotonic()
        assert "20,000 x 20,000 pixels" in sentence(send(client, bomb[:250_000], path), 413)
        assert time.monotonic() - started < 2


def test_a_request_that_stops_half_way_is_told_so_and_leaves_nothing(client, shelf):
    answer = raw(client, HEAD % (5000, b""), BEGIN)
    assert answer.startswith(b"HTTP/1.1 408 ") and b"%d bytes did" % len(BEGIN) in answer
    with socket.create_connection((client.base_url.host, client.base_url.port)) as gone:
        gone.sendall(HEAD % (5000, b"") + b"--b\r\n")
    until(lambda: client.get("/api/health").json()["waiting"]["quick"] == 0)


def test_a_client_that_drips_is_cut_off_at_last(client):
    started = time.monotonic()
    with (
        pytest.raises(OSError),
        socket.create_connection((client.base_url.host, client.base_url.port)) as slow,
    ):
        slow.sendall(HEAD % (5000, b"") + BEGIN)
        for _ in range(100):
            slow.sendall(b"x")
            time.sleep(0.1)
            slow.settimeout(0.01)
            try:
                if slow.recv(100).startswith(b"HTTP/1.1 408"):
                    raise OSError
            except TimeoutError:
                pass
    assert LIMITS.body_s - 0.5 < time.monotonic() - started < LIMITS.body_s + 3


def test_what_is_no_http_is_answered_too(client):
    assert raw(client, b"\x16\x03\x01 nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert client.get("/api/health").status_code == 200


def test_beyond_the_places_there_are_requests_are_told_to_come_back(client, shelf, monkeypatch):
    finish = hold(shelf, monkeypatch)
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(send, client, picture()) for _ in range(3)]
        until(lambda: shelf.quick.n_taken == 3)
        refused = send(client, picture())
        assert "more to do than can wait" in sentence(refused, 429) and refused.headers["retry-after"] == "1"
        assert client.get("/api/health").json()["waiting"]["quick"] == 3  # the loop is free
        finish.set()
        assert {answer.result().status_code for answer in waiting} == {200}
    assert send(client, picture()).status_code == 200
    until(lambda: shelf.quick.n_taken == 0)


def test_a_client_that_goes_away_frees_its_place(client, shelf, monkeypatch):
    finish = hold(shelf, monkeypatch)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(send, client, picture())
        until(lambda: shelf.quick.n_taken == 1)
        with httpx.Client(base_url=client.base_url, timeout=0.3, trust_env=False) as hasty:
            for _ in range(2):
                with pytest.raises(httpx.ReadTimeout):
                    send(hasty, picture())
        until(lambda: shelf.quick.n_taken == 1)  # those who waited and left
        finish.set()
        assert first.result().status_code == 200
    assert 'status="499"' in client.get("/metrics").text


def test_cleaning_stops_when_nobody_waits_for_it(client, shelf, monkeypatch):
    cleaned, held = [], threading.Event()
    clean = shelf.cleaner.clean

    def counted(self: object, *given: object, **settings: object) -> object:
        cleaned.append(1)
        held.wait(10)
        return clean(*given, **settings)

    monkeypatch.setattr(type(shelf.cleaner), "clean", counted)
    written = io.BytesIO()
    page = Image.new("L", (60, 60), 255)
    page.save(written, "TIFF", save_all=True, append_images=[page] * 9)
    with (
        httpx.Client(base_url=client.base_url, timeout=0.5, trust_env=False) as hasty,
        pytest.raises(httpx.ReadTimeout),
    ):
        hasty.post("/api/clean", files={"file": ("ten.tif", written.getvalue())}, data={"progress": "mine"})
    held.set()
    until(lambda: shelf.slow.n_taken == 0)
    assert len(cleaned) == 1 and not shelf.progress


def test_progress_is_told_page_by_page(client, shelf, monkeypatch):
    clean, seen = shelf.cleaner.clean, []

    def asking(self: object, *given: object, **settings: object) -> object:
        seen.append(client.get("/api/progress/mine").json())
        return clean(*given, **settings)

    monkeypatch.setattr(type(shelf.cleaner), "clean", asking)
    written = io.BytesIO()
    page = Image.new("L", (60, 60), 255)
    page.save(written, "TIFF", save_all=True, append_images=[page] * 2)
    done = client.post(
        "/api/clean", files={"file": ("three.tif", written.getvalue())}, data={"progress": "mine"}
    )
    assert done.status_code == 200
    assert seen == [{"done": n, "pages": 3} for n in range(3)]
    assert client.get("/api/progress/mine").status_code == 404


def test_too_many_bytes_at_once_are_refused(client):
    with ThreadPoolExecutor(16) as pool:
        slow = [pool.submit(raw, client, HEAD % (250_000, b"") + BEGIN + b"x" * 240_000) for _ in range(10)]
        answers = [each.result()[:12] for each in slow]
    assert b"HTTP/1.1 429" in answers and set(answers) <= {b"HTTP/1.1 429", b"HTTP/1.1 408"}
    assert send(client, picture()).status_code == 200


def test_a_fault_of_ours_has_an_id_and_shows_nothing_else(client, shelf, monkeypatch, caplog):
    def fail(*given: object, **settings: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(type(shelf.reader), "read", fail)
    with caplog.at_level(logging.ERROR):
        answer = send(client, picture())
    error = answer.json()["error"]
    assert answer.status_code == 500 and error["id"] in error["message"]
    assert "secret" not in answer.text and "Traceback" not in answer.text
    until(lambda: f"fault {error['id']}" in caplog.text)
    assert "RuntimeError: secret" in caplog.text


def test_a_closing_server_finishes_what_runs_and_tells_the_others(client, shelf, monkeypatch):
    finish = hold(shelf, monkeypatch)
    with ThreadPoolExecutor(8) as pool:
        runs = pool.submit(send, client, picture())
        until(lambda: shelf.quick.n_taken == 1)
        waits = pool.submit(send, client, picture())
        until(lambda: shelf.quick.n_taken == 2)
        shelf.close()
        assert "closing" in sentence(waits.result(), 503)
        finish.set()
        assert runs.result().status_code == 200
    assert "closing" in sentence(send(client, picture()), 503)


def test_no_upload_is_kept(client, tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    noise = np.random.default_rng(0).integers(0, 256, (400, 400)).astype(np.uint8)
    written = io.BytesIO()
    Image.fromarray(noise).save(written, "PNG")
    for path in ("/api/read", "/api/clean", "/api/preview", "/api/denoise"):
        assert send(client, written.getvalue(), path).status_code == 200
        assert send(client, b"x" * 200_000, path).status_code == 415
        until(lambda: not list(tmp_path.iterdir()))
