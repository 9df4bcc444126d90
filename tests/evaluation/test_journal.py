"""The journal of finished images."""

from pathlib import Path

from cellbench.evaluation.journal import Journal


def test_the_journal_survives_garbage(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_text('nonsense\n["key", [{"f1": 1.0}]]\n["cut')
    book = Journal(path)
    assert book.get("key") == [{"f1": 1.0}]
    assert book.get("cut") is None
    book.add("next", [{"f1": 0.5}])
    assert Journal(path).get("next") == [{"f1": 0.5}]
