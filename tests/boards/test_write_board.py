"""From scores.csv to the files of a board, through real files."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from boards import files, make_scores, save

from cellbench.boards import write_board
from cellbench.boards.schema import PAPER_TABLES
from cellbench.ranking import challenge_score

TABLES = ["leaderboard", "ranks", "schemes", "significance", "bootstrap", "kendall_tau"]
ALL_TABLES = [*TABLES, "values", "clusters", "intervals", "outranking", "sensitivity"]


def test_leaderboard(tmp_path: Path) -> None:
    scores = make_scores()
    board = write_board([save(scores, tmp_path)], tmp_path / "board", bootstrap=50)
    at_half = scores[scores.threshold == 0.5]
    f1 = at_half.pivot(index="image", columns="algorithm", values="f1")
    times = at_half.pivot(index="image", columns="algorithm", values="rank_runtime_s")
    expected = challenge_score(f1, times).sort_values("rank")
    assert board["algorithm"].tolist() == expected.index.tolist()
    for column in ("score", "mean_rank", "mean_rank_f1", "mean_rank_runtime"):
        np.testing.assert_allclose(board[column], expected[column])
    named = board.set_index("algorithm")
    np.testing.assert_allclose(named["mean_f1"], f1.mean()[named.index])
    np.testing.assert_allclose(named["median_f1"], f1.median()[named.index])
    assert (named["f1_q1"] <= named["median_f1"]).all()
    assert (named["median_f1"] <= named["f1_q3"]).all()
    assert (named["mean_f1_low"] <= named["mean_f1"]).all()
    assert (named["mean_f1"] <= named["mean_f1_high"]).all()
    assert (named["rank_low"] <= named["rank_high"]).all()
    last = named.loc["algorithm 3"]
    assert (last["failed"], last["images"], last["within_tolerance"]) == (1, 12, 1)
    # Without the crash's own time.
    assert last["median_runtime_s"] == np.median(np.arange(1, 12) + 9)
    written = pd.read_csv(tmp_path / "board" / "leaderboard.csv")
    pd.testing.assert_frame_equal(written, board, check_dtype=False)
    header = (tmp_path / "board" / "leaderboard.csv").read_text().splitlines()[0]
    assert header == (
        "rank,algorithm,score,mean_rank,mean_rank_f1,mean_rank_runtime,rank_low,rank_high,"
        "median_f1,f1_q1,f1_q3,mean_f1,mean_f1_low,mean_f1_high,median_runtime_s,"
        "within_tolerance,failed,images"
    )


def test_every_table(tmp_path: Path) -> None:
    write_board([save(make_scores(), tmp_path)], tmp_path, bootstrap=20)
    tables = {name: pd.read_csv(tmp_path / f"{name}.csv") for name in TABLES}
    both, three = {"f1", "rank_runtime"}, {"f1", "rank_runtime", "challenge"}
    assert set(tables["ranks"]["metric"]) == both
    assert set(tables["significance"]["metric"]) == three
    assert len(tables["ranks"]) == 4 * 12 * 2
    assert list(tables["ranks"]) == ["algorithm", "image", "metric", "rank"]
    assert set(tables["schemes"]["metric"]) == three
    assert len(tables["schemes"]) == 3 * 5 * 4
    assert list(tables["schemes"]) == ["metric", "scheme", "algorithm", "value", "rank"]
    assert len(tables["significance"]) == 3 * 4 * 3
    tests = tables["significance"]
    assert (tests["significant"] == (tests["p_holm"] <= 0.05)).all()
    assert list(tables["bootstrap"]) == ["metric", "scheme", "algorithm", "rank", "frequency"]
    shares = tables["bootstrap"].groupby(["metric", "algorithm"])["frequency"].sum()
    np.testing.assert_allclose(shares, 1)
    assert list(tables["kendall_tau"]) == ["metric", "scheme", "sample", "tau"]
    assert len(tables["kendall_tau"]) == 3 * 20
    challenge = tables["schemes"].query("metric == 'challenge' and scheme == 'rank-then-mean'")
    ranks = tables["leaderboard"].set_index("algorithm")["rank"]
    assert challenge.set_index("algorithm")["rank"].to_dict() == ranks.to_dict()


def test_same_input_same_bytes(tmp_path: Path) -> None:
    path = save(make_scores(), tmp_path)
    for folder in ("one", "two"):
        write_board([path], tmp_path / folder, bootstrap=30, seed=7)
    each = {*(f"{name}.csv" for name in ALL_TABLES), "provenance.json", *PAPER_TABLES}
    parts = {f"modalities/{folder}/{name}" for folder in ("dic", "fluorescence") for name in each}
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert set(files(tmp_path / "one")) == {*each, *parts, "consensus.csv", "algorithms.csv"}


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    scores = make_scores()
    shuffled = scores.sample(frac=1, random_state=0)
    for name, rows in (("one", scores), ("two", shuffled)):
        write_board([save(rows, tmp_path / name)], tmp_path / name / "board", bootstrap=10)
    one, two = (files(tmp_path / name / "board") for name in ("one", "two"))
    assert one.keys() == two.keys()
    # Only this file names the input's hash.
    assert {name for name in one if one[name] != two[name]} == {
        name for name in one if name.endswith("provenance.json")
    }


def test_a_board_made_again_keeps_nothing_of_the_old(tmp_path: Path) -> None:
    scores, board = make_scores(), tmp_path / "board"
    write_board([save(scores, tmp_path)], board, bootstrap=5)
    (board / "modalities" / "mine").mkdir()  # no board, so it stays
    write_board([save(scores.assign(modality="DIC"), tmp_path)], board, bootstrap=5)
    assert [path.name for path in (board / "modalities").iterdir()] == ["mine"]
    (board / "modalities" / "mine").rmdir()
    write_board([tmp_path / "scores.csv"], tmp_path / "new", bootstrap=5)
    assert files(board) == files(tmp_path / "new")


def test_provenance(tmp_path: Path) -> None:
    write_board([save(make_scores(), tmp_path)], tmp_path, ties="average", bootstrap=5, seed=3)
    record = json.loads((tmp_path / "provenance.json").read_text())
    assert record["protocol"]["name"] == "neurips22"
    assert (record["ties"], record["bootstrap"], record["seed"]) == ("average", 5, 3)
    assert record["ranked_on"] == ["f1", "rank_runtime"]
    assert record["command"] == (
        "cellbench rank scores.csv --out . --ties average --scheme rank-then-mean "
        "--bootstrap 5 --seed 3 --weights 1.0 1.0 --alpha 0.05"
    )
    assert {"python", "cellbench", "numpy", "pandas", "scipy"} <= set(record["software"])
    assert record["hardware"]["cores"] >= 1
    before = (tmp_path / "provenance.json").read_bytes()
    write_board([tmp_path / "scores.csv"], tmp_path, ties="average", bootstrap=5, seed=3)
    assert (tmp_path / "provenance.json").read_bytes() == before


def test_without_times_the_board_says_so(tmp_path: Path) -> None:
    scores = make_scores()
    untimed = (scores.algorithm == "algorithm 3") & (scores.status == "ok")
    scores.loc[untimed, ["runtime_s", "rank_runtime_s"]] = np.nan
    board = write_board([save(scores, tmp_path)], tmp_path, bootstrap=10)
    assert board["mean_rank_runtime"].isna().all()
    assert board["within_tolerance"].notna().sum() == 3
    record = json.loads((tmp_path / "provenance.json").read_text())
    assert record["ranked_on"] == ["f1"]
    assert "F1 alone" in record["ranked_on_reason"]
    assert set(pd.read_csv(tmp_path / "ranks.csv")["metric"]) == {"f1"}


def test_scores_in_several_files(tmp_path: Path) -> None:
    scores = make_scores()
    parts = [save(part, tmp_path / name) for name, part in scores.groupby("algorithm")]
    together = write_board(parts, tmp_path / "parts", bootstrap=10)
    alone = write_board([save(scores, tmp_path)], tmp_path / "whole", bootstrap=10)
    pd.testing.assert_frame_equal(together, alone)


@pytest.mark.parametrize(
    "name", ["NA", "=HYPERLINK(1)", 'quote " comma ,', "line\nbreak", "😀" * 40, "rank", "image"]
)
def test_any_name_is_data(name: str, tmp_path: Path) -> None:
    scores = make_scores().replace({"algorithm": {"algorithm 1": name}})
    write_board([save(scores, tmp_path)], tmp_path, bootstrap=10)
    for table in TABLES[:1] + TABLES[2:5]:
        rows = pd.read_csv(tmp_path / f"{table}.csv", keep_default_na=False, dtype=str)
        assert name in set(rows["better" if table == "significance" else "algorithm"])


@pytest.mark.parametrize("scheme", ["mean-then-rank", "rank-then-median", "test-then-rank"])
def test_other_schemes_average_the_two_ranks(scheme: str, tmp_path: Path) -> None:
    board = write_board([save(make_scores(), tmp_path)], tmp_path, scheme=scheme, bootstrap=5)
    schemes = pd.read_csv(tmp_path / "schemes.csv").query("scheme == @scheme")
    ranks = schemes.pivot(index="algorithm", columns="metric", values="rank")
    mean = (ranks["f1"] + ranks["rank_runtime"]) / 2
    assert board.set_index("algorithm")["mean_rank"].to_dict() == mean.to_dict()


@pytest.mark.parametrize(("algorithms", "images"), [(1, 1), (1, 5), (2, 1)])
def test_tiny_boards(algorithms: int, images: int, tmp_path: Path) -> None:
    scores = make_scores(algorithms, images)
    board = write_board([save(scores, tmp_path)], tmp_path, bootstrap=10)
    assert board["rank"].tolist() == list(range(1, algorithms + 1))
