"""Figures of a board: all there, the same twice, and whole for every kind of board."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image
from random_boards import make_board

from cellbench.boards import Columns, write_board
from cellbench.boards.reading import read_board
from cellbench.errors import ScoresError
from cellbench.report import draw_board
from cellbench.report.figures.captions import FIGURES
from cellbench.report.figures.style import house_style, save, short_name

NAMES = [caption.name for caption in FIGURES]
DATE = re.compile(rb"(19|20)\d\d-[01]\d-[0-3]\d|<dc:date>|tIME|Creation Time")
HOSTILE = ["$x_1$ <script>", "😀" * 99, "a\nb", "NA", "--> $", "y" * 300, "\u202egnitset"]


def is_drawn(path: Path) -> bool:
    """Return whether a figure is more than white."""
    if path.suffix == ".svg":
        return b"<path" in path.read_bytes() and path.read_bytes().endswith(b"</svg>\n")
    return len(Image.open(path).convert("L").getcolors() or []) > 10


def of_whole(paths: list[Path], board: Path) -> list[str]:
    """Name the figures of the board itself, in their order."""
    return [path.stem for path in paths if path.parent == board and path.suffix == ".svg"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "images", "modalities", "timed", "lacking"),
    [
        pytest.param(
            ["alone"],
            1,
            ["DIC"],
            True,
            {"values_by_modality", "value_and_runtime"},
            id="one that fails",
        ),
        pytest.param(
            ["a", "b", "c"],
            6,
            ["DIC"],
            False,
            {"values_by_modality", "value_and_runtime"},
            id="no times",
        ),
        pytest.param(HOSTILE, 10, ["../<b>$", "😀\n"], True, set(), id="hostile names"),
    ],
)
def test_figures(
    names: list[str],
    images: int,
    modalities: list[str],
    timed: bool,
    lacking: set[str],
    tmp_path: Path,
) -> None:
    board = make_board(tmp_path, names, images, modalities=modalities, timed=timed, failed=1)
    paths = draw_board(board)
    assert of_whole(paths, board) == [name for name in NAMES if name not in lacking]
    assert all(is_drawn(path) for path in paths)
    folders = read_board(board).modalities.values()
    assert {path.parent for path in paths} == {board, *folders}
    for folder in folders:
        drawn = {path.name for path in paths if path.parent == folder}
        assert drawn == {
            f"{name}.{suffix}"
            for name in ("values_by_algorithm", "rank_stability")
            for suffix in ("png", "svg")
        }


@pytest.mark.parametrize("f1", [0.0, 0.5])
def test_all_equal(f1: float, tmp_path: Path) -> None:
    board = make_board(tmp_path, ["a", "b", "c"], 4, f1=f1, modalities=["DIC"], timed=f1 > 0)
    assert all(is_drawn(path) for path in draw_board(board))


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["worst", 3.0])
def test_other_values(missing: str | float, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows = [
        (name, case, rng.lognormal(0, 6), case % 2)
        for name in "abcd"
        for case in range(8)
        if name != "d" or case > 5  # most of them missing
    ]
    table = pd.DataFrame(rows, columns=["method", "case", "error $m^2$", "scanner"])
    table.to_csv(tmp_path / "errors.csv", index=False)
    columns = Columns(
        case="case",
        algorithm="method",
        value="error $m^2$",
        modality="scanner" if missing == "worst" else None,
        higher_is_better=False,
        missing=missing,
    )
    write_board([tmp_path / "errors.csv"], tmp_path / "board", bootstrap=20, columns=columns)
    paths = draw_board(tmp_path / "board")
    lacking = {"value_and_runtime", *(() if missing == "worst" else ("values_by_modality",))}
    assert of_whole(paths, tmp_path / "board") == [name for name in NAMES if name not in lacking]
    assert all(is_drawn(path) for path in paths)


@pytest.mark.slow
def test_same_board_same_bytes(tmp_path: Path) -> None:
    memory = pd.Series({"a": 2000.0, "c": 9000.0})
    boards = [make_board(tmp_path / name, ["a", "b", "c"]) for name in ("one", "two")]
    drawn = [draw_board(board, memory) for board in boards]
    assert of_whole(drawn[0], boards[0]) == NAMES
    for first, second in zip(*drawn, strict=True):
        assert first.read_bytes() == second.read_bytes()
        assert DATE.search(first.read_bytes()) is None
        assert str(tmp_path).encode() not in first.read_bytes()


def test_a_date_would_be_noticed(tmp_path: Path) -> None:
    Figure().savefig(tmp_path / "dated.svg")  # matplotlib writes the date unless told not to
    assert DATE.search((tmp_path / "dated.svg").read_bytes())


@pytest.mark.parametrize("name", ["leaderboard", "values", "schemes", "kendall_tau", "sensitivity"])
@pytest.mark.parametrize("content", [None, "", "tau,rank\nx,x\n", "a,b\n1,2\n"])
def test_damaged_tables(name: str, content: str | None, small_board: Path, tmp_path: Path) -> None:
    board = copied(small_board, tmp_path)
    (board / f"{name}.csv").unlink()
    if content is not None:
        (board / f"{name}.csv").write_text(content)
    with pytest.raises(ScoresError, match=rf"{name}\.csv.*run cellbench rank"):
        draw_board(board)


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "[]",
        "{}",
        '{"value": "f1"}',
        '{"modalities": {"x": "../.."}}',
        '{"modalities": 5}',
    ],
)
def test_damaged_record(content: str | None, small_board: Path, tmp_path: Path) -> None:
    board = copied(small_board, tmp_path)
    record = board / "provenance.json"
    facts = record.read_text()
    record.unlink()
    if content is not None and "modalities" in content:
        record.write_text(facts.replace('"dic"', '"../.."' if "x" in content else "5"))
    elif content is not None:
        record.write_text(content)
    with pytest.raises(ScoresError, match=r"provenance\.json.*run cellbench rank"):
        draw_board(board)


@pytest.mark.parametrize(
    "table",
    [
        *("values", "ranks", "schemes", "significance", "clusters", "bootstrap", "intervals"),
        *("outranking", "sensitivity"),
    ],
)
def test_tables_of_two_boards(table: str, small_board: Path, tmp_path: Path) -> None:
    other = make_board(tmp_path / "other", ["x", "y"])
    board = copied(small_board, tmp_path / "board")
    (board / f"{table}.csv").write_bytes((other / f"{table}.csv").read_bytes())
    with pytest.raises(ScoresError, match=rf"{table}\.csv: does not belong .*run cellbench rank"):
        draw_board(board)


def test_tables_as_they_stand(tmp_path: Path) -> None:
    board = read_board(make_board(tmp_path, ["NA", "nan", "1", "a\r\nb", "😀"], failed=2))
    assert set(board.ranking.index) == {"NA", "nan", "1", "a\r\nb", "😀"}
    assert set(board.values["algorithm"]) == set(board.ranking.index)
    assert board.values["status"].eq("failed").sum() == 2
    assert np.isposinf(board.values["rank_runtime_s"]).sum() == 2
    assert board.significance["significant"].dtype == bool
    assert board.consensus is not None
    assert list(board.consensus)[1:-2] == ["", "DIC"]
    assert board.algorithms is not None
    assert list(board.algorithms["algorithm"]) == list(board.ranking.index)


def test_short_names_keep_both_ends() -> None:
    assert short_name("plain") == "plain"
    assert short_name("x" * 50 + " tail\n").endswith("xxx tail")
    assert len(short_name("y" * 300)) == 34
    assert len(short_name("細" * 300)) < 25


def test_dots_in_file_names(small_board: Path, tmp_path: Path) -> None:
    from cellbench.report.figures.tau import plot_kendall_tau

    with house_style():
        save(plot_kendall_tau(read_board(small_board)), tmp_path / "tau.v1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tau.v1.png", "tau.v1.svg"]


def copied(board: Path, folder: Path) -> Path:
    """Copy the files of a board."""
    folder.mkdir(exist_ok=True)
    for path in board.iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.fixture(scope="module")
def small_board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_board(tmp_path_factory.mktemp("small"), ["a", "b"])
