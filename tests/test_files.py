"""Files are written whole or not at all, and found by stem."""

from pathlib import Path

import pytest

from cellbench.errors import DatasetError
from cellbench.files import files_by_stem, written_whole


def test_the_new_file_replaces_the_old(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "table.csv"
    for text in ("old", "new"):
        with written_whole(path) as temporary:
            assert temporary.suffix == ".csv"
            assert temporary.parent == path.parent
            temporary.write_text(text)
            assert not path.exists() or path.read_text() == "old"
        assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("before", [None, "old"])
def test_a_failed_block_leaves_nothing_behind(before: str | None, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    if before:
        path.write_text(before)

    def fail() -> None:
        with written_whole(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [file.read_text() for file in tmp_path.iterdir()] == ([before] if before else [])


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), written_whole(tmp_path / "table.csv"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_partial_file_is_not_found_by_stem(tmp_path: Path) -> None:
    with written_whole(tmp_path / "a.tif") as temporary:
        temporary.touch()
        assert files_by_stem(tmp_path, [".tif"], DatasetError) == {}


@pytest.mark.parametrize(
    ("names", "ending", "stems"),
    [
        ([], "", []),
        (["b.tif", "a.TIF"], "", ["a", "b"]),
        (["a.tif", "a.txt", "tif", ".tif", ".a.tif"], "", ["a"]),
        (["a.b.tif", "a.c.tif"], "", ["a.b", "a.c"]),
        (["a_label.tif", "a.tif", "b_label_label.tif"], "_label", ["a", "b_label"]),
        (["A.tif", "a.tif"], "", ["A", "a"]),
    ],
)
def test_files_by_stem(names: list[str], ending: str, stems: list[str], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).touch()
    found = files_by_stem(tmp_path, (".tif",), DatasetError, ending=ending)
    assert list(found) == stems
    assert all(path.is_file() for path in found.values())


def test_subfolders_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.tif").mkdir()
    (tmp_path / "a.png").touch()
    assert files_by_stem(tmp_path, (".tif", ".png"), DatasetError) == {"a": tmp_path / "a.png"}


def test_one_stem_twice_and_no_folder(tmp_path: Path) -> None:
    for name in ("a.tif", "a.png"):
        (tmp_path / name).touch()
    with pytest.raises(DatasetError, match=r"a\.tif: has the same stem as a\.png; rename"):
        files_by_stem(tmp_path, (".tif", ".png"), DatasetError)
    for path in (tmp_path / "absent", tmp_path / "a.tif"):
        with pytest.raises(DatasetError, match=f"{path}: no such folder"):
            files_by_stem(path, (".tif",), DatasetError)
