"""The arguments that both peers take."""

from __future__ import annotations

import argparse
from pathlib import Path


def read_arguments(purpose: str | None, max_epochs: int) -> argparse.Namespace:
    """purpose: the peer's docstring. max_epochs: of the example it follows."""
    parser = argparse.ArgumentParser(description=(purpose or "").partition("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, required=True, help="x_train, y_train, x_test, y_test, as in Keras's mnist.npz")
    add("--target", type=float, default=99.0, help="test accuracy in percent at which to stop")
    add("--max-epochs", type=int, default=max_epochs)
    add("--seed", type=int, default=0)
    return parser.parse_args()
