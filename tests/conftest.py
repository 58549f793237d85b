"""What all tests share: the real data, a seeded generator, the real command, and one trained model."""

import io
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # there is a test process for each core
NEAR_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real datasets; skips the test where there is none."""
    folder = Path(os.environ.get("LEGIBLE_DATA", NEAR_DATA))
    if not (folder / "mnist").is_dir():
        pytest.skip(f"no real data at {folder}: set LEGIBLE_DATA to a folder that holds mnist/")
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@dataclass(frozen=True)
class Done:
    """What a finished command left: its exit code, its data (stdout) and its words (stderr)."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Trained:
    """The folder that `legible train` made, and what it printed."""

    folder: Path
    done: Done


def run_command(*words: object) -> Done:
    """Run `legible` with these words in this process, all of it but the start of Python."""
    from legible.cli import main

    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["legible", *map(str, words)])
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


@pytest.fixture
def legible(tmp_path, monkeypatch) -> Callable[..., Done]:
    """The command, run in an empty folder, with an empty cache and nobody to download from."""
    from legible.data import DATASETS

    for entry in DATASETS:
        if source := entry.facts.get("remote"):
            monkeypatch.setitem(vars(source), "mirrors", ("http://127.0.0.1:9/",))
    monkeypatch.setenv("LEGIBLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("LEGIBLE_DATA", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return run_command


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Trained:
    """A small convolutional net, trained on the embedded digits by the real command. Not to be changed."""
    folder = tmp_path_factory.mktemp("trained") / "small-digits"
    done = run_command(
        "train", "cnn-one-conv:filters=8,dense=32", "--dataset", "digits-embedded", "--epochs", 3,
        "--batch-size", 32, "--learning-rate", 0.01, "--output", folder,
    )  # fmt: skip
    assert done.code == 0, done.err
    return Trained(folder, done)
