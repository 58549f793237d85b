"""The server under large, slow, incomplete and too many requests, and after errors of its own."""

import io
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import httpx
import numpy as np
import pytest
import uvicorn
from PIL import Image
from starlette.formparsers import MultiPartParser

from legible.web.app import create_app
from legible.web.guard import Guard
from legible.web.state import Limits, ServerState, load_state
from legible.web.work_queue import WorkQueue

PATIENCE_S = 300  # only so that no test hangs
LIMITS = Limits(
    max_upload_bytes=300_000, max_total_bytes=2_000_000, max_page_pixels=1_000_000,
    idle_timeout_s=PATIENCE_S, body_timeout_s=PATIENCE_S, max_waiting=2,
)  # fmt: skip


def picture(width: int = 40, height: int = 40) -> bytes:
    written = io.BytesIO()
    Image.new("L", (width, height), 255).save(written, "PNG")
    return written.getvalue()


def pages(n: int) -> bytes:
    written = io.BytesIO()
    page = Image.new("L", (60, 60), 255)
    page.save(written, "TIFF", save_all=True, append_images=[page] * (n - 1))
    return written.getvalue()


class Server(uvicorn.Server):
    def capture_signals(self):  # signals are for the main thread
        import contextlib

        return contextlib.nullcontext()


@pytest.fixture(scope="module")
def loaded() -> ServerState:
    return load_state(LIMITS)


@pytest.fixture
def limits() -> Limits:
    """The server's limits; a test that needs others is parametrized with them."""
    return LIMITS


@pytest.fixture
def state(loaded, limits) -> Iterator[ServerState]:
    """The loaded models, with new work queues for each test."""
    quick, slow = WorkQueue("quick", 1, limits.max_waiting), WorkQueue("slow", 1, 0)
    state = replace(loaded, limits=limits, quick=quick, slow=slow, progress={})
    yield state
    state.close()
    state.join()


@pytest.fixture
def app(state) -> Guard:
    return create_app(state)


@pytest.fixture
def client(app) -> Iterator[httpx.Client]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with httpx.Client(base_url=address, timeout=PATIENCE_S, trust_env=False) as client:
            yield client
        server.should_exit = True
        thread.join()


def send(client: httpx.Client, content: bytes, path: str = "/api/read") -> httpx.Response:
    return client.post(path, files={"file": ("a.png", content)})


def error_message(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.json()["error"]["message"])


