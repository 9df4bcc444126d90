"""Timed runs of entrants: a killed run continues, and what is done stays."""

import fcntl
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from datasets import make_dataset
from hostile_entrants import ISOLATIONS, make_entrant, needs, run

from cellbench.cli import main
from cellbench.data.folder import read_dataset
from cellbench.entrants.tolerance import describe_slow_images

CALLED = "answer(); open(os.environ['OUT'] + '/calls', 'a').write(image.stem + '\\n')"
"""A good program that also notes, in a way that only isolation `process` allows, that it was started."""


def calls(data: Path) -> list[str]:
    return (data.parent / "out/calls").read_text().split()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "data")


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_programs_find_the_packages_of_a_relative_python_path(
    data: Path, tmp_path: Path, isolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They run in another folder than the command that starts them."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/lab_helper.py").touch()
    (tmp_path / "lab_other.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "site:")
    folder = make_entrant(tmp_path / "good", data, "import lab_helper, lab_other; answer()")
    assert [row["status"] for row in run(folder, data, isolation)] == ["ok", "ok"]


def test_a_program_that_is_not_there(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    folder.mkdir()
    command = ["no-such-program", "{inputs}", "{outputs}"]
    (folder / "entry.yaml").write_text(yaml.safe_dump({"name": "none", "command": command}))
    rows = run(folder, data)
    assert rows[0]["status"] == "failed"
    assert "cannot be started" in rows[0]["message"]


def test_what_is_done_is_not_done_again(data: Path, tmp_path: Path) -> None:
    folder = make_entrant(tmp_path / "good", data, CALLED)
    first = run(folder, data)
    assert run(folder, data) == first
    assert calls(data) == ["test0", "test1"]
    (tmp_path / "out/good/test1_label.tiff").unlink()
    run(folder, data)
    assert calls(data) == ["test0", "test1", "test1"]
    (folder / "helper.py").write_text("# what the program imports counts too")
    run(folder, data)
    assert calls(data) == ["test0", "test1", "test1", "test0", "test1"]


def test_failures_are_tried_again(data: Path, tmp_path: Path) -> None:
    folder = make_entrant(tmp_path / "flaky", data, "pathlib.Path('ready').stat(); answer()")
    assert [row["status"] for row in run(folder, data)] == ["failed", "failed"]
    (folder / "ready").touch()
    assert [row["status"] for row in run(folder, data)] == ["ok", "ok"]


def test_a_changed_entrant_leaves_nothing_of_the_old(data: Path, tmp_path: Path) -> None:
    folder = make_entrant(tmp_path / "good", data)
    run(folder, data)
    program = folder / "program.py"
    program.write_text(
        program.read_text().replace("print(", "if image.stem == 'test1': sys.exit(1)\nprint(")
    )
    (tmp_path / "out/good/.run-left-over").mkdir()
    (tmp_path / "out/good/.runtime.1.partial.csv").touch()
    assert [row["status"] for row in run(folder, data)] == ["ok", "failed"]
    left = sorted(path.name for path in (tmp_path / "out/good").iterdir() if path.name[0] != ".")
    assert left == ["entry.yaml", "resources.csv", "runtime.csv", "test0_label.tiff"]
    assert not list((tmp_path / "out/good").glob(".run*"))


@pytest.mark.slow
def test_the_program_ends_with_a_killed_run(data: Path, tmp_path: Path) -> None:
    action = "pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(600)"
    folder = make_entrant(tmp_path / "slow", data, action)
    words = ["run", str(folder), "--data", str(data), "--out", str(tmp_path / "out")]
    words += ["--isolation", "process"]
    process = subprocess.Popen([sys.executable, "-m", "cellbench.cli", *words])
    deadline = time.monotonic() + 60
    while not (folder / "pid").is_file() or not (folder / "pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.wait()
    program = Path("/proc") / (folder / "pid").read_text()
    while program.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_memory_is_the_programs_own(data: Path, tmp_path: Path) -> None:
    ballast = np.ones(300 * 2**20 // 8)  # ours: a program must not inherit it
    small, large = (
        run(make_entrant(tmp_path / name, data, action), data)[0]["peak_memory_mb"]
        for name, action in (("small", "answer()"), ("large", "block = b'x' * (200 << 20)"))
    )
    assert ballast.any()
    assert small < 100
    assert 200 < large < 300


def test_a_second_run_into_the_same_folder_is_refused(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", str(make_entrant(tmp_path / "good", data)), "--data", str(data)]
    words += ["--out", str(tmp_path / "out"), "--isolation", "process"]
    (tmp_path / "out/good").mkdir(parents=True)
    with (tmp_path / "out/good/.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main(words) == 1
        error = capsys.readouterr().err.splitlines()
        assert "another cellbench run is writing to this folder" in error[-1]
        assert not (tmp_path / "out/good/resources.csv").exists()
    assert main(words) == 0


def test_what_the_isolation_cannot_prevent_is_said(
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ["run", str(make_entrant(tmp_path / "good", data)), "--data", str(data)]
    words += ["--out", str(tmp_path / "out")]
    monkeypatch.setenv("PATH", "")  # where bubblewrap would be found
    assert main([*words, "--isolation", "bubblewrap"]) == 1
    assert "--isolation bubblewrap: bubblewrap is not installed" in capsys.readouterr().err
    assert main(words) == 0
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "isolation" in line]
    assert line.startswith(
        "isolation process: bubblewrap is not installed; programs are limited and"
    )
    assert "can read and change all files of this user, the truth among them" in line
    assert ",process,cold," in (tmp_path / "out/good/resources.csv").read_text()


def test_visible_folders(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needs("bubblewrap")
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/helper").touch()
    action = f"pathlib.Path({str(tmp_path / 'tools/helper')!r}).stat(); answer()"
    words = ["run", str(make_entrant(tmp_path / "good", data, action)), "--data", str(data)]
    words += ["--out", str(tmp_path / "out"), "--isolation", "bubblewrap"]
    assert main(words) == 0
    assert "good: 2 images (2 failed)" in capsys.readouterr().out
    assert main([*words, "--visible", str(tmp_path / "tools")]) == 0
    assert "good: 2 images (2 ok)" in capsys.readouterr().out


def test_two_entrants_of_one_name(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(make_entrant(tmp_path / "good", data))
    assert main(["run", folder, folder, "--data", str(data), "--out", str(tmp_path / "out")]) == 1
    assert "2 entrants have this name" in capsys.readouterr().err


def test_packaged_baselines_are_found_by_name(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["--data", str(data), "--out", "out"]
    assert main(["run", "otsu_watershed", *words]) == 0
    assert capsys.readouterr().out.startswith("otsu_watershed: 2 images (2 ok), ")
    assert (tmp_path / "out/otsu_watershed/test0_label.tiff").is_file()
    assert main(["run", "otsu", *words]) == 1
    message = "otsu: not found; name an entry.yaml, its folder, or one of the baselines"
    assert message in (line := capsys.readouterr().err)
    assert line.endswith(": generalist, otsu_watershed\n")
    (tmp_path / "otsu_watershed").mkdir()
    assert main(["run", "otsu_watershed", *words]) == 1
    assert "otsu_watershed/entry.yaml: cannot be read" in capsys.readouterr().err


def test_images_beyond_the_tolerance_are_reported_with_the_load(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (7.25, 5.0, 4.0))
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    images = read_dataset(data, ["test"])
    rows = [{"status": "ok", "wall_s": 10.0}, {"status": "ok", "wall_s": 26.04}]
    assert describe_slow_images("unet", rows, images) == (
        "unet: 1 of 2 segmented images took longer than the challenge's tolerance, which worsens their "
        "rank (longest: 26.0 s, tolerated: 10.0 s). Load of this machine in the last minute: 7.2 on 2 "
        "cores; time it again on an idle machine"
    )
    rows[1]["status"] = "failed"
    assert describe_slow_images("unet", rows, images) == ""

    monkeypatch.setattr("cellbench.entrants.tolerance.tolerance_seconds", lambda *_: 0.0)
    monkeypatch.setattr("os.getloadavg", lambda: (0.5, 0.5, 0.5))
    words = ["run", str(make_entrant(tmp_path / "good", data)), "--data", str(data)]
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("good: 2 images (2 ok), ")
    assert second.startswith("good: 2 of 2 segmented images took longer than")
    assert second.endswith("Load of this machine in the last minute: 0.5 on 2 cores")
