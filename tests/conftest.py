"""Settings and fixtures of all tests."""

import os
from pathlib import Path

import pytest
from datasets import make_dataset
from hypothesis import settings

collect_ignore_glob = ["*conftest.py"]  # they all have one name, and no doctests

# The machine may be shared: how long an example takes says nothing about the code.
settings.register_profile("cellbench", deadline=None)
settings.load_profile("cellbench")
# Test processes run side by side; one thread each keeps them out of each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture
def default_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the dataset that training uses unless another one is named, in a new working directory."""
    monkeypatch.chdir(tmp_path)
    return make_dataset(tmp_path / "data/sample")
