"""The journal of finished images."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from cellbench.evaluation import journal
from cellbench.evaluation.journal import Journal


def test_the_journal_survives_garbage(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_text('nonsense\n["key", [{"f1": 1.0}]]\n["cut')
    book = Journal(path)
    assert book.get("key") == [{"f1": 1.0}]
    assert book.get("cut") is None
    book.add("next", [{"f1": 0.5}])
    assert Journal(path).get("next") == [{"f1": 0.5}]


@pytest.mark.parametrize(
    "line",
    [b'[["list"], 1]', b"\xff", b"[" * 100_000, b"[1, 2]"],
    ids=["list", "byte", "deep", "number"],
)
def test_lines_of_others_are_left_out(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "journal"
    path.write_bytes(line + b'\n["key", 1]')
    assert Journal(path).values() == [1]


def test_a_line_that_is_too_long_is_not_held_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_LONGEST_LINE", 1 << 20)
    path = tmp_path / "journal"
    Journal(path).add("key", 1)
    with path.open("ab") as file:
        file.truncate(200 << 20)
    Journal(path).add("next", 2)
    tracemalloc.start()
    assert Journal(path).values()[-1] == 2
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 << 20


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.unlink(),
        lambda path: path.rename(path.with_name("moved")),
        lambda path: path.with_name("other").replace(path),
    ],
    ids=["removed", "moved", "replaced"],
)
def test_nothing_is_lost_with_the_file(tmp_path: Path, change: Callable[[Path], object]) -> None:
    path = tmp_path / "journal"
    (tmp_path / "other").write_text('["first", "forged"]')
    book = Journal(path)
    book.add("first", 1)
    change(path)
    book.add("second", 2)
    assert Journal(path).values() == [1, 2]
    book.add("third", 3)
    assert Journal(path).values() == [1, 2, 3]
