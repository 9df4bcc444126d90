"""Where a site is written: whole or not at all, never over anything else. Wrong usage is one line."""

import shutil
from pathlib import Path

import pytest
from boards import files
from pages import scores_of, write_scores

from cellbench.boards.reading import read_board
from cellbench.cli import main
from cellbench.errors import ScoresError
from cellbench.report.page import write_page
from cellbench.report.site import write_site


@pytest.fixture
def boards(board: Path, tmp_path: Path) -> Path:
    copy = Path(shutil.copytree(board, tmp_path / "boards" / "cells"))
    write_page(read_board(copy), [])
    return copy.parent


def message(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    status = main(["report", *map(str, words)])
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return status, error


def test_other_folders_are_not_replaced(
    boards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    status, error = message(capsys, "--site", boards, "--out", out)
    assert status == 2
    assert "exists and is not a site that cellbench wrote; choose another folder" in error
    (out / "site.json").write_text("{}")
    assert "is not the record of a site" in message(capsys, "--site", boards, "--out", out)[1]
    assert (out / "thesis.txt").read_text() == "mine"


def test_files_that_were_added_are_not_lost(
    boards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "site"
    assert main(["report", "--site", str(boards), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"wrote {out / 'index.html'}\n"
    (out / ".git").mkdir()
    (out / ".git" / "HEAD").write_text("ref")
    status, error = message(capsys, "--site", boards, "--out", out)
    assert status == 2
    assert "contains .git/HEAD, which cellbench did not write" in error
    assert (out / ".git" / "HEAD").is_file()


def test_an_algorithm_that_left_has_no_page(boards: Path, tmp_path: Path) -> None:
    out = write_site(boards, tmp_path / "site").parent
    assert (out / "algorithms/third.html").is_file()
    write_scores(boards / "cells", scores_of(["first", "second"], ["x", "y"]))
    write_page(read_board(boards / "cells"), [])
    write_site(boards, out)
    assert {path.stem for path in (out / "algorithms").iterdir()} == {"first", "second"}
    assert {path.name for path in tmp_path.iterdir()} == {"boards", "site"}


def test_a_failure_leaves_the_site_as_it_was(
    boards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = write_site(boards, tmp_path / "site").parent
    before = files(out)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cellbench.report.site.writing.write_record", full)
    with pytest.raises(ValueError, match=r"site: cannot be written \(No space left on device\)"):
        write_site(boards, out, title="Another")
    assert files(out) == before
    assert {path.name for path in tmp_path.iterdir()} == {"boards", "site"}


def test_bad_boards_are_one_line(
    boards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "site"
    half = boards / "half"
    half.mkdir()
    shutil.copy(boards / "cells/leaderboard.csv", half)
    status, error = message(capsys, "--site", boards, "--out", out)
    assert status == 1
    assert f"{half}/provenance.json" in error
    shutil.rmtree(half)
    table = boards / "cells/leaderboard.csv"
    table.write_text(table.read_text() + "\n")
    status, error = message(capsys, "--site", boards, "--out", out)
    assert status == 1
    assert "leaderboard.csv: does not belong to the other files of this board" in error
    assert not out.exists()


def test_folders_that_contain_no_board(boards: Path, tmp_path: Path) -> None:
    for folder, words in (
        (tmp_path / "none", "no such folder"),
        (boards / "cells", "is itself a board"),
        (boards / "cells" / "scores.csv", "is a file"),
        (tmp_path, "contains no board"),
    ):
        with pytest.raises(ScoresError, match=words):
            write_site(folder, tmp_path / "site")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "name the folder of a board, or use --site and --out"),
        (["--site", "boards"], "--out is missing"),
        (["board", "--out", "site"], "--out is an option of --site"),
        (["board", "--site", "boards", "--out", "site"], "leave the board out"),
        (["--site", "boards", "--out", "o", "--about", "a.md"], "--about is not used for a site"),
        (["--site", "boards", "--out", "o", "--date", "2026-01-02"], "--date is not used"),
    ],
)
def test_wrong_usage(words: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, error = message(capsys, *words)
    assert status == 2
    assert expected in error


def test_the_site_is_not_written_into_a_board(
    boards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for out in (boards, boards / "cells" / "site"):
        status, error = message(capsys, "--site", boards, "--out", out)
        assert status == 2
        assert "overlaps the board" in error
