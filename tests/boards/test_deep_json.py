"""JSON that is nested without end is damaged, not a crash."""

from pathlib import Path

import pytest

from cellbench.boards.record import read_record
from cellbench.errors import CellbenchError


def test_deep_json_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "provenance.json"
    path.write_text("[" * 100_000)
    with pytest.raises(CellbenchError, match=r"provenance\.json: cannot be read"):
        read_record(path)
