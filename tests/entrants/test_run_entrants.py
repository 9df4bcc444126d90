"""Timed runs of entrants: their failures are rows, and a killed run continues."""

import csv
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from datasets import make_dataset

from cellbench.cli import main
from cellbench.data.folder import read_dataset
from cellbench.entrants.entries import Entry, read_entry
from cellbench.entrants.run import RESOURCE_COLUMNS, Row, run_entrant
from cellbench.entrants.tolerance import describe_slow_images
from cellbench.errors import EntrantError

PROGRAM = """
import sys, time, shutil, pathlib
inputs, outputs, truth = map(pathlib.Path, sys.argv[1:4])
(image,) = inputs.iterdir()
pathlib.Path("calls").open("a").write(image.stem + "\\n")
print("looking at", image.name)
{action}
shutil.copy(truth / f"{{image.stem}}_label.tiff", outputs)
"""


def make_entrant(folder: Path, data: Path, action: str = "", **options: object) -> Path:
    folder.mkdir(parents=True)
    (folder / "program.py").write_text(PROGRAM.format(action=action))
    command = ["python", "program.py", "{inputs}", "{outputs}", str(data / "test/labels")]
    entry = {"name": folder.name, "command": command, **options}
    (folder / "entry.yaml").write_text(yaml.safe_dump(entry))
    return folder


def run(folder: Path, data: Path) -> list[Row]:
    images = read_dataset(data, ["test"])
    return run_entrant(read_entry(folder), folder, images, data.parent / "out" / folder.name)


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().split()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "data")


