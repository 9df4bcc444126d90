"""The dataset of most tests of entrants."""

from pathlib import Path

import pytest
from datasets import make_dataset


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A dataset whose only test image has 64 × 96 pixels."""
    root = make_dataset(tmp_path / "data")
    (root / "test/images/test1.png").unlink()
    return root


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A file in which the server of an entrant can note what it does."""
    return tmp_path / "log"
