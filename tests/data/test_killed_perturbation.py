"""`cellbench perturb` that is killed: the same command continues and writes the same bytes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from boards import files
from datasets import make_dataset

from cellbench.cli import main

WORDS = ["--kind", "gaussian-noise", "shrinking", "gamma", "--severity", "1", "2", "--seed", "7"]
FOLDERS = {f"{kind}-{step}" for kind in ("gaussian-noise", "shrinking", "gamma") for step in (1, 2)}


def kill_after(number: int, root: Path, out: Path) -> None:
    """Start the command in a process of its own, and kill it when so many folders are finished."""
    command = [sys.executable, "-m", "cellbench.cli", "perturb", str(root), str(out), *WORDS]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        while sum((out / name).is_dir() for name in FOLDERS) < number:
            assert process.poll() is None
            time.sleep(0.001)
        os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


def test_a_killed_command_continues(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_dataset(tmp_path / "data", images=20)
    expected, out = tmp_path / "expected", tmp_path / "out"
    assert main(["perturb", str(root), str(expected), *WORDS]) == 0
    assert {path.name for path in expected.iterdir()} == FOLDERS
    kill_after(1, root, out)
    finished = {name for name in FOLDERS if (out / name).is_dir()}
    assert 1 <= len(finished) < len(FOLDERS)
    times = {name: (out / name).stat().st_mtime_ns for name in finished}
    before = {name: files(out / name) for name in finished}
    assert before == {name: files(expected / name) for name in finished}, "they are complete"
    capsys.readouterr()
    assert main(["perturb", str(root), str(out), *WORDS]) == 0
    assert capsys.readouterr().out.count("an earlier run has finished it\n") == len(finished)
    assert {name: (out / name).stat().st_mtime_ns for name in finished} == times
    assert {path.name for path in out.iterdir()} == FOLDERS  # without the left-overs
    assert files(out) == files(expected)


def test_other_settings_do_not_continue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, out = make_dataset(tmp_path / "data", images=20), tmp_path / "out"
    kill_after(1, root, out)
    before = {name: files(out / name) for name in FOLDERS if (out / name).is_dir()}
    assert main(["perturb", str(root), str(out), *WORDS[:-1], "8"]) == 1
    assert "exists and is not an empty folder; remove it" in capsys.readouterr().err
    assert {name: files(out / name) for name in FOLDERS if (out / name).is_dir()} == before
