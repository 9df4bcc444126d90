"""From any long table to a board, through the command line."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from long_tables import COLUMNS, lose, make_table, rank, read, save

from cellbench.boards import Columns, rank_board, read_long_table
from cellbench.boards.board import rank_modalities
from cellbench.cli import main
from cellbench.errors import ScoresError
from cellbench.ranking import (
    SCHEMES,
    TIES,
    Options,
    Scheme,
    Ties,
    bootstrap,
    case_ranks,
    rank_algorithms,
    sensitivity,
)
from cellbench.ranking.tables import Missing

pytestmark = pytest.mark.filterwarnings("error")

GOLDEN = Path(__file__).parents[1] / "golden" / "ranking" / "inputs"


def test_the_tables_carry_the_name_of_the_value(tmp_path: Path) -> None:
    table = make_table()
    assert rank(save(table, tmp_path)) == 0
    board = read(tmp_path, "leaderboard")
    assert list(board) == [
        *("rank", "algorithm", "score", "mean_rank", "mean_rank_dice", "mean_rank_runtime"),
        *("rank_low", "rank_high", "median_dice", "dice_q1", "dice_q3"),
        *("mean_dice", "mean_dice_low", "mean_dice_high"),
        *("median_runtime_s", "within_tolerance", "failed", "images"),
    ]
    empty = board[["mean_rank_runtime", "median_runtime_s", "within_tolerance"]]
    assert empty.isna().all(axis=None)
    values = table.pivot(index="case", columns="team", values="dice")
    expected = rank_algorithms(values, "rank-then-mean", higher_is_better=True)
    assert board.set_index("algorithm")["rank"].to_dict() == expected["rank"].to_dict()
    np.testing.assert_allclose(
        board.set_index("algorithm")["mean_rank_dice"][expected.index], expected["value"]
    )
    assert set(read(tmp_path, "schemes")["metric"]) == {"dice", "challenge"}
    assert set(read(tmp_path, "ranks")["metric"]) == {"dice"}
    assert list(read(tmp_path, "values")) == [
        *("algorithm", "image", "modality", "status", "dice", "runtime_s", "rank_runtime_s")
    ]
    assert set(read(tmp_path, "intervals")["quantity"]) == {
        *("score", "mean_rank", "mean_rank_dice", "rank", "mean_dice", "median_dice")
    }
    record = json.loads((tmp_path / "board" / "provenance.json").read_text())
    assert record["protocol"] is None
    assert (record["value"], record["value_title"]) == ("dice", "dice")
    assert record["ranked_on"] == ["dice"]
    assert record["command"].startswith("cellbench rank table.csv --out . --case case")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_smaller_is_better(scheme: str, tmp_path: Path) -> None:
    table = make_table()
    assert rank(save(table, tmp_path), "--smaller-is-better", "--scheme", scheme) == 0
    values = table.pivot(index="case", columns="team", values="dice")
    expected = rank_algorithms(values, scheme, higher_is_better=False)["rank"]
    assert read(tmp_path, "leaderboard").set_index("algorithm")["rank"].to_dict() == (
        expected.to_dict()
    )


@pytest.mark.parametrize("file", ["a_5x20_noties", "d1_1case_5teams", "d2_2teams_10cases"])
def test_the_board_agrees_with_the_library(file: str, tmp_path: Path) -> None:
    """The tables that challengeR's answers are known for; the library is tested against these."""
    rows = pd.read_csv(GOLDEN / f"{file}.csv")
    rows = rows[rows["task"] == rows["task"].iloc[0]]
    path = save(rows, tmp_path)
    words = ["--case", "case", "--algorithm", "team", "--value", "value", "--bootstrap", "30"]
    assert main(["rank", str(path), *words, "--out", str(tmp_path / "board")]) == 0
    table = rows.pivot(index="case", columns="team", values="value")
    for scheme, part in read(tmp_path, "schemes").query("metric == 'value'").groupby("scheme"):
        expected = rank_algorithms(table, scheme, higher_is_better=True)
        found = part.set_index("algorithm").loc[expected.index]
        np.testing.assert_allclose(found["value"], expected["value"], rtol=1e-12)
        assert found["rank"].tolist() == expected["rank"].tolist()
    draws = bootstrap(
        table,
        "rank-then-mean",
        higher_is_better=True,
        samples=30,
        rng=np.random.default_rng(2022),
    )
    taus = read(tmp_path, "kendall_tau").query("metric == 'value'")["tau"]
    np.testing.assert_allclose(taus, draws.tau, rtol=1e-12)


