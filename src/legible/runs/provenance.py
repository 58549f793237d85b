"""Where and when a result was made: the machine, the commit, the day."""

from __future__ import annotations

import datetime
import platform
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

from legible.cores import count_cores

SOURCE = Path(__file__).parents[1]  # the whole package
LOCAL_CHANGES = "+"  # what a commit ends with where the source had changes that are in no commit


@cache
def describe_machine() -> str:
    """The processor's name and how many cores this process may use."""
    return f"{_processor()}, {count_cores()} cores"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


@cache
def find_commit(source: Path = SOURCE) -> str:
    """The commit of the program's source, with '+' where it has local changes; '' outside a checkout."""

    def ask(*words: str) -> str:
        try:
            answer = subprocess.run(
                ["git", "-C", str(source), *words], capture_output=True, text=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            return ""
        return answer.stdout.strip()

    if not ask("ls-files", "--error-unmatch", "__init__.py"):
        return ""
    is_changed = bool(ask("status", "--porcelain", "."))
    return ask("rev-parse", "--short=10", "HEAD") + LOCAL_CHANGES * is_changed


def describe_commit(commit: str) -> str:
    """A recorded commit in words: `none recorded`, `650c36a577`, `650c36a577 with local changes`."""
    bare = commit.removesuffix(LOCAL_CHANGES)
    return f"{bare} with local changes" if bare != commit else bare or "none recorded"


def today() -> str:
    """The date, as 2026-01-31."""
    return datetime.datetime.now(tz=datetime.UTC).date().isoformat()


def this_command() -> str:
    """The words of this call, without those that a repetition would not need."""
    words = [w for w in sys.argv[1:] if w not in ("--resume", "--overwrite")]
    return shlex.join(["legible", *words])
