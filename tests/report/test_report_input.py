"""What `cellbench report` refuses: folders that are no board, no dataset or no predictions."""

from pathlib import Path

import pytest
from pages import make_all, scores_of, write_scores

from cellbench.cli import main
from cellbench.errors import CellbenchError, DatasetError, UsageError
from cellbench.report import write_report


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        ({"data": "absent"}, "absent: no such dataset folder"),
        ({"data": "predictions"}, "no images in"),
        ({"predictions": "absent"}, "absent: no such folder"),
        ({"predictions": "data"}, "contains no folder named after an algorithm"),
    ],
)
def test_bad_folders(
    folders: dict[str, str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board, data, predictions = make_all(tmp_path, ["a"], images=1)
    named = {"data": data, "predictions": predictions} | {
        name: tmp_path / folder for name, folder in folders.items()
    }
    options = [word for name, path in named.items() for word in (f"--{name}", str(path))]
    assert main(["report", str(board), *options]) == 1
    message = capsys.readouterr().err
    assert words in message
    assert message.count("\n") == 1


def test_images_of_another_board(tmp_path: Path) -> None:
    _, data, predictions = make_all(tmp_path, ["a"], images=1)
    other = write_scores(tmp_path / "other", scores_of(["a"], ["elsewhere"]))
    with pytest.raises(DatasetError, match="no image of this board"):
        write_report(other, data=data, predictions=predictions)


@pytest.mark.parametrize("option", ["data", "predictions"])
def test_one_folder_without_the_other(option: str, board: Path) -> None:
    with pytest.raises(UsageError, match="both --data and --predictions"):
        write_report(board, **{option: board})
    assert main(["report", str(board), f"--{option}", str(board)]) == 2


def test_a_folder_that_is_no_board(tmp_path: Path) -> None:
    with pytest.raises(CellbenchError, match="run cellbench rank"):
        write_report(tmp_path)


@pytest.mark.parametrize(("name", "what"), [("file", "is a file"), ("nothing", "no such folder")])
def test_a_board_is_a_folder(
    name: str, what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["report", str(tmp_path / name)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{tmp_path / name}: {what}; name the folder of a board" in line
