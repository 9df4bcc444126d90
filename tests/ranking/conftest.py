"""Tables of challengeR's answers (version 1.0.5, R 4.2.2): tests/golden/ranking."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

GOLDEN = Path(__file__).parents[1] / "golden" / "ranking"


@pytest.fixture(scope="session")
def table() -> Callable[[str], pd.DataFrame]:
    """Read an input by the name that its outputs start with, such as ``a_5x20_noties__f1``."""

    def read(name: str) -> pd.DataFrame:
        file, _, task = name.partition("__")
        rows = pd.read_csv(next((GOLDEN / "inputs").glob(f"{file}.csv*")))
        rows = rows[rows.task == task] if task else rows
        return rows.pivot(index="case", columns="team", values="value")

    return read


@pytest.fixture(scope="session")
def answer() -> Callable[..., pd.DataFrame]:
    """Read an output by name; its first column becomes the index."""

    def read(name: str, index: str | None = None) -> pd.DataFrame:
        rows = pd.read_csv(next((GOLDEN / "outputs").glob(f"{name}.csv*")))
        return rows.set_index(index or rows.columns[0])

    return read
