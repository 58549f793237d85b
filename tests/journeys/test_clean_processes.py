"""`legible clean` as a process: pipes, Ctrl-C, and workers that end."""

import io
import os
import pty
import signal
import subprocess
import sys

import pytest
from PIL import Image

from tests.scans import draw_scan, made_in, save_scans

HEARING_CTRL_C = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell runs in the background
from legible.__main__ import run
run()
"""


def run_process(*words, **more):
    command = [sys.executable, "-m", "legible", "clean", *map(str, words)]
    return subprocess.run(command, capture_output=True, check=False, **more)


def test_stdin_becomes_stdout_in_its_own_format_and_nothing_else_is_there(tmp_path):
    draw_scan().save(tmp_path / "a.jpg")
    done = run_process("-", "-o", "-", input=(tmp_path / "a.jpg").read_bytes(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with Image.open(io.BytesIO(done.stdout)) as picture:
        assert picture.format == "JPEG" and picture.size == (160, 120)
    assert b"standard input: 1 page in" in done.stderr and b"/tmp" not in done.stderr
    named = run_process("a.jpg", "-o", "-", cwd=tmp_path)
    assert named.returncode == 0 and named.stdout == done.stdout and made_in(tmp_path) == ["a.jpg"]


@pytest.mark.parametrize(
    ("words", "given", "code", "reason"),
    [
        (["-", "-o", "x.png"], b"", 3, "standard input is empty"),
        (["-", "-o", "x.png"], b"no scan", 3, "standard input is not a scan"),
        (["-", "-", "-o", "x"], b"", 2, "given twice"),
        (["a.png", "b.png", "-o", "-"], b"", 2, "for one scan"),
        (["-", "-o", "-", "--json"], b"", 2, "would both write to standard output"),
        (["-", "-o", "-", "--report", "r"], b"", 2, "--report shows files that stay"),
    ],
)
def test_a_pipe_that_makes_no_sense_is_refused_in_a_sentence(tmp_path, words, given, code, reason):
    done = run_process(*words, input=given, cwd=tmp_path)
    assert done.returncode == code and reason.encode() in done.stderr and done.stdout == b""
    assert b"Traceback" not in done.stderr and made_in(tmp_path) == []


def test_a_terminal_gets_no_picture(tmp_path):
    draw_scan().save(tmp_path / "a.png")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "legible", "clean", tmp_path / "a.png", "-o", "-"]
    done = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, check=False)
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 2 and b"standard output is a terminal" in done.stderr


@pytest.mark.parametrize("n_workers", [1, 2])
def test_ctrl_c_says_what_is_done_and_how_to_go_on(tmp_path, n_workers):
    """The last file is a pipe that nobody writes to, so that the run never ends by itself."""
    names = [f"{n}.png" for n in range(4)]
    save_scans(tmp_path, *names)
    os.mkfifo(tmp_path / "last.png")
    words = ["clean", *names, "last.png", "-o", "out", "--workers", str(n_workers)]
    with subprocess.Popen(
        [sys.executable, "-c", HEARING_CTRL_C, *words],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stderr is not None
        written = [process.stdout.readline().strip() for _ in names]
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to the workers too
        said = process.stderr.read()
    assert process.returncode == 130 and "Traceback" not in said, said
    assert "interrupted: 4 of 5 files done, nothing half-written is left. Run the same command again" in said
    assert written == [f"out/{name}" for name in names] and made_in(tmp_path / "out") == names


def test_workers_end_with_the_command_that_started_them_even_if_it_is_killed(tmp_path):
    """They hold its stdout, which is read until it is closed; one waits for a pipe that nobody writes to."""
    save_scans(tmp_path, "a.png", "b.png")
    os.mkfifo(tmp_path / "last.png")
    words = ["clean", "a.png", "b.png", "last.png", "-o", "out", "--workers", "2"]
    with subprocess.Popen(
        [sys.executable, "-m", "legible", *words], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        written = [process.stdout.readline() for _ in "ab"]
        process.kill()
        process.communicate(timeout=120)
    assert written == ["out/a.png\n", "out/b.png\n"] and made_in(tmp_path / "out") == ["a.png", "b.png"]
