"""Datasets are downloaded from mirrors that work, break off, send wrong files or are unreachable.

Real HTTP on this machine.
"""

import gzip
import hashlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from legible.data.fetch import Source, cache_folder, fetch_file, has_sha256, is_available
from legible.errors import InputError, OutputError

PACKED = gzip.compress(hashlib.shake_256(b"ink").digest(400_000))  # does not shrink: several blocks long
UNPACKED = gzip.decompress(PACKED)
NAME = "digits.gz"


@dataclass
class Mirror:
    """A folder on a web server: what it sends, how many bytes of it, and what it was asked."""

    url: str = ""
    content: bytes = PACKED
    breaks_after: int | None = None
    knows_ranges: bool = True
    asked: list[str | None] = field(default_factory=list)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range")
        self.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.knows_ranges else 0
        rest = self.content[start:]
        if not rest:
            request.send_error(404 if not self.content else 416)
            return
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(rest)))
        request.end_headers()
        request.wfile.write(rest[: self.breaks_after])


@pytest.fixture
def mirrors(monkeypatch, tmp_path):
    """Two mirrors, /0/ and /1/, an empty cache, and no data of the user's own."""
    both = [Mirror(), Mirror()]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            both[int(self.path[1])].answer(self)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    for i, mirror in enumerate(both):
        mirror.url = f"http://127.0.0.1:{server.server_port}/{i}/"
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("LEGIBLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LEGIBLE_DATA", raising=False)
    yield both
    server.shutdown()
    server.server_close()


@pytest.fixture
def source(mirrors) -> Source:
    check = has_sha256(hashlib.sha256(UNPACKED).hexdigest())
    return Source("digits", tuple(mirror.url for mirror in mirrors), {NAME: check, "labels.gz": check})


@pytest.fixture
def cached(source):
    return cache_folder() / "digits" / NAME


def test_a_file_is_downloaded_once_checked_and_cached(source, mirrors, cached):
    seen = []
    fetched = fetch_file(source, NAME, progress=lambda *numbers: seen.append(numbers))
    assert fetched.content == UNPACKED and fetched.path == cached and cached.read_bytes() == PACKED
    assert f"Downloaded {mirrors[0].url}{NAME}" in fetched.origin
    assert len(seen) > 1 and seen[-1] == (NAME, len(PACKED), len(PACKED)) and seen == sorted(seen)
    again = fetch_file(source, NAME)
    assert again.content == UNPACKED and "cache" in again.origin and len(mirrors[0].asked) == 1
    assert sorted(p.name for p in cached.parent.iterdir()) == [".lock", NAME]


def test_a_broken_download_is_resumed_from_the_next_mirror(source, mirrors, cached):
    mirrors[0].breaks_after = 150_000
    assert fetch_file(source, NAME).content == UNPACKED
    assert mirrors[1].asked == ["bytes=150000-"] and cached.read_bytes() == PACKED


def test_a_download_that_was_killed_is_resumed(source, mirrors, cached):
    cached.parent.mkdir(parents=True)
    cached.with_name(NAME + ".part").write_bytes(PACKED[:1000])
    seen = []
    assert fetch_file(source, NAME, progress=lambda *numbers: seen.append(numbers)).content == UNPACKED
    assert mirrors[0].asked == ["bytes=1000-"] and seen[-1][1:] == (len(PACKED), len(PACKED))


def test_a_complete_but_uncached_download_is_repeated(source, mirrors, cached):
    cached.parent.mkdir(parents=True)
    cached.with_name(NAME + ".part").write_bytes(PACKED)
    assert fetch_file(source, NAME).content == UNPACKED
    assert mirrors[0].asked == [f"bytes={len(PACKED)}-", None]


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_download_with_a_wrong_beginning_is_repeated(source, mirrors, cached, knows_ranges):
    mirrors[0].knows_ranges = knows_ranges
    cached.parent.mkdir(parents=True)
    cached.with_name(NAME + ".part").write_bytes(b"x" * 1000)
    assert fetch_file(source, NAME).content == UNPACKED
    assert mirrors[1].asked == []


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>Log in first</html>", PACKED[:-20], gzip.compress(b"other")],
    ids=["nothing", "a log-in page", "cut short", "another file"],
)
def test_a_mirror_with_a_wrong_file_is_skipped(source, mirrors, cached, content):
    mirrors[0].content = content
    fetched = fetch_file(source, NAME)
    assert fetched.content == UNPACKED and mirrors[1].url in fetched.origin
    assert cached.read_bytes() == PACKED


