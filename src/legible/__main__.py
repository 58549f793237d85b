"""The command `legible` as a process; `python -m legible` is the same."""

from __future__ import annotations

import os
import sys

from legible.cli import main


def run() -> None:
    """Run the command line, then exit at once: OpenVINO's regular shutdown takes a tenth of a second."""
    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # whom we wrote for is gone, as `head` is
        code = 1
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    run()
