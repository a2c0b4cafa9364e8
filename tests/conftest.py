"""What every test shares: reference tables, and random input that is the same on every run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from chromium import Browser, find_chromium
from hypothesis import settings

os.environ["MPLBACKEND"] = "Agg"  # read when matplotlib is first imported, in workers too

settings.register_profile("carbonopt", deadline=None, derandomize=True)
settings.load_profile("carbonopt")

REFERENCE = Path(__file__).parent / "reference"


@pytest.fixture(scope="session")
def reference():
    """Read a table of tests/reference by its file name."""

    def read(name: str) -> pd.DataFrame:
        return pd.read_csv(REFERENCE / name, comment="#")

    return read


@pytest.fixture
def rng() -> np.random.Generator:
    """A fresh generator with a fixed seed for each test."""
    return np.random.default_rng(20260101)


@pytest.fixture(scope="session")
def browser(tmp_path_factory) -> Iterator[Browser]:
    """A headless Chromium; skipped where there is none, which `.ci/run` sees to."""
    if find_chromium() is None:
        pytest.skip("needs chromium: apt-get install chromium")
    started = Browser(tmp_path_factory.mktemp("chromium"))
    yield started
    started.close()
