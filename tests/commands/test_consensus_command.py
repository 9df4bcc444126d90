"""One ranking from several boards, through the command line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellbench.cli import main


def make_board(folder: Path, ranks: dict[str, object]) -> str:
    folder.mkdir(parents=True)
    table = pd.DataFrame({"rank": ranks.values(), "algorithm": ranks.keys(), "score": 0.5})
    table.to_csv(folder / "leaderboard.csv", index=False)
    return str(folder)


@pytest.fixture
def boards(tmp_path: Path) -> list[str]:
    first = make_board(tmp_path / "one", {"a": 1, "b": 2, "NA": 3})
    return [first, make_board(tmp_path / "two", {"NA": 1, "a": 2.5, "b": 2.5})]


def run(boards: list[str], out: Path, *more: str) -> pd.DataFrame:
    assert main(["consensus", *boards, "--out", str(out), *more]) == 0
    return pd.read_csv(out, keep_default_na=False, na_values={"rank": [""]})


def test_mean_of_ranks_and_rank_of_means(
    boards: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = run(boards, tmp_path / "out" / "consensus.csv")
    assert list(table) == ["algorithm", "one", "two", "mean_rank", "rank"]
    assert table["algorithm"].tolist() == ["a", "NA", "b"]
    np.testing.assert_allclose(table["mean_rank"], [1.75, 2, 2.25])
    assert table["rank"].tolist() == [1, 2, 3]
    assert "1.7500" in capsys.readouterr().out


def test_weights_and_ties(boards: list[str], tmp_path: Path) -> None:
    table = run(boards, tmp_path / "c.csv", "--weights", "1", "3")
    assert table["algorithm"].tolist() == ["NA", "a", "b"]
    table = run([boards[0]], tmp_path / "c.csv")
    assert table["rank"].tolist() == [1, 2, 3]
    even = make_board(tmp_path / "three", {"a": 2, "b": 1, "NA": 3})
    table = run([boards[0], even], tmp_path / "c.csv", "--ties", "average")
    assert table["rank"].tolist() == [1.5, 1.5, 3.0]


def test_what_cannot_be_joined(
    boards: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fewer = make_board(tmp_path / "fewer", {"a": 1, "b": 2})
    same_name = make_board(tmp_path / "other" / "one", {"a": 1, "b": 2, "NA": 3})
    no_rank = make_board(tmp_path / "none", {"a": 1, "b": "", "NA": 3})
    twice = make_board(tmp_path / "twice", {"a": 1, "b": 2})
    (Path(twice) / "leaderboard.csv").write_text("rank,algorithm\n1,a\n2,a\n")
    cases = [
        ([*boards, fewer], 1, "'NA' has no rank on the board 'fewer'"),
        ([*boards, same_name], 1, "another board has the name 'one' too"),
        ([*boards, no_rank], 1, "line 3: the rank is empty"),
        ([*boards, twice], 1, "line 3: this algorithm has a row already"),
        ([*boards, str(tmp_path / "absent")], 1, "no such file; make it with cellbench rank"),
        ([*boards, "--weights", "1"], 2, "there are 1 weights for 2 boards"),
        ([*boards, "--weights", "-1", "2"], 2, "weights"),
        ([*boards, "--ties", "best"], 2, "argument --ties: invalid choice: 'best'"),
        ([*boards, "--out", str(tmp_path)], 2, "is a folder"),
    ]
    for words, status, message in cases:
        assert main(["consensus", *words]) == status
        *_, line = capsys.readouterr().err.strip().splitlines()
        assert message in line
