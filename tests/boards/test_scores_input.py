"""What a board accepts as scores: columns, numbers, digits of F1, and the record beside them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from boards import make_scores, save

from cellbench.boards import write_board
from cellbench.errors import ScoresError
from cellbench.evaluation.protocols import get_protocol
from cellbench.evaluation.record import write_record


def test_the_protocol_comes_from_the_record_beside_the_scores(tmp_path: Path) -> None:
    scores = make_scores()
    ok = scores.status == "ok"
    scores.loc[ok, "f1"] = 0.5 + scores.loc[ok, "algorithm"].str[-1].astype(int) * 1e-6
    path = save(scores, tmp_path)
    rounded = write_board([path], tmp_path, bootstrap=5)
    write_record(path, get_protocol("exact"), [0.5])
    exact = write_board([path], tmp_path, bootstrap=5)
    record = json.loads((tmp_path / "provenance.json").read_text())["protocol"]
    assert (record["name"], record["version"], record["tile_size"]) == ("exact", 1, None)
    assert not rounded["mean_rank_f1"].equals(exact["mean_rank_f1"])


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ('{"protocol": {"name": "ours", "version": 1}}', "'ours': unknown"),
        (
            '{"protocol": {"name": "exact", "version": 0}}',
            "exact version 0, but this cellbench has version 1",
        ),
        ("{}", "does not name a protocol"),
    ],
)
def test_a_record_that_cannot_be_used(record: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "scores.json").write_text(record)
    with pytest.raises(ScoresError, match=message):
        write_board([save(make_scores(), tmp_path)], tmp_path)


def test_scores_of_two_protocols_are_ranked_apart(tmp_path: Path) -> None:
    paths = []
    for name in ("neurips22", "exact"):
        scores = make_scores()
        paths.append(save(scores.assign(algorithm=name + scores.algorithm), tmp_path / name))
        write_record(paths[-1], get_protocol(name), [0.5])
    with pytest.raises(ScoresError, match="exact and neurips22; rank the scores of each protocol"):
        write_board(paths, tmp_path)


def without_column(scores: pd.DataFrame) -> pd.DataFrame:
    return scores.drop(columns=["f1", "status"])


def with_cell(column: str, value: object) -> object:
    def change(scores: pd.DataFrame) -> pd.DataFrame:
        changed = scores.astype({column: object})
        # The first row at threshold 0.5: line 50 of the file.
        changed.loc[(scores.threshold == 0.5).idxmax(), column] = value
        return changed

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_column, "these columns are missing: status, f1"),
        (lambda scores: scores.iloc[:0], "no rows at IoU threshold 0.5"),
        (lambda scores: scores[scores.threshold == 0.7], "no rows at IoU threshold 0.5"),
        (lambda scores: scores.drop(index=[48, 49]), "'algorithm 0' has no row for 2 of 12 images"),
        (
            lambda scores: pd.concat([scores, scores.iloc[[50]]]),
            "line 98: this algorithm has a row for the image already",
        ),
        (
            lambda scores: pd.concat([scores, scores[["tp"]] + 1], axis=1),
            "the column 'tp' occurs twice; keep one of them",
        ),
        (with_cell("f1", 1.5), "line 50: f1 is not between 0 and 1"),
        (with_cell("f1", -0.1), "line 50: f1 is not between 0 and 1"),
        (with_cell("f1", ""), "line 50: f1 is not between 0 and 1"),
        (with_cell("f1", "good"), "line 50: f1 is not a number"),
        (with_cell("threshold", "half"), "line 50: threshold is not a number"),
        (with_cell("runtime_s", -1), "line 50: runtime_s is negative"),
        (with_cell("rank_runtime_s", -1), "line 50: rank_runtime_s is negative"),
        (
            with_cell("tolerance_s", 0.5),
            "line 50: rank_runtime_s is not the part of runtime_s above",
        ),
        (with_cell("status", "failed"), "line 50: the status is not ok, so f1 must be 0"),
        (with_cell("status", "OK"), "line 50: the status is not one of ok, missing, unreadable"),
        (with_cell("algorithm", ""), "line 50: the algorithm is empty"),
        (with_cell("image", ""), "line 50: the image is empty"),
    ],
)
def test_bad_scores(change: object, message: str, tmp_path: Path) -> None:
    path = save(change(make_scores()), tmp_path)
    with pytest.raises(ScoresError, match=message) as caught:
        write_board([path], tmp_path / "board")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "board").exists()


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n\x00\xff", b'a,b\n"1,2', b"a,b\n1,2,3\n1,2,3,4,5\n"]
)
def test_not_a_table(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_bytes(content)
    with pytest.raises(ScoresError, match=r"scores\.csv"):
        write_board([path], tmp_path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ScoresError, match="no such file"):
        write_board([tmp_path / "scores.csv"], tmp_path)
    with pytest.raises(ScoresError, match="at least one"):
        write_board([], tmp_path)
    with pytest.raises(ScoresError, match=r"twice|second"):
        write_board([save(make_scores(), tmp_path)] * 2, tmp_path)


@pytest.mark.parametrize("digits", [4, 6, 12, 16])
def test_f1_has_all_its_digits_again(digits: int, tmp_path: Path) -> None:
    """21 of 24 cells with 40 predicted: the official script writes 0.6563, but 0.65625 is 0.6562."""
    scores = make_scores(algorithms=2, images=3)
    scores["status"], scores["rank_runtime_s"] = "ok", 0.0
    scores[["true_cells", "predicted_cells", "tp"]] = (24, 40, 21)
    scores["f1"] = round(42 / 64, digits)
    other = scores["algorithm"] == "algorithm 1"
    scores.loc[other, ["tp", "f1"]] = (np.nan, 0.6563)
    board = write_board([save(scores, tmp_path)], tmp_path, bootstrap=5)
    assert board["rank"].tolist() == [1, 1]
    values = pd.read_csv(tmp_path / "values.csv")["f1"]
    assert values.round(4).tolist() == [0.6563] * 6


def test_f1_that_contradicts_the_counts_stays(tmp_path: Path) -> None:
    scores = make_scores(algorithms=1, images=2)
    scores["status"], scores["f1"], scores["rank_runtime_s"] = "ok", 0.25, 0.0
    scores[["true_cells", "predicted_cells", "tp"]] = (24, 40, 21)
    write_board([save(scores, tmp_path)], tmp_path, bootstrap=5)
    assert set(pd.read_csv(tmp_path / "values.csv")["f1"]) == {0.25}


def test_scores_of_the_first_version_can_still_be_ranked(tmp_path: Path) -> None:
    """Its counts are the same, and only they decide F1."""
    (tmp_path / "scores.json").write_text('{"protocol": {"name": "neurips22", "version": 1}}')
    write_board([save(make_scores(), tmp_path)], tmp_path, bootstrap=5)
    assert json.loads((tmp_path / "provenance.json").read_text())["protocol"]["version"] == 2
