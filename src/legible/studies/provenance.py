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
def find_commit() -> str:
    """The commit of the program's own source, with '+' when it was changed since; '' outside a checkout."""
    here = Path(__file__).parent

    def ask(*words: str) -> str:
        try:
            answer = subprocess.run(
                ["git", "-C", str(here), *words], capture_output=True, text=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            return ""
        return answer.stdout.strip()

    if not ask("ls-files", "--error-unmatch", str(Path(__file__))):
        return ""
    return ask("rev-parse", "--short=10", "HEAD") + (
        "+" if ask("status", "--porcelain", "--", str(here)) else ""
    )


def today() -> str:
    """The date, as 2026-01-31."""
    return datetime.datetime.now(tz=datetime.UTC).date().isoformat()


def this_command() -> str:
    """The words of this call, without those that a repetition would not need."""
    words = [w for w in sys.argv[1:] if w not in ("--resume", "--overwrite")]
    return shlex.join(["legible", *words])
