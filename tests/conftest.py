"""What all tests share: where the real data lies, and one seeded generator."""

import os
from pathlib import Path

import numpy as np
import pytest

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
