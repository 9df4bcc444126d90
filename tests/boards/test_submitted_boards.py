"""Boards of submissions only: ``make leaderboard``, and the check of pull requests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from boards import make_scores

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def submit(board: Path, name: str, algorithm: str, **stated: object) -> None:
    folder = board / "entries" / name
    folder.mkdir(parents=True)
    (folder / "entry.yaml").write_text(yaml.safe_dump({"name": name, **stated}))
    scores = make_scores()
    own = scores[scores["algorithm"] == algorithm].assign(algorithm=name)
    own.to_csv(folder / "scores.csv", index=False)


def make_leaderboard(folder: Path, board: str) -> "subprocess.CompletedProcess[str]":
    """Print what ``make leaderboard`` would run where the environment exists already."""
    shutil.copy(ROOT / "Makefile", folder)
    for name in ("pyproject.toml", "constraints.txt", "ready"):
        (folder / name).touch()
    words = ["make", "-n", "leaderboard", f"BOARD={board}", "STAMP=ready"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@needs_make
def test_make_ranks_submissions_alone(tmp_path: Path) -> None:
    submit(tmp_path / "leaderboard/x", "one", "algorithm 0")
    submit(tmp_path / "leaderboard/x", "two", "algorithm 1")
    done = make_leaderboard(tmp_path, "x")
    assert done.returncode == 0, done.stderr
    assert "rank leaderboard/x/entries/one leaderboard/x/entries/two --out leaderboard/x" in (
        done.stdout
    )
    assert "cellbench run" not in done.stdout
    (tmp_path / "leaderboard/x/scores.csv").touch()
    done = make_leaderboard(tmp_path, "x")
    assert "rank leaderboard/x/scores.csv leaderboard/x/entries/one" in done.stdout


@needs_make
@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ("image,domain\na,in-source\nb,out-of-source\nc,\n", " --manifest data/x/manifest.csv"),
        ("image,domain\na,out-of-source\n", ""),  # nothing to compare them with
        ("image,split,modality,source\na,test,DIC,lab A\n", ""),
        (None, ""),
    ],
)
def test_make_compares_unseen_sources_where_the_manifest_has_them(
    manifest: str | None, expected: str, tmp_path: Path
) -> None:
    submit(tmp_path / "leaderboard/x", "one", "algorithm 0")
    (tmp_path / "data/x").mkdir(parents=True)
    if manifest is not None:
        (tmp_path / "data/x/manifest.csv").write_text(manifest)
    done = make_leaderboard(tmp_path, "x")
    assert done.returncode == 0, done.stderr
    printed = " ".join(done.stdout.replace("\\\n", "").split())
    assert f"rank leaderboard/x/entries/one --out leaderboard/x{expected} --entries" in printed


@needs_make
def test_make_refuses_a_board_without_scores(tmp_path: Path) -> None:
    # With -n, make prints what it would run; a real run stops there.
    shutil.copy(ROOT / "Makefile", tmp_path)
    words = ["make", "leaderboard", "BOARD=y"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "leaderboard/y has neither scores.csv nor entries/NAME/;" in done.stderr
    assert not (tmp_path / ".venv").exists()


def check(folder: Path) -> tuple[int, str]:
    """Run the check of pull requests in a folder."""
    programs = folder / "bin"
    programs.mkdir()
    program = programs / "cellbench"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cellbench.cli "$@"\n')
    program.chmod(0o755)
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    words = ["bash", str(ROOT / ".github/rank_boards.sh"), "build/boards"]
    done = subprocess.run(words, cwd=folder, env=environment, check=False)
    return done.returncode, (folder / "build/boards/rank.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_check_ranks_every_board(tmp_path: Path) -> None:
    for board in ("x", "y"):
        submit(tmp_path / "leaderboard" / board, "one", "algorithm 0", code="https://example.org")
        submit(tmp_path / "leaderboard" / board, "two", "algorithm 1")
    (tmp_path / "leaderboard/published").mkdir()
    (tmp_path / "leaderboard/x/about.md").write_text("Cells of *x*.")
    status, text = check(tmp_path)
    assert status == 0
    assert [line for line in text.splitlines() if line.startswith("#")] == ["## x", "## y"]
    assert text.count("| Rank | Algorithm | Median F1 ") == 2
    assert "2 algorithms on" in text
    page = (tmp_path / "build/boards/x/report.html").read_text(encoding="utf-8")
    assert "Cells of <em>x</em>." in page
    assert "https://example.org" in page


@pytest.mark.slow
def test_the_check_names_every_fault(tmp_path: Path) -> None:
    board = tmp_path / "leaderboard/x"
    submit(board, "good", "algorithm 0")
    submit(board, "bad", "algorithm 1", unknown_key="`<b>`")
    submit(board, "worse`<b>", "algorithm 1")
    (board / "entries/worse`<b>/scores.csv").write_text("a;b\n1;2\n")
    status, text = check(tmp_path)
    assert status == 1
    assert "The submission `bad` cannot be ranked:\n\n    cellbench: " in text
    assert "unknown_key: unknown key" in text
    assert "The submission `worseb` cannot be ranked:\n\n    cellbench: " in text
    assert "| 1 | good |" in text
    outside = [line for line in text.splitlines() if not line.startswith("    ")]
    assert "<b>" not in "\n".join(outside)


def test_without_submissions_nothing_is_ranked(tmp_path: Path) -> None:
    (tmp_path / "leaderboard/published").mkdir(parents=True)
    assert check(tmp_path) == (0, "No board has submissions.\n")


def test_the_workflow_of_boards_can_only_read() -> None:
    loaded = {path.name: yaml.safe_load(path.read_text()) for path in WORKFLOWS}
    boards, comment = loaded["board.yml"], loaded["board-comment.yml"]
    assert boards["permissions"] == {"contents": "read"}
    steps = [step.get("run", "") for step in boards["jobs"]["rank"]["steps"]]
    assert ".github/rank_boards.sh build/boards" in steps
    # PyYAML reads the key "on" as True. The workflow that may write checks out nothing.
    assert comment[True]["workflow_run"]["workflows"] == [boards["name"]]
    used = [step.get("uses", "") for step in comment["jobs"]["comment"]["steps"]]
    assert not [action for action in used if "checkout" in action]
    assert all("pull_request_target" not in str(each) for each in loaded.values())
