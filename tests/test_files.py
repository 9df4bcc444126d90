"""Files are written whole or not at all, and found by stem."""

import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellbench.boards.text_table import write_text
from cellbench.csv_tables import write_rows
from cellbench.errors import DatasetError, ScoresError, WriteError
from cellbench.files import (
    files_by_stem,
    remove_abandoned_files,
    remove_partial_files,
    written_whole,
)
from cellbench.labels import write_labels
from cellbench.locks import locked_folder


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
    message = r"table\.csv: cannot be written \(No such file or directory\); check the path"
    with pytest.raises(WriteError, match=message), written_whole(tmp_path / "table.csv"):
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


def test_a_carriage_return_in_a_name_is_refused(tmp_path: Path) -> None:
    """The tables of a run could not be read again."""
    (tmp_path / "a\rb.png").touch()
    with pytest.raises(
        DatasetError, match=r"a\\rb.png': the name has a line break; rename the file$"
    ):
        files_by_stem(tmp_path, [".png"], DatasetError)


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


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Let no file grow beyond 4096 bytes, which fails like a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


LARGE = np.random.default_rng(0).integers(0, 1000, (200, 200))
WRITERS: dict[str, Callable[[Path], None]] = {
    "a label map": lambda path: write_labels(path, LARGE),
    "a table": lambda path: write_rows(path, ["a"], [{"a": "x" * 99}] * 99),
    "a data frame": lambda path: write_text(pd.DataFrame({"a": ["x" * 99] * 99}), path),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_is_one_line_and_the_old_file_stays(name: str, tmp_path: Path) -> None:
    path = tmp_path / "out.tiff"
    path.write_text("old")
    with pytest.raises(WriteError) as error:
        WRITERS[name](path)
    assert str(error.value).startswith(f"{path}: cannot be written (")
    assert "run the same command again" in str(error.value)
    assert "\n" not in str(error.value)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_no_space_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with pytest.raises(WriteError) as error, written_whole(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert str(error.value) == (
        f"{path}: cannot be written (No space left on device); free some disk space and run the same "
        "command again"
    )


def test_a_fault_of_another_file_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"), written_whole(tmp_path / "a.csv"):
        (tmp_path / "absent").read_text()


def test_a_parent_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    for path in (tmp_path / "a" / "b.csv", tmp_path / "a" / "b" / "c.csv"):
        with pytest.raises(WriteError, match=f"{path}: cannot be written "), written_whole(path):
            pass


def test_partial_files_are_removed(tmp_path: Path) -> None:
    for name in (".a.7.partial.tif", ".b.c.99.partial", "a.tif", ".hidden"):
        (tmp_path / name).touch()
    remove_partial_files(tmp_path)
    remove_partial_files(tmp_path / "absent")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "a.tif"]


def test_only_files_of_ended_processes_are_abandoned(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    names = [f".scores{end}.{ended.pid}.partial.csv" for end in ("", "_cells")]
    kept = [f".scores.{os.getpid()}.partial.csv", f".other.{ended.pid}.partial.csv", "scores.csv"]
    for name in [*names, *kept]:
        (tmp_path / name).touch()
    remove_abandoned_files(tmp_path / "scores.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_a_folder_is_locked_until_its_process_ends(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    code = (
        "import sys; from pathlib import Path; from cellbench.locks import locked_folder\n"
        "with locked_folder(Path(sys.argv[1]), ValueError): print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline()
        message = f"{folder}: another cellbench process is writing to this folder; wait until"
        with pytest.raises(ScoresError, match=message), locked_folder(folder, ScoresError):
            pass
        other.kill()
    with locked_folder(folder, ScoresError):
        assert list(folder.iterdir()) == []
    with locked_folder(folder, ScoresError):  # it can be locked again
        pass