def test_a_table_of_f1_is_no_scores_csv(tmp_path: Path) -> None:
    path = save(make_table().rename(columns={"dice": "f1"}), tmp_path)
    words = [*COLUMNS[:-1], "f1", "--bootstrap", "5", "--out", str(tmp_path / "board")]
    assert main(["rank", str(path), *words]) == 0
    record = json.loads((tmp_path / "board" / "provenance.json").read_text())
    assert (record["value_title"], record["protocol"]) == ("F1", None)
    assert record["ranked_on_reason"] == "the table has no running times"
    assert record["failures"].startswith("infinitely bad: it ties after")


@pytest.mark.parametrize("smaller", [True, False])
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("missing", ["worst", "drop", "0.25"])
def test_missing_values(
    missing: str, scheme: str, smaller: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = lose(make_table())
    more = ["--smaller-is-better"] if smaller else []
    path = save(table, tmp_path)
    assert rank(path, "--missing", missing, "--scheme", scheme, *more) == 0
    (warning,) = capsys.readouterr().err.strip().splitlines()
    assert "'team 1' 2 of 9, 'team 2' 1 of 9" in warning
    board = read(tmp_path, "leaderboard").set_index("algorithm")
    assert board["failed"].to_dict() == {"team 0": 0, "team 1": 2, "team 2": 1, "team 3": 0}
    assert (board["images"] == 9).all()
    values = table.assign(dice=pd.to_numeric(table["dice"])).pivot(
        index="case", columns="team", values="dice"
    )
    if missing == "worst":
        values = values.fillna(np.inf if smaller else -np.inf)
    how = "worst" if missing == "worst" else missing if missing == "drop" else float(missing)
    expected = rank_algorithms(values, scheme, higher_is_better=not smaller, missing=how)["rank"]
    assert board["rank"].to_dict() == expected.to_dict()
    record = json.loads((tmp_path / "board" / "provenance.json").read_text())
    assert record["missing"] == how
    assert record["failures"] in warning
    statuses = read(tmp_path, "values")["status"]
    assert statuses.value_counts().to_dict() == {"ok": 33, "missing": 3}
    changed = sensitivity(
        values, None, scheme=scheme, decimals=None, higher_is_better=not smaller, missing=how
    )
    assert read(tmp_path, "sensitivity")["rank"].tolist() == changed["rank"].tolist()


def test_a_missing_value_ties_after_all_that_are_there(tmp_path: Path) -> None:
    table = pd.DataFrame({"case": "c", "team": list("abcde"), "dice": [0.8, 0.8, 0.8, None, None]})
    assert rank(save(table, tmp_path)) == 0
    assert read(tmp_path, "ranks")["rank"].tolist() == [1, 1, 1, 4, 4]
    board = read(tmp_path, "leaderboard")
    assert board["mean_dice"].isna().tolist() == [False, False, False, True, True]
    assert board.loc[3:, ["median_dice", "dice_q1", "dice_q3"]].isna().all(axis=None)


def test_who_lacks_a_case_never_gains_by_it(tmp_path: Path) -> None:
    table = make_table()
    assert rank(save(table, tmp_path)) == 0
    before = read(tmp_path, "leaderboard").set_index("algorithm")["mean_rank_dice"]
    worst = table.loc[table["team"] == "team 0", "dice"].idxmin()
    assert rank(save(table.drop(index=worst), tmp_path)) == 0
    after = read(tmp_path, "leaderboard").set_index("algorithm")["mean_rank_dice"]
    assert after["team 0"] >= before["team 0"]


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    "rows",
    [
        [("a", "c", 0.5)],
        [("a", "c", 0.5), ("a", "d", 0.7)],
        [("a", "c", 0.5), ("b", "c", 0.7)],
        [("a", "c", 0.5), ("b", "c", 0.5), ("a", "d", 0.5), ("b", "d", 0.5)],
        [("a", "c", 0.0), ("b", "c", None)],
        [("a", "c", 0.5), ("b", "d", 0.5)],
        [("a", "c", 1e100), ("b", "c", -1e100), ("a", "d", -5e-324), ("b", "d", 0.0)],
    ],
)
def test_degenerate_tables_have_a_board(
    rows: list[tuple[str, str, float | None]], scheme: str, ties: str, tmp_path: Path
) -> None:
    table = pd.DataFrame(rows, columns=["team", "case", "dice"])
    assert rank(save(table, tmp_path), "--scheme", scheme, "--ties", ties) == 0
    board = read(tmp_path, "leaderboard")
    assert set(board["algorithm"]) == set(table["team"])
    assert board["rank"].notna().all()


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    cells=st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from("wxyz"),
            st.none() | st.sampled_from([0.0, 0.5, 1.0]) | st.floats(-1e100, 1e100),
        ),
        min_size=1,
        max_size=12,
        unique_by=lambda cell: cell[:2],
    ),
    scheme=st.sampled_from(SCHEMES),
    ties=st.sampled_from(TIES),
    missing=st.sampled_from(["worst", "drop", 0.3]),
    higher=st.booleans(),
)
def test_any_table_has_a_board_or_one_error(
    cells: list[tuple[str, str, float | None]],
    scheme: Scheme,
    ties: Ties,
    missing: Missing,
    higher: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    table = pd.DataFrame(cells, columns=["team", "case", "dice"])
    table = table.assign(site=table["case"].isin(["w", "x"]))
    path = save(table, tmp_path_factory.mktemp("any"))
    columns = Columns("case", "team", "dice", "site", higher, missing)
    if table["dice"].isna().all():
        with pytest.raises(ScoresError, match="the column 'dice' is empty"):
            read_long_table([path], columns)
        return
    measured, options = read_long_table([path], columns), Options(ties, scheme, bootstrap=5)
    for board in (rank_board(measured, options), *rank_modalities(measured, options).values()):
        assert set(board.leaderboard["algorithm"]) == set(table["team"])
        assert board.leaderboard["rank"].between(1, table["team"].nunique()).all()
        assert not np.isinf(board.intervals[["estimate", "low", "high"]].to_numpy()).any()


def test_case_ranks_are_the_librarys(tmp_path: Path) -> None:
    table = make_table().round({"dice": 1})
    assert rank(save(table, tmp_path), "--ties", "average") == 0
    values = table.pivot(index="case", columns="team", values="dice")
    expected = case_ranks(values, higher_is_better=True, ties="average")
    found = read(tmp_path, "ranks").pivot(index="image", columns="algorithm", values="rank")
    np.testing.assert_array_equal(found.to_numpy(), expected.to_numpy())


@pytest.mark.parametrize("value", ["quantity", "sample", "significant"])
def test_a_value_may_be_called_as_a_column_of_boards(value: str, tmp_path: Path) -> None:
    table = save(make_table().rename(columns={"dice": value}), tmp_path)
    assert rank(table, "--value", value) == 0
    assert main(["report", str(tmp_path / "board")]) == 0


@pytest.mark.slow
def test_the_recorded_command_makes_the_board_again(tmp_path: Path) -> None:
    assert rank(save(make_table(), tmp_path), out=tmp_path) == 0
    before = (tmp_path / "leaderboard.csv").read_bytes()
    command = json.loads((tmp_path / "provenance.json").read_text())["command"]
    (tmp_path / "leaderboard.csv").unlink()
    subprocess.run(
        [sys.executable, "-m", "cellbench.cli", *shlex.split(command)[1:]], cwd=tmp_path, check=True
    )
    assert (tmp_path / "leaderboard.csv").read_bytes() == before
