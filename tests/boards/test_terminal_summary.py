"""What `cellbench rank` prints: it claims no more than the images show, and names who is too slow."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from boards import make_scores

from cellbench.cli import main


def printed(scores: pd.DataFrame, folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    scores.to_csv(folder / "scores.csv", index=False)
    words = ["rank", str(folder / "scores.csv"), "--out", str(folder / "board")]
    assert main([*words, "--bootstrap", "50"]) == 0
    return capsys.readouterr().out.splitlines()


@pytest.fixture
def scores() -> pd.DataFrame:
    """Make a good algorithm that is slow on two of 13 images, and two fast ones of which one fails."""
    table = make_scores(algorithms=3, images=13).query("threshold == 0.5")
    rank = table["algorithm"].str[-1].astype(int)
    image = table["image"].str.removeprefix("image").astype(int)
    slow = (rank == 0) & (image < 2)
    failed = table["status"] != "ok"
    return table.assign(
        f1=np.where(failed, 0.0, 0.9 - 0.2 * rank),
        runtime_s=np.where(slow, 26.0, 7.0),
        tolerance_s=10.0,
        rank_runtime_s=np.where(failed, np.inf, np.where(slow, 16.0, 0.0)),
    )


def test_times_direction_and_claim(
    scores: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(scores, tmp_path, capsys)
    assert lines[0] == (
        f"wrote {tmp_path / 'board/leaderboard.csv'} and the other tables of the board beside it"
    )
    assert lines[1].split() == [
        *("rank", "algorithm", "score", "median_f1", "mean_f1"),
        *("in_time", "median_runtime_s", "failed"),
    ]
    assert [line.split()[6] for line in lines[2:5]] == ["11/13", "13/13", "12/13"]
    assert lines[5:] == [
        "A lower score is better: it is the mean rank divided by the number of algorithms.",
        "algorithm 0 ranks first on 13 images, significantly ahead of algorithm 1, and stays first in "
        "100 % of the bootstrap samples.",
        "algorithm 0 exceeds the time tolerance on 2 of 13 images (median running time 7 s, median "
        "tolerance 10 s).",
    ]


@pytest.mark.parametrize("images", [1, 9])
def test_few_images_establish_nothing(
    images: int, scores: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = scores[scores["image"].isin([f"image{number}" for number in range(2, 2 + images)])]
    text = "\n".join(printed(kept, tmp_path, capsys))
    are = "image is" if images == 1 else "images are"
    assert f"algorithm 0 ranks first, but {images} {are} too few to tell it apart from" in text
    assert "stays first" not in text
    assert "exceeds the time tolerance" not in text


def test_without_times_nothing_is_said_of_them(
    scores: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    never = scores.assign(runtime_s=np.nan, rank_runtime_s=np.nan)
    text = "\n".join(printed(never, tmp_path, capsys))
    assert "in_time" not in text
    assert "tolerance" not in text


def test_a_long_board_says_how_many_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = make_scores(algorithms=12, images=3)
    lines = printed(scores.assign(f1=scores["f1"].abs()), tmp_path, capsys)
    assert "… and 2 more in leaderboard.csv" in lines
