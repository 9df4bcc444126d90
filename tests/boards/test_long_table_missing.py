"""Missing values count as leaderboard/RULES.md says."""

from pathlib import Path

import pandas as pd
import pytest
from long_tables import COLUMNS, read, save

from cellbench.cli import main

TABLE = pd.DataFrame(
    [
        *(("i1", "a", 0.9), ("i1", "b", 0.5), ("i1", "c", None)),  # empty
        *(("i2", "a", 0.2), ("i2", "b", None)),  # no row for c
        *(("i3", "a", None), ("i3", "b", None)),  # nobody has a value
    ],
    columns=["case", "team", "dice"],
)


@pytest.mark.parametrize(
    ("missing", "ranks"),
    [
        ("worst", {"i1": [1, 2, 3], "i2": [1, 2, 2], "i3": [1, 1, 1]}),
        ("drop", {"i1": [1, 2, None], "i2": [1, None, None], "i3": [None, None, None]}),
        ("0.3", {"i1": [1, 2, 3], "i2": [3, 1, 1], "i3": [1, 1, 1]}),
    ],
)
def test_ranks_of_missing_values(
    missing: str,
    ranks: dict[str, list[int | None]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [*COLUMNS, "--missing", missing, "--bootstrap", "5", "--out", str(tmp_path / "board")]
    assert main(["rank", str(save(TABLE, tmp_path)), *words]) == 0
    warning = "'a' 1 of 3, 'b' 2 of 3, 'c' 3 of 3; a missing value counts as "
    assert warning in capsys.readouterr().err
    found = read(tmp_path, "ranks").pivot(index="image", columns="algorithm", values="rank")
    expected = pd.DataFrame(ranks, index=["a", "b", "c"], dtype=float).T
    expected = expected.dropna(how="all")
    found = found.dropna(how="all").astype(float)
    pd.testing.assert_frame_equal(found, expected, check_names=False)
    board = read(tmp_path, "leaderboard").set_index("algorithm")
    assert board["failed"].sort_index().tolist() == [1, 2, 3]
