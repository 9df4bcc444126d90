"""Folders that several tests of the evaluation score."""

from pathlib import Path

import pytest
from prediction_folders import make_folders


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Return the folders of truth and predictions, see :func:`prediction_folders.make_folders`."""
    return make_folders(tmp_path)
