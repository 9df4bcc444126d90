"""Figures of a board: written, the same twice, and whole for every kind of board."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cellbench.errors import ScoresError
from cellbench.ranking import write_board
from cellbench.report import draw_board
from cellbench.report.style import short_name
from cellbench.report.tau import draw_kendall_tau

FIGURES = ["f1_by_algorithm.png", "f1_by_algorithm.svg", "kendall_tau.png", "kendall_tau.svg"]


def make_board(folder: Path, names: list[str], images: int = 6, *, timed: bool = True) -> Path:
    rng = np.random.default_rng(0)
    rows = [
        (name, f"image{i}", ["DIC", ""][i % 2], 0.5, rng.random(), i, i if timed else None, "ok")
        for name in names
        for i in range(images)
    ]
    columns = [
        "algorithm",
        "image",
        "modality",
        "threshold",
        "f1",
        "runtime_s",
        "rank_runtime_s",
        "status",
    ]
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=columns).to_csv(folder / "scores.csv", index=False)
    write_board([folder / "scores.csv"], folder, bootstrap=20)
    return folder


def is_drawn(path: Path) -> bool:
    """Say whether a figure is more than white."""
    if path.suffix == ".svg":
        return b"<path" in path.read_bytes() and path.read_bytes().endswith(b"</svg>\n")
    return len(Image.open(path).convert("L").getcolors() or []) > 20


@pytest.mark.parametrize(
    ("names", "images", "timed"),
    [
        (["alone"], 1, True),
        (["a", "b"], 3, True),
        (["a", "b", "c"], 6, False),
        (["$x_1$ <script>", "😀" * 99, "a\nb", "NA", "--> $"], 3, True),
    ],
)
def test_figures(names: list[str], images: int, timed: bool, tmp_path: Path) -> None:
    board = make_board(tmp_path, names, images, timed=timed)
    paths = draw_board(board)
    assert sorted(path.name for path in paths) == FIGURES
    assert all(is_drawn(path) for path in paths)


def test_same_board_same_bytes(tmp_path: Path) -> None:
    boards = [make_board(tmp_path / name, ["a", "b", "c"]) for name in ("one", "two")]
    for first, second in zip(*(draw_board(board) for board in boards), strict=True):
        assert first.read_bytes() == second.read_bytes()
        assert b"20" + b"26-" not in first.read_bytes()


@pytest.mark.parametrize(
    "tau",
    [
        pytest.param([np.nan] * 5, id="undefined"),
        pytest.param([1.0] * 5, id="constant"),
        pytest.param([-1.0, 1.0, 1.0], id="two algorithms"),
        pytest.param([np.nan, 0.5, 1.0], id="undefined once"),
        pytest.param([], id="no samples"),
    ],
)
def test_any_tau(tau: list[float], tmp_path: Path) -> None:
    table = pd.DataFrame(
        [
            (metric, scheme, sample, value)
            for metric in ("f1", "rank_runtime", "challenge", "other")
            for scheme in ("rank-then-mean", "mean-then-rank")
            for sample, value in enumerate(tau)
        ],
        columns=["metric", "scheme", "sample", "tau"],
    )
    assert all(is_drawn(path) for path in draw_kendall_tau(table, tmp_path / "tau.v1"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tau.v1.png", "tau.v1.svg"]


def test_scores_from_elsewhere(tmp_path: Path) -> None:
    board = make_board(tmp_path / "board", ["a", "b"])
    scores = (board / "scores.csv").rename(tmp_path / "scores.csv")
    assert len(draw_board(board, [scores])) == 4
    with pytest.raises(ScoresError, match="no such file"):
        draw_board(board)


@pytest.mark.parametrize("name", ["leaderboard.csv", "kendall_tau.csv"])
@pytest.mark.parametrize("content", [None, "", "tau,rank\nx,x\n", "a,b\n1,2\n"])
def test_damaged_tables(name: str, content: str | None, tmp_path: Path) -> None:
    board = make_board(tmp_path, ["a", "b"])
    (board / name).unlink()
    if content is not None:
        (board / name).write_text(content)
    with pytest.raises(ScoresError, match=name):
        draw_board(board)


def test_short_names_keep_both_ends() -> None:
    assert short_name("plain") == "plain"
    assert short_name("x" * 50 + " tail\n").endswith("xxx tail")
    assert len(short_name("y" * 300)) == 34
