"""A board that several tests of the page read."""

from pathlib import Path

import pytest
from pages import scores_of, write_scores


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a board of three algorithms on six images, where one algorithm failed on one image."""
    images = [f"image{number}" for number in range(6)]
    scores = scores_of(["first", "second", "third"], images, failed=[("third", "image2")])
    return write_scores(tmp_path_factory.mktemp("page") / "cells", scores)
