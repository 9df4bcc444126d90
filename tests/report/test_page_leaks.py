"""The page marks algorithms that were trained on test images, as their entries and the leaks say."""

from pathlib import Path

import pytest
import yaml
from pages import scores_of

from cellbench.boards import write_board
from cellbench.boards.reading import BoardTables, read_board
from cellbench.cli import main
from cellbench.errors import UsageError
from cellbench.report.page import read_leaks, write_page

LEAKS = """image,other,kind,distance
data/mine/test/images/cell0.png,data/cells/train/images/x.png,same,0.0000
data/mine/test/images/cell2.png,data/cells/tune/images/y.png,crop,0.1200
data/other/test/images/z.png,data/cells/train/images/x.png,crop,0.1000
"""


@pytest.fixture
def board(tmp_path: Path) -> BoardTables:
    """Algorithms a (trained on Cells and DSB), b (trained on DSB) and c (states nothing), four images."""
    trained = {"a": ["Cells", "DSB"], "b": ["DSB"]}
    for name, datasets in trained.items():
        entry = {"name": name, "trained_on": datasets}
        (tmp_path / name).mkdir()
        (tmp_path / name / "entry.yaml").write_text(yaml.safe_dump(entry))
    scores_of(["a", "b", "c"], [f"cell{i}" for i in range(4)]).to_csv(
        tmp_path / "scores.csv", index=False
    )
    entries = [tmp_path / name / "entry.yaml" for name in trained]
    write_board([tmp_path / "scores.csv"], tmp_path / "board", entries=entries, bootstrap=5)
    return read_board(tmp_path / "board")


def test_who_was_trained_on_test_images_is_marked(board: BoardTables, tmp_path: Path) -> None:
    (tmp_path / "cells.csv").write_text(LEAKS)
    (tmp_path / "dsb.csv").write_text(LEAKS.splitlines()[0] + "\n")
    notes = read_leaks(board, {"cells": tmp_path / "cells.csv", "DSB": tmp_path / "dsb.csv"})
    assert notes == {"a": "2 of 4 test images also in cells"}
    both = read_leaks(board, {"dsb": tmp_path / "cells.csv", "Cells": tmp_path / "cells.csv"})
    assert both == {
        "a": "2 of 4 test images also in dsb; 2 of 4 test images also in Cells",
        "b": "2 of 4 test images also in dsb",
    }
    page = write_page(board, [], leaks=notes).read_text(encoding="utf-8")
    note = "trained on Cells; DSB; 2 of 4 test images also in cells"
    assert page.count(f'<span class="detail">{note}</span>') >= 1
    assert "test images also in" not in write_page(board, []).read_text(encoding="utf-8")


def test_a_dataset_that_no_entry_names(board: BoardTables, tmp_path: Path) -> None:
    (tmp_path / "leaks.csv").write_text(LEAKS)
    message = (
        "--leaks cell: no entry states that it was trained on this dataset; .* name Cells, DSB"
    )
    with pytest.raises(UsageError, match=message):
        read_leaks(board, {"cell": tmp_path / "leaks.csv"})


def test_the_option_names_dataset_and_file(
    board: BoardTables, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(board.folder), "--leaks", "leaks.csv"]) == 2
    assert "'leaks.csv': write DATASET=CSV" in capsys.readouterr().err
    assert main(["report", str(board.folder), "--leaks", "DSB=absent.csv"]) == 1
    assert "absent.csv" in capsys.readouterr().err
