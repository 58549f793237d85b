"""A training that is cut off at any moment goes on with --resume and ends with the same weights."""

import signal
import subprocess
import sys

import pytest
from safetensors.numpy import load_file

WORDS = (
    "train",
    "cnn-dropout:filters=4",
    "--dataset",
    "digits-embedded",
    "--epochs",
    "15",
    "--average",
    "0.9",
)


CUT_OFF = """
import os, signal
from legible.cli import main
from legible.training.tasks.classify import Classify

pair, batches = Classify.pair, []

def count(task, *given):
    batches.append(1)
    if len(batches) == 25:  # of ten an epoch
        os.kill(os.getpid(), {how})
    return pair(task, *given)

Classify.pair = count
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell runs in the background
main()
"""


def cut_off(how, folder):
    """Start a training that gets a signal in its third epoch, and give what it said and its exit code."""
    process = subprocess.run(
        [sys.executable, "-c", CUT_OFF.format(how=int(how)), *WORDS, "--output", str(folder)],
        capture_output=True, text=True, cwd=folder.parent, check=False, timeout=120,
    )  # fmt: skip
    assert "epoch   2/15" in process.stderr and "epoch   3/15" not in process.stderr
    return process.stderr, process.returncode


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_cut_off_in_mid_epoch_it_resumes_to_the_same_weights(how, legible, tmp_path):
    assert legible(*WORDS, "--output", tmp_path / "whole").code == 0
    words, code = cut_off(how, tmp_path / "out")
    assert not (tmp_path / "out").exists() and (tmp_path / "out.part" / "checkpoint.safetensors").exists()
    if how == signal.SIGINT:
        assert code == 130 and "--resume" in words and "Traceback" not in words
    unasked = legible(*WORDS, "--output", tmp_path / "out")
    assert unasked.code == 6 and "--resume" in unasked.err, (
        "an unfinished training is not thrown away unasked"
    )
    resumed = legible(*WORDS, "--output", tmp_path / "out", "--resume")
    assert resumed.code == 0 and "after epoch" in resumed.err and not (tmp_path / "out.part").exists()
    expected = load_file(tmp_path / "whole" / "weights.safetensors")
    found = load_file(tmp_path / "out" / "weights.safetensors")
    assert all((found[name] == value).all() for name, value in expected.items())