def test_without_a_network_the_message_says_where_to_put_which_files(source, mirrors, cached):
    mirrors[0].content, mirrors[1].content = b"", gzip.compress(b"other")
    with pytest.raises(InputError) as raised:
        fetch_file(source, NAME)
    message = str(raised.value)
    for part in (NAME, "labels.gz", str(cached.parent), "LEGIBLE_DATA", "digits/", *source.mirrors):
        assert part in message
    assert "404" in message and "damaged or different" in message
    assert [p.name for p in cached.parent.iterdir()] == [".lock"]


def test_a_mirror_that_does_not_answer_is_named(source, cached):
    nowhere = Source("digits", ("http://127.0.0.1:9/",), source.files)  # the discard port: nobody listens
    with pytest.raises(InputError, match=r"Tried http://127\.0\.0\.1:9/digits\.gz \(.*refused"):
        fetch_file(nowhere, NAME)


def test_a_damaged_cached_file_is_named_and_fetched_again(source, cached):
    cached.parent.mkdir(parents=True)
    for damaged in (PACKED[:500], gzip.compress(b"other"), b""):
        cached.write_bytes(damaged)
        fetched = fetch_file(source, NAME)
        assert fetched.content == UNPACKED and cached.read_bytes() == PACKED
        assert str(cached) in fetched.origin and "downloaded again" in fetched.origin


@pytest.mark.parametrize("packed", [True, False])
def test_the_users_own_copy_comes_first_and_needs_no_network(source, mirrors, tmp_path, monkeypatch, packed):
    monkeypatch.setenv("LEGIBLE_DATA", str(tmp_path / "own"))
    (tmp_path / "own" / "digits").mkdir(parents=True)
    own = tmp_path / "own" / "digits" / (NAME if packed else "digits")
    own.write_bytes(PACKED if packed else UNPACKED)
    fetched = fetch_file(source, NAME)
    assert fetched.content == UNPACKED and fetched.path == own and "LEGIBLE_DATA" in fetched.origin
    assert mirrors[0].asked == [] and not cache_folder().exists()


def test_a_damaged_own_copy_is_an_error_that_names_it(source, mirrors, tmp_path, monkeypatch):
    monkeypatch.setenv("LEGIBLE_DATA", str(tmp_path))
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits" / NAME).write_bytes(PACKED[:500])
    with pytest.raises(InputError, match=r"digits.digits\.gz is damaged"):
        fetch_file(source, NAME)
    assert (tmp_path / "digits" / NAME).read_bytes() == PACKED[:500] and mirrors[0].asked == []


def test_two_processes_download_the_same_file_once(source, mirrors):
    contents = []

    def fetch():
        contents.append(fetch_file(source, NAME).content)

    both = [threading.Thread(target=fetch) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert contents == [UNPACKED, UNPACKED] and len(mirrors[0].asked) == 1


def test_a_dataset_is_available_when_all_its_files_are(source):
    assert not is_available(source)
    fetch_file(source, NAME)
    assert not is_available(source)
    fetch_file(source, "labels.gz")
    assert is_available(source)


def test_a_cache_that_cannot_be_written_is_an_output_error(source, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("LEGIBLE_CACHE", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="LEGIBLE_CACHE"):
        fetch_file(source, NAME)


def test_a_full_disk_is_an_output_error_and_not_a_failed_mirror(source, mirrors, cached):
    part = cached.with_name(NAME + ".part")
    part.parent.mkdir(parents=True)
    try:
        part.symlink_to("/dev/full")
        part.open("ab").close()
    except OSError:
        pytest.skip("there is no /dev/full here")
    with pytest.raises(OutputError, match="No space left"):
        fetch_file(source, NAME)
    assert mirrors[1].asked == []


def test_the_cache_folder_follows_the_xdg_specification(monkeypatch, tmp_path):
    """Source: the XDG base directory specification."""
    monkeypatch.delenv("LEGIBLE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "legible"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "legible"
