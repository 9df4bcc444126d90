"""A ranking that is killed: the board is the old one, the new one, or refused; never a mixture."""

import contextlib
import json
import random
import shutil
from pathlib import Path

import pytest
from boards import files, make_scores, save
from killed import run_and_kill

from cellbench.boards import write_board
from cellbench.boards.reading import read_board
from cellbench.boards.run_id import replace_board
from cellbench.cli import main
from cellbench.errors import ScoresError
from cellbench.locks import locked_folder


def rank(scores: Path, board: Path, seed: int = 1) -> None:
    write_board([scores], board, bootstrap=20, seed=seed)


class Kill(BaseException):
    """Raised in place of a kill of the process."""


def test_every_moment_between_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the first and the last rename the board is refused, before and after it is whole."""
    scores = save(make_scores(), tmp_path)
    for seed, name in enumerate(("old", "new")):
        rank(scores, tmp_path / name, seed)
    old, new = files(tmp_path / "old"), files(tmp_path / "new")
    # Before the first and after the last rename of a file whose bytes differ.
    states = {refused_after(moment, tmp_path, monkeypatch) for moment in (0, len(new))}
    assert states == {False}
    changed = [name for name in sorted(new) if old[name] != new[name]]
    assert changed
    refused = [refused_after(moment, tmp_path, monkeypatch) for moment in range(1, len(new))]
    assert sum(refused) >= len(new) - 1 - sorted(new).index(changed[0])
    assert refused[-1]


def refused_after(renames: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Replace the old board by the new one up to a number of renames, and try to read it."""
    staged, board = folder / "staged", folder / "board"
    for target, source in ((staged, "new"), (board, "old")):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(folder / source, target)
    done, rename = 0, Path.replace

    def replace(source: Path, target: Path) -> None:
        nonlocal done
        if done == renames:
            raise Kill
        done += 1
        rename(source, target)

    with monkeypatch.context() as patched, contextlib.suppress(Kill):
        patched.setattr(Path, "replace", replace)
        replace_board(staged, board)
    before_or_after = (files(folder / "old"), files(folder / "new"))
    with contextlib.suppress(ScoresError):
        read_board(board)
        assert files(board) in before_or_after
        return False
    return True


@pytest.mark.slow
def test_a_kill_at_any_moment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """SIGKILL to real processes; the same command then makes the same board as an undisturbed one."""
    scores = save(make_scores(), tmp_path)
    board = tmp_path / "board"
    rank(scores, tmp_path / "expected", seed=2)
    expected = files(tmp_path / "expected")
    code = (
        "import sys; from cellbench.boards import write_board\n"
        "print(flush=True)\n"
        "for seed in (2, 1) * 99: write_board([sys.argv[1]], sys.argv[2], bootstrap=20, seed=seed)"
    )
    rank(scores, board, seed=1)
    rng, whole = random.Random(22), 0
    for _ in range(6):
        run_and_kill(code, scores, board, after_s=rng.uniform(0.1, 1.5))
        with contextlib.suppress(ScoresError):
            tables = read_board(board)
            whole += 1
            runs = {
                json.loads(path.read_text())["run_id"]
                for path in [board / "provenance.json", *board.glob("modalities/*/provenance.json")]
            }
            assert runs == {tables.provenance["run_id"]}
            continue
        capsys.readouterr()
        assert main(["report", str(board)]) == 1
        message = capsys.readouterr().err
        assert message.count("\n") == 1
        assert "run cellbench rank again" in message
    assert whole
    rank(scores, board, seed=2)
    assert files(board) == expected


def test_a_table_of_another_ranking(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = save(make_scores(), tmp_path)
    rank(scores, tmp_path / "a", seed=1)
    rank(scores, tmp_path / "b", seed=2)
    for name in ("bootstrap.csv", "modalities/dic/provenance.json"):
        before = (tmp_path / "a" / name).read_bytes()
        (tmp_path / "a" / name).write_bytes((tmp_path / "b" / name).read_bytes())
        assert main(["report", str(tmp_path / "a")]) == 1
        assert capsys.readouterr().err == (
            f"cellbench: {tmp_path}/a/{name}: does not belong to the other files of this board "
            "(cellbench rank was stopped before its end, or this file was changed afterwards); "
            "run cellbench rank again\n"
        )
        assert not (tmp_path / "a" / "report.html").exists()
        (tmp_path / "a" / name).write_bytes(before)
    read_board(tmp_path / "a")


def test_consensus_of_a_mixed_board(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    board = tmp_path / "board"
    rank(save(make_scores(), tmp_path), board)
    table = board / "leaderboard.csv"
    table.write_text(table.read_text().replace("algorithm 1", "algorithm 7"))
    assert main(["consensus", str(board), "--out", str(tmp_path / "c.csv")]) == 1
    assert f"{table}: does not belong" in capsys.readouterr().err


def test_a_board_without_a_run_id(tmp_path: Path) -> None:
    rank(save(make_scores(), tmp_path), tmp_path)
    record = tmp_path / "provenance.json"
    facts = json.loads(record.read_text())
    del facts["run_id"], facts["tables"]
    record.write_text(json.dumps(facts))
    with pytest.raises(ScoresError, match="run_id, tables is missing; run cellbench rank again"):
        read_board(tmp_path)
    assert main(["consensus", str(tmp_path)]) == 1


def test_scores_that_changed_after_the_ranking(tmp_path: Path) -> None:
    scores = save(make_scores(), tmp_path)
    rank(scores, tmp_path)
    save(make_scores(seed=1), tmp_path)
    with pytest.raises(ScoresError, match=r"scores\.csv: has changed since this board was ranked"):
        read_board(tmp_path)
    rank(scores, tmp_path)
    read_board(tmp_path)


def test_two_rankings_at_the_same_time(tmp_path: Path) -> None:
    scores, board = save(make_scores(), tmp_path), tmp_path / "board"
    with locked_folder(board, ScoresError), pytest.raises(ScoresError, match="another cellbench"):
        rank(scores, board)
    assert list(board.iterdir()) == []


def test_files_that_are_not_of_the_ranking_stay(tmp_path: Path) -> None:
    scores, board = save(make_scores(), tmp_path), tmp_path / "board"
    for name in ("entries/a/entry.yaml", "report.html", "podium.svg", "notes.csv"):
        (board / name).parent.mkdir(parents=True, exist_ok=True)
        (board / name).write_text("mine")
    rank(scores, board)
    rank(scores, board, seed=2)
    kept = [name for name, content in files(board).items() if content == b"mine"]
    assert sorted(kept) == ["entries/a/entry.yaml", "notes.csv", "podium.svg", "report.html"]
    read_board(board)
