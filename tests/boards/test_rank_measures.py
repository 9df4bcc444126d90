"""Ranking a table of scores, or of details, by another measure than F1."""

import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from boards import make_scores

from cellbench.boards import write_board
from cellbench.cli import main
from cellbench.errors import ScoresError
from cellbench.evaluation.protocols import get_protocol
from cellbench.evaluation.record import write_record
from cellbench.ranking import challenge_score


def rank(path: Path, measure: str, *more: str) -> Path:
    out = path.parent / "board"
    words = ["rank", str(path), "--measure", measure, "--out", str(out), "--bootstrap", "10"]
    assert main([*words, *more]) == 0
    return out


def save(table: pd.DataFrame, folder: Path) -> Path:
    path = folder / "table.csv"
    table.to_csv(path, index=False)
    return path


@pytest.mark.parametrize(("measure", "higher"), [("dice", True), ("fp", False)])
def test_a_measure_is_ranked_in_its_own_direction(
    measure: str, higher: bool, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    scores = make_scores()
    # What is written for a failure, of no predicted cells: the best number of false positives.
    failed = scores["status"] != "ok"
    scores[measure] = np.where(failed, 0.0, rng.random(len(scores)) + 0.1)
    board = rank(save(scores, tmp_path), measure)
    half = scores[scores["threshold"] == 0.5]
    half = half.assign(measured=half[measure].mask(failed & (not higher), np.inf))
    values, times = (
        half.pivot(index="image", columns="algorithm", values=name)
        for name in ("measured", "rank_runtime_s")
    )
    expected = challenge_score(values, times, decimals=None, higher_is_better=higher)
    found = pd.read_csv(board / "leaderboard.csv").set_index("algorithm").loc[expected.index]
    np.testing.assert_allclose(found["score"], expected["score"], rtol=1e-12)
    np.testing.assert_allclose(found[f"mean_rank_{measure}"], expected["mean_rank_f1"])
    record = json.loads((board / "provenance.json").read_text())
    assert (record["value"], record["higher_is_better"]) == (measure, higher)
    assert record["ranked_on"] == [measure, "rank_runtime"]
    worst = f"{measure} 0" if higher else f"the worst {measure}"
    assert record["failures"] == f"{worst} and an infinite rank runtime, which ties as worst"
    words = shlex.split(record["command"])
    assert words[words.index("--measure") + 1] == measure


def test_failing_earns_nothing(tmp_path: Path) -> None:
    scores = make_scores(algorithms=2, images=3).assign(fp=5.0)
    scores.loc[scores["status"] != "ok", "fp"] = 0.0
    board = rank(save(scores, tmp_path), "fp")
    ranks = pd.read_csv(board / "ranks.csv").query("metric == 'fp' and image == 'image0'")
    assert ranks.set_index("algorithm")["rank"].to_dict() == {"algorithm 0": 1, "algorithm 1": 2}


def test_a_table_of_details_has_neither_thresholds_nor_times(tmp_path: Path) -> None:
    scores = make_scores().query("threshold == 0.5")
    details = scores[["algorithm", "image", "modality", "status"]].assign(pq=scores["f1"])
    board = rank(save(details, tmp_path), "pq")
    found = pd.read_csv(board / "leaderboard.csv")
    values = scores.pivot(index="image", columns="algorithm", values="f1")
    expected = challenge_score(values, None, decimals=None).sort_values("rank")
    assert found["algorithm"].tolist() == expected.index.tolist()
    record = json.loads((board / "provenance.json").read_text())
    assert record["ranked_on"] == ["pq"]
    assert record["ranked_on_reason"].endswith("all are ranked on pq alone")


def test_f1_by_name_is_the_same_board(tmp_path: Path) -> None:
    path = save(make_scores(), tmp_path)
    board = rank(path, "f1")
    write_board([path], tmp_path / "again", bootstrap=10)
    for file in board.glob("*.*"):
        assert file.read_bytes() == (tmp_path / "again" / file.name).read_bytes()


@pytest.mark.parametrize(
    ("measure", "cell", "status", "message"),
    [
        ("nonsense", 0.5, 2, "'nonsense'"),
        ("", None, 2, "''"),
        ("true_cells", 0.5, 2, "'true_cells'"),
        ("pq", None, 1, "has no column 'pq'; rank the table of details"),
        ("dice", -0.5, 1, "line 50: dice is negative"),
        ("dice", "good", 1, "line 50: dice is not a number"),
        ("fp", "inf", 1, "line 50: fp is infinite"),
    ],
)
def test_what_cannot_be_ranked(
    measure: str,
    cell: object,
    status: int,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scores = make_scores()
    if cell is not None:
        scores[measure] = pd.Series(0.5, index=scores.index).astype(object)
        scores.loc[48, measure] = cell  # the first row at threshold 0.5
    path = save(scores, tmp_path)
    assert main(["rank", str(path), "--measure", measure, "--out", str(tmp_path / "b")]) == status
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line


def test_a_table_of_details_has_the_protocol_of_its_scores(tmp_path: Path) -> None:
    half = make_scores().query("threshold == 0.5")
    details = half[["algorithm", "image", "modality", "status"]].assign(pq=half["f1"])
    details.to_csv(tmp_path / "mine_details.csv", index=False)
    write_record(tmp_path / "mine.csv", get_protocol("exact"), [0.5])
    board = rank(tmp_path / "mine_details.csv", "pq")
    assert json.loads((board / "provenance.json").read_text())["protocol"]["name"] == "exact"


def test_details_of_the_first_version_are_refused(tmp_path: Path) -> None:
    """Their F1 has other last digits, and there are no counts to compute it from."""
    half = make_scores().query("threshold == 0.5")
    details = half[["algorithm", "image", "modality", "status"]].assign(f1_75=half["f1"])
    path = save(details, tmp_path).rename(tmp_path / "scores_details.csv")
    (tmp_path / "scores.json").write_text('{"protocol": {"name": "neurips22", "version": 1}}')
    with pytest.raises(
        ScoresError,
        match="neurips22 version 1, but this cellbench has version 2; run cellbench evaluate again",
    ):
        write_board([path], tmp_path, measure="f1_75")
