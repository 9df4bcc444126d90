"""Damaged tables of a board: one line names the file and the line, without the words of a library."""

import re
import shutil
from pathlib import Path

import pytest
from boards import bind_again, make_scores

from cellbench.boards import write_board
from cellbench.boards.reading import read_board
from cellbench.boards.robustness import read_robustness
from cellbench.cli import main
from cellbench.errors import ScoresError

HEADER = "algorithm,kind,severity,image,f1\n"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("board")
    make_scores().to_csv(folder / "scores.csv", index=False)
    write_board([folder / "scores.csv"], folder, bootstrap=5)
    return folder


@pytest.fixture
def board(written: Path, tmp_path: Path) -> Path:
    shutil.copytree(written, tmp_path / "board")
    return tmp_path / "board"


MORE = "line 2 has more values than the first line has columns"
ROW = r"\A(.*\n.*)"  # the header and the first row
CLUSTER = r"\A(.*\n.*,)\d+\b"  # the header and the first number


@pytest.mark.parametrize(
    ("table", "pattern", "new", "message"),
    [
        ("ranks", ROW, r"\1,x", MORE),
        ("schemes", r"\n", '\n"', "line 2: a double quote is not closed"),
        ("clusters", CLUSTER, r"\g<1>1.5", "line 2: cluster is not a whole number"),
        ("clusters", CLUSTER, r"\1", "line 2: cluster is empty"),
        ("clusters", CLUSTER, r"\1one", "line 2: cluster is not a number: 'one'"),
        ("significance", "False|True", "no", "line 2: significant is neither True nor False"),
        ("consensus", ROW, r"\1,x", MORE),
        ("consensus", ",DIC", "", "has 4 columns in place of 5"),
        ("values", "algorithm", "team", "these columns are missing: algorithm"),
    ],
)
def test_the_line_is_named(
    table: str,
    pattern: str,
    new: str,
    message: str,
    board: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = board / f"{table}.csv"
    path.write_text(re.sub(pattern, new, path.read_text(), count=1))
    bind_again(board)
    assert main(["report", str(board)]) == 1
    line = capsys.readouterr().err
    assert line.startswith(f"cellbench: {path}: {message}"), line
    assert line.endswith("; run cellbench rank again\n")
    assert line.count("\n") == 1


def test_tables_without_rows_are_named(board: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in sorted(board.glob("*.csv")):
        content = path.read_text()
        path.write_text(content.splitlines()[0] + "\n")
        bind_again(board)
        if path.name in ("scores.csv", "significance.csv", "outranking.csv"):
            read_board(board)  # one algorithm makes no pair; the scores are not read
        else:
            assert main(["report", str(board)]) == 1
            line = capsys.readouterr().err
            assert line == f"cellbench: {path}: has no rows; run cellbench rank again\n"
        path.write_text(content)


def test_an_algorithm_may_be_called_na_and_any_number_keeps_its_digits(tmp_path: Path) -> None:
    scores = make_scores()
    scores["algorithm"] = scores["algorithm"].replace("algorithm 0", "NA")
    scores.to_csv(tmp_path / "scores.csv", index=False)
    leaderboard = write_board([tmp_path / "scores.csv"], tmp_path, bootstrap=5)
    read = read_board(tmp_path)
    assert "NA" in set(read.leaderboard["algorithm"])
    assert read.leaderboard["mean_f1"].tolist() == leaderboard["mean_f1"].tolist()
    assert read.consensus is not None
    assert "NA" in set(read.consensus["algorithm"])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ('a,unchanged,0,"i,0.5\n', "line 2: a double quote is not closed"),
        ("a,unchanged,0,i,0.5\na,jpeg,1,i,0.5,7\n", "line 3 has more values than the first line"),
        ("a,unchanged,0,i,half\n", "line 2: f1 is not a number: 'half'"),
        ("a,unchanged,0.5,i,1\n", "line 2: severity is not a whole number"),
        ("", "has no rows"),
    ],
)
def test_a_damaged_table_of_robustness(rows: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "robustness.csv").write_text(HEADER + rows)
    with pytest.raises(ScoresError) as caught:
        read_robustness(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'robustness.csv'}: {message}")
    assert str(caught.value).endswith("; run `cellbench robustness` again")