def hold(state: ServerState, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Make each reading wait until the event is set."""
    finish = threading.Event()
    read = state.reader.read

    def slowly(*given: object, **settings: object) -> object:
        assert finish.wait(PATIENCE_S)
        return read(*given, **settings)

    monkeypatch.setattr(
        type(state.reader), "read", lambda self, *given, **settings: slowly(*given, **settings)
    )
    return finish


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def connect(client: httpx.Client) -> socket.socket:
    """A connection to the server, to send bytes as they are."""
    return socket.create_connection((client.base_url.host, client.base_url.port), timeout=PATIENCE_S)


def receive_all(connection: socket.socket) -> bytes:
    """What comes back until the server closes the connection."""
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


def answer_to(client: httpx.Client, content: bytes) -> bytes:
    with connect(client) as connection:
        connection.sendall(content)
        return receive_all(connection)


def head(length: int, path: str = "/api/read", *headers: str) -> bytes:
    """The head of a request that announces a body of this length."""
    lines = (f"POST {path} HTTP/1.1", "Host: x", "Content-Type: multipart/form-data; boundary=b")
    return "\r\n".join((*lines, f"Content-Length: {length}", *headers, "", "")).encode()


def upload(content: bytes, path: str = "/api/read", progress: str = "") -> bytes:
    """A whole request with a file."""
    field = f'--b\r\nContent-Disposition: form-data; name="progress"\r\n\r\n{progress}\r\n'.encode()
    body = field * bool(progress) + FILE_PART + content + b"\r\n--b--\r\n"
    return head(len(body), path) + body


FILE_PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'


def test_an_upload_that_is_or_announces_too_many_bytes_is_refused(client):
    for size in (400_000, 1_100_000):
        assert "larger than" in error_message(send(client, b"x" * size), 413)
    answer = answer_to(client, head(9_000_000, "/api/read", "Expect: 100-continue"))
    assert answer.startswith(b"HTTP/1.1 413 ") and b"100 Continue" not in answer
    assert error_message(client.post("/api/generate", content=b" " * 100_000), 413)


def test_a_small_file_of_a_huge_picture_is_refused_before_it_is_decoded(client):
    beginning = picture(20_000, 20_000)[:250_000]  # has the size in its header, and cannot be decoded
    for path in ("/api/read", "/api/clean", "/api/preview", "/api/denoise"):
        assert "20,000 x 20,000 pixels" in error_message(send(client, beginning, path), 413)


@pytest.mark.parametrize("limits", [replace(LIMITS, idle_timeout_s=0.5)])
def test_a_client_that_stops_sending_is_answered_408(client):
    answer = answer_to(client, head(5000) + FILE_PART)
    assert answer.startswith(b"HTTP/1.1 408 ") and b"only %d bytes did" % len(FILE_PART) in answer


@pytest.mark.parametrize("limits", [replace(LIMITS, body_timeout_s=0.5)])
def test_a_client_that_keeps_sending_slowly_is_answered_408_in_the_end(client):
    with connect(client) as connection:
        connection.sendall(head(1_000_000) + FILE_PART)
        connection.settimeout(0.05)
        answer = b""
        while not answer:
            try:
                connection.sendall(b"x")
                answer = connection.recv(1000)
            except TimeoutError:
                pass
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_client_that_disconnects_while_sending_leaves_nothing(client, app):
    with connect(client) as connection:
        connection.sendall(head(5000) + FILE_PART)
        until(lambda: app.n_bytes == len(FILE_PART))
    until(lambda: app.n_bytes == 0)


def test_a_request_that_is_not_http_is_answered_400(client):
    assert answer_to(client, b"\x16\x03\x01 nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert client.get("/api/health").status_code == 200


def test_a_full_queue_refuses_further_requests_with_429(client, state, monkeypatch):
    finish = hold(state, monkeypatch)
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(send, client, picture()) for _ in range(3)]
        until(lambda: state.quick.length == 3)
        refused = send(client, picture())
        assert (
            "too many requests are waiting" in error_message(refused, 429)
            and refused.headers["retry-after"] == "1"
        )
        assert client.get("/api/health").json()["queue_lengths"]["quick"] == 3  # the event loop is free
        finish.set()
        assert {answer.result().status_code for answer in waiting} == {200}
    assert send(client, picture()).status_code == 200
    until(lambda: state.quick.length == 0)


def test_a_client_that_disconnects_leaves_the_queue(client, state, monkeypatch):
    finish = hold(state, monkeypatch)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send, client, picture())
        until(lambda: state.quick.length == 1)
        for _ in range(2):
            with connect(client) as connection:
                connection.sendall(upload(picture()))
                until(lambda: state.quick.length == 2)
            until(lambda: state.quick.length == 1)
        finish.set()
        assert first.result().status_code == 200
    assert 'status="499"' in client.get("/metrics").text


def test_cleaning_stops_when_its_client_disconnects(client, state, monkeypatch):
    cleaned, held = [], threading.Event()
    clean = state.cleaner.clean

    def counted(self: object, *given: object, **settings: object) -> object:
        cleaned.append(1)
        assert held.wait(PATIENCE_S)
        return clean(*given, **settings)

    monkeypatch.setattr(type(state.cleaner), "clean", counted)
    with connect(client) as connection:
        connection.sendall(upload(pages(10), "/api/clean", progress="mine"))
        until(lambda: bool(cleaned))
    until(lambda: "mine" not in state.progress)  # the server has noticed
    held.set()
    until(lambda: state.slow.length == 0)
    assert len(cleaned) == 1


def test_progress_counts_the_pages_done(client, state, monkeypatch):
    clean, seen = state.cleaner.clean, []

    def asking(self: object, *given: object, **settings: object) -> object:
        seen.append(client.get("/api/progress/mine").json())
        return clean(*given, **settings)

    monkeypatch.setattr(type(state.cleaner), "clean", asking)
    files = {"file": ("three.tif", pages(3))}
    done = client.post("/api/clean", files=files, data={"progress": "mine"})
    assert done.status_code == 200
    assert seen == [{"done": n, "pages": 3} for n in range(3)]
    assert client.get("/api/progress/mine").status_code == 404


def test_too_many_bytes_at_once_are_refused_until_some_are_answered(client, app):
    part = FILE_PART + b"x" * 240_000
    with ExitStack() as stack:
        unfinished = [stack.enter_context(connect(client)) for _ in range(8)]
        for connection in unfinished:
            connection.sendall(head(250_000) + part)
        until(lambda: app.n_bytes == 8 * len(part))
        refused = send(client, b"x" * 240_000)
        assert "too many uploads at once" in error_message(refused, 429)
        assert refused.headers["retry-after"] == "1"
    until(lambda: app.n_bytes == 0)
    assert send(client, picture()).status_code == 200


def test_an_error_in_the_server_shows_an_id_and_no_details(client, state, monkeypatch, caplog):
    def fail(*given: object, **settings: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(type(state.reader), "read", fail)
    with caplog.at_level(logging.ERROR):
        answer = send(client, picture())
    error = answer.json()["error"]
    assert answer.status_code == 500 and error["id"] in error["message"]
    assert "secret" not in answer.text and "Traceback" not in answer.text
    until(lambda: f"error {error['id']}" in caplog.text)
    assert "RuntimeError: secret" in caplog.text


def test_a_server_shutting_down_finishes_what_runs_and_refuses_the_rest(client, state, monkeypatch):
    finish = hold(state, monkeypatch)
    with ThreadPoolExecutor(8) as pool:
        runs = pool.submit(send, client, picture())
        until(lambda: state.quick.length == 1)
        waits = pool.submit(send, client, picture())
        until(lambda: state.quick.length == 2)
        state.close()
        assert "shutting down" in error_message(waits.result(), 503)
        finish.set()
        assert runs.result().status_code == 200
    assert "shutting down" in error_message(send(client, picture()), 503)


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


def test_other_programs_forms_keep_their_limits(client):
    assert send(client, picture()).status_code == 200
    assert MultiPartParser.spool_max_size == 1024 * 1024  # as starlette/formparsers.py sets it