def test_programs_find_the_packages_of_a_relative_python_path(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They run in another folder than the command that starts them."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/lab_helper.py").touch()
    (tmp_path / "lab_other.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "site:")
    folder = make_entrant(tmp_path / "good", data, "import lab_helper, lab_other")
    assert [row["status"] for row in run(folder, data)] == ["ok", "ok"]


def test_label_maps_times_and_resources(data: Path, tmp_path: Path) -> None:
    folder = make_entrant(tmp_path / "good", data)
    rows = run(folder, data)
    out = tmp_path / "out/good"
    assert [row["status"] for row in rows] == ["ok", "ok"]
    for stem in ("test0", "test1"):
        made, truth = out / f"{stem}_label.tiff", data / f"test/labels/{stem}_label.tiff"
        assert made.read_bytes() == truth.read_bytes()
    with (out / "resources.csv").open(newline="") as file:
        first = next(csv.DictReader(file))
    assert tuple(first) == RESOURCE_COLUMNS
    assert float(first["cpu_s"]) > 0
    assert 1 < float(first["peak_memory_mb"]) < 2000
    assert first["message"] == "looking at test0.png"
    with (out / "runtime.csv").open(newline="") as file:
        times = list(csv.DictReader(file))
    assert [row["Img Name"] for row in times] == ["test0.png", "test1.png"]
    assert [row["Rank Running Time"] for row in times] == ["0.0", "0.0"]
    assert float(times[0]["Real Running Time"]) == float(first["wall_s"])
    assert not [path for path in out.iterdir() if path.name.startswith(".run-")]


@pytest.mark.parametrize(
    ("action", "options", "status", "message"),
    [
        ("sys.exit('no memory left')", {}, "failed", "no memory left"),
        ("sys.exit(0)", {}, "missing", "looking at test0.png"),
        ("outputs.rmdir(); sys.exit(0)", {}, "missing", "looking at test0.png"),
        ("(outputs / f'{image.stem}_label.png').touch()", {}, "missing", "looking at test0.png"),
        ("time.sleep(60)", {"timeout_factor": 0.05}, "timeout", "looking at test0.png"),
        ("import os; os.kill(os.getpid(), 9)", {}, "failed", "looking at test0.png"),
    ],
)
def test_failures_are_rows(
    data: Path, tmp_path: Path, action: str, options: dict[str, object], status: str, message: str
) -> None:
    folder = make_entrant(tmp_path / "bad", data, f"sys.stdout.flush()\n{action}", **options)
    rows = run(folder, data)
    assert [row["status"] for row in rows] == [status, status]
    assert rows[0]["message"] == message
    assert not list((tmp_path / "out/bad").glob("*.tiff"))
    assert (tmp_path / "out/bad/runtime.csv").read_text().count("\n") == 1


def test_a_program_that_is_not_there(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    folder.mkdir()
    command = ["no-such-program", "{inputs}", "{outputs}"]
    (folder / "entry.yaml").write_text(yaml.safe_dump({"name": "none", "command": command}))
    rows = run(folder, data)
    assert rows[0]["status"] == "failed"
    assert "cannot be started" in rows[0]["message"]


def test_what_is_done_is_not_done_again(data: Path, tmp_path: Path) -> None:
    folder = make_entrant(tmp_path / "good", data)
    first = run(folder, data)
    assert run(folder, data) == first
    assert calls(folder) == ["test0", "test1"]
    (tmp_path / "out/good/test1_label.tiff").unlink()
    run(folder, data)
    assert calls(folder) == ["test0", "test1", "test1"]
    (folder / "helper.py").write_text("# what the program imports counts too")
    run(folder, data)
    assert calls(folder) == ["test0", "test1", "test1", "test0", "test1"]


def test_failures_are_tried_again(data: Path, tmp_path: Path) -> None:
    folder = make_entrant(tmp_path / "flaky", data, "pathlib.Path('ready').stat()")
    assert [row["status"] for row in run(folder, data)] == ["failed", "failed"]
    (folder / "ready").touch()
    assert [row["status"] for row in run(folder, data)] == ["ok", "ok"]


def test_an_unreadable_image_is_a_row(data: Path, tmp_path: Path) -> None:
    (data / "test/images/test0.png").write_text("no picture")
    rows = run(make_entrant(tmp_path / "good", data), data)
    assert [row["status"] for row in rows] == ["failed", "ok"]
    assert "test0.png" in rows[0]["message"]


def test_outputs_named_as_the_official_scripts_do(data: Path, tmp_path: Path) -> None:
    for folder, old, new in (
        ("images", "test0.png", "b.x.png"),
        ("labels", "test0_label.tiff", "b_label.tiff"),
    ):
        (data / "test" / folder / old).rename(data / "test" / folder / new)
    program = "shutil.copy(truth / 'b_label.tiff', outputs); sys.exit(0)"
    rows = run(make_entrant(tmp_path / "good", data, program), data)
    assert rows[0] | {"wall_s": 0} == rows[0] | {"status": "ok", "image": "b.x", "wall_s": 0}
    assert (tmp_path / "out/good/b.x_label.tiff").is_file()


def test_a_changed_entrant_leaves_nothing_of_the_old(data: Path, tmp_path: Path) -> None:
    folder = make_entrant(tmp_path / "good", data)
    run(folder, data)
    program = folder / "program.py"
    program.write_text(
        program.read_text().replace("print(", "if image.stem == 'test1': sys.exit(1)\nprint(")
    )
    (tmp_path / "out/good/.run-left-over").mkdir()
    assert [row["status"] for row in run(folder, data)] == ["ok", "failed"]
    left = sorted(path.name for path in (tmp_path / "out/good").iterdir())
    assert left == [".journal", "entry.yaml", "resources.csv", "runtime.csv", "test0_label.tiff"]


@pytest.mark.slow
def test_the_program_ends_with_a_killed_run(data: Path, tmp_path: Path) -> None:
    action = "pathlib.Path('pid').write_text(str(__import__('os').getpid())); time.sleep(600)"
    folder = make_entrant(tmp_path / "slow", data, action)
    words = ["run", str(folder), "--data", str(data), "--out", str(tmp_path / "out")]
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
        for name, action in (("small", ""), ("large", "block = b'x' * (200 << 20)"))
    )
    assert ballast.any()
    assert small < 100
    assert 200 < large < 300


def test_setup_runs_once(data: Path, tmp_path: Path) -> None:
    setup = [sys.executable, "-c", "open('setups', 'a').write('x')"]
    folder = make_entrant(tmp_path / "good", data, setup=setup)
    run(folder, data)
    run(folder, data)
    assert (folder / "setups").read_text() == "x"
    failing = make_entrant(tmp_path / "bad", data, setup=["python", "-c", "exit('no compiler')"])
    with pytest.raises(EntrantError, match="`setup` command of bad failed: no compiler"):
        run(failing, data)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name: [", "cannot be read as YAML"),
        ("- 1", "must be a mapping"),
        ("name: a/b\ncommand: ['{inputs}{outputs}']", "name: must be 1 to 64 letters"),
        ("name: ..\ncommand: ['{inputs}{outputs}']", "name: must be 1 to 64 letters"),
        ("name: a", r"yaml: needs either `command` or `image`, and not both$"),
        ("name: a\nimage: b\ncommand: ['{inputs}{outputs}']", "either `command` or `image`"),
        ("name: a\ncommand: [run]", "must contain {inputs} and {outputs}"),
        (
            "name: a\ncommand: ['{inputs}{outputs}']\ntimeout_factor: 0\nnmae: b",
            "timeout_factor: Input should be greater than 0; nmae: unknown key",
        ),
    ],
)
def test_bad_entries_name_all_faults(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "entry.yaml").write_text(content)
    with pytest.raises(EntrantError, match=message) as error:
        read_entry(tmp_path)
    assert "entry.yaml" in str(error.value)


def test_containers_are_refused_clearly(data: Path, tmp_path: Path) -> None:
    with pytest.raises(
        EntrantError, match="has a container `image`, which this version cannot run"
    ):
        run_entrant(Entry(name="a", image="b"), tmp_path, read_dataset(data, ["test"]), tmp_path)


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
    assert line.endswith(": otsu_watershed\n")
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
