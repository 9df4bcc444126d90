"""Entrants that serve: one process for all images, its faults are rows, and its start is measured."""

import csv
import statistics
from pathlib import Path

import pytest
from datasets import make_dataset
from hostile_entrants import ISOLATIONS, make_entrant, make_server, run

from cellbench.cli import main
from cellbench.entrants.job import Timing
from cellbench.entrants.serving import without_waiting
from cellbench.evaluation.seals import check_run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "data")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def logged(log: Path) -> list[str]:
    return log.read_text().split()


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_one_process_serves_all_images(data: Path, tmp_path: Path, isolation: str) -> None:
    folder = make_server(tmp_path / "good", data)
    rows = run(folder, data, isolation)
    assert [(row["status"], row["timing"], row["exit_code"]) for row in rows] == [
        ("ok", "warm", None)
    ] * 2
    out = tmp_path / "out/good"
    for stem in ("test0", "test1"):
        made, truth = out / f"{stem}_label.tiff", data / f"test/labels/{stem}_label.tiff"
        assert made.read_bytes() == truth.read_bytes()
    with (out / "resources.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert float(first["wall_s"]) > float(first["start_s"]) > 0
    assert first["start_s"] == second["start_s"]
    assert 1 < float(second["peak_memory_mb"]) < 2000
    assert 0 <= float(second["cpu_s"]) < 5
    assert float(second["load"]) >= 0
    with (out / "runtime.csv").open(newline="") as file:
        times = [row["Real Running Time"] for row in csv.DictReader(file)]
    assert times == [first["wall_s"], second["wall_s"]]
    assert not list(out.glob(".run-*"))
    check_run(out)


def test_the_start_is_measured_three_times_until_the_first_answer(
    data: Path, tmp_path: Path, log: Path
) -> None:
    """The third process goes on to serve."""
    action = "time.sleep(0 if number else 0.3)\nanswer(image)"
    folder = make_server(tmp_path / "good", data, action, env={"LOG": str(log)})
    rows = run(folder, data)
    assert logged(log) == ["start", "test0"] * 3 + ["test0", "test1"]
    assert all(row["start_s"] > 0.3 > row["wall_s"] - row["start_s"] for row in rows)


def test_only_the_requested_image_is_shown(data: Path, tmp_path: Path) -> None:
    action = "assert os.listdir(image.parent) == [image.name] and not os.listdir(outputs)"
    action += "\nanswer(image)"
    folder = make_server(tmp_path / "good", data, action)
    assert [row["status"] for row in run(folder, data)] == ["ok", "ok"]


def test_processor_time_is_that_of_the_image(data: Path, tmp_path: Path) -> None:
    busy = """\
if image.stem == 'test1':
    subprocess.run([sys.executable, '-S', '-c', 'import time\\nwhile time.process_time() < .5: pass'])
block = b'x' * (100 << 20) if image.stem == 'test1' else b''
answer(image)"""
    first, second = run(make_server(tmp_path / "good", data, busy), data)
    assert first["cpu_s"] < 0.4 < 0.5 <= second["cpu_s"] < 5
    assert first["peak_memory_mb"] < 100 < second["peak_memory_mb"] < 250


FAULTS: dict[str, tuple[str, dict[str, object], str, str]] = {
    "the program reports a failure": ("say('failed out of  cells')", {}, "failed", "out of cells"),
    "a failure without a reason": ("say('failed')", {}, "failed", "no reason given"),
    "no label map": ("say(f'done {outputs}/test1_label.tiff')", {}, "missing", ""),
    "garbage": (
        "say('segmenting ...')",
        {},
        "failed",
        "answered 'segmenting ...' instead of `done PATH`",
    ),
    "no path": ("say('done')", {}, "failed", "answered 'done' instead of"),
    "bytes": (
        "os.write(1, bytes(range(256)))",
        {},
        "failed",
        "wrote more than one line as its answer",
    ),
    "a path elsewhere": (
        "write(image)\nsay('done /etc/passwd')",
        {},
        "failed",
        "answered with /etc/passwd, which is not in the outputs folder",
    ),
    "a path above": (
        "write(image)\nsay(f'done {outputs}/../test1_label.tiff')",
        {},
        "failed",
        "not in the outputs folder",
    ),
    "another name": (
        "write(image)\nsay(f'done {outputs}/test0_label.tiff')",
        {},
        "failed",
        "answered with test0_label.tiff, but wrote test1_label.tiff",
    ),
    "a null byte": ("say(f'done {outputs}/a\\0b')", {}, "missing", ""),
    "two answers": (
        "os.write(1, f'done {write(image)}\\ndone x\\n'.encode())",
        {},
        "failed",
        "more than one line",
    ),
    "a long line": (
        "while True: os.write(1, b'x' * (1 << 20))",
        {},
        "failed",
        "wrote a line of more than 65536 bytes",
    ),
    "a crash": (
        "print('no memory left', file=sys.stderr)\nos.kill(os.getpid(), 9)",
        {},
        "failed",
        "no memory left",
    ),
    "an exit": ("sys.exit(0)", {}, "failed", "ended without an answer"),
    "a closed output": ("os.close(1)\ntime.sleep(60)", {}, "failed", "closed its output"),
    "no answer": ("time.sleep(60)", {"timeout_factor": 0.2}, "timeout", ""),
    "memory": (
        "block = b'x' * (300 << 20)\ntime.sleep(60)",
        {"memory": "150m"},
        "failed",
        "used more memory than its limit",
    ),
    "a link to a file": (
        "target = outputs / f'{image.stem}_label.tiff'\n"
        "target.symlink_to('/etc/passwd')\nsay(f'done {target}')",
        {},
        "missing",
        "not a regular file",
    ),
    "the outputs folder is gone": (
        "shutil.rmtree(outputs)\nsay(f'done {outputs}/test1_label.tiff')",
        {},
        "missing",
        "",
    ),
    "no label map inside": (
        "target = outputs / f'{image.stem}_label.tiff'\ntarget.write_text('no')\nsay(f'done {target}')",
        {},
        "unreadable",
        "",
    ),
    "its supervisor killed": (
        "os.kill(int(open(f'/proc/{os.getppid()}/stat').read().split()[3]), 9)\ntime.sleep(60)",
        {},
        "failed",
        "killed the process that supervised it",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_the_row_of_its_image(data: Path, tmp_path: Path, fault: str, log: Path) -> None:
    """The next image is served, by a new process where the fault ended the old one."""
    action, options, status, message = FAULTS[fault]
    lines = "".join(f"    {line}\n" for line in action.splitlines())
    program = f"if image.stem == 'test1':\n{lines}else:\n    answer(image)"
    make_dataset_of_three(data)
    folder = make_server(tmp_path / "bad", data, program, env={"LOG": str(log)}, **options)
    rows = run(folder, data)
    assert [row["status"] for row in rows] == ["ok", status, "ok"]
    assert message in rows[1]["message"]
    assert "\n" not in rows[1]["message"]
    assert len(rows[1]["message"]) < 200
    assert rows[1]["start_s"] == rows[0]["start_s"]
    assert not (tmp_path / "out/bad/test1_label.tiff").exists()
    assert logged(log)[-1] == "test2"
    check_run(tmp_path / "out/bad")


def make_dataset_of_three(data: Path) -> None:
    for kind, end in (("images", ".png"), ("labels", "_label.tiff")):
        source = data / "test" / kind / f"test0{end}"
        (data / "test" / kind / f"test2{end}").write_bytes(source.read_bytes())


def test_a_line_without_a_request(data: Path, tmp_path: Path) -> None:
    action = "answer(image)\nif number == 1:\n    time.sleep(0.2)\n    say('thinking')\n"
    folder = make_server(tmp_path / "bad", data, action)
    first, second = run(folder, data)
    assert first["status"] == "ok"
    assert second["status"] == "failed"  # whether the line comes before the request or after it
    assert "'thinking'" in second["message"] or "more than one line" in second["message"]


@pytest.mark.parametrize("isolation", ISOLATIONS)
@pytest.mark.parametrize(
    ("serve", "message"),
    [
        (["no-such-program", "{outputs}"], "cannot be started"),
        (["python", "-c", "print('hello')", "{outputs}"], "`serve` began with 'hello' instead of"),
        (["python", "-c", "import nothing_there", "{outputs}"], "No module named 'nothing_there'"),
        (
            ["python", "-c", "print('cellbench-serve 2')", "{outputs}"],
            "began with 'cellbench-serve 2'",
        ),
    ],
)
def test_a_program_that_does_not_start(
    data: Path, tmp_path: Path, serve: list[str], message: str, isolation: str
) -> None:
    rows = run(make_entrant(tmp_path / "bad", data, serve=serve), data, isolation)
    assert [row["status"] for row in rows] == ["failed", "failed"]
    assert all(message in row["message"] for row in rows)


def test_a_program_that_crashes_on_the_smallest_image_only(data: Path, tmp_path: Path) -> None:
    action = "if image.stem == 'test0': os._exit(3)\nanswer(image)"
    rows = run(make_server(tmp_path / "bad", data, action), data)
    assert [(row["status"], row["exit_code"]) for row in rows] == [("failed", 3), ("ok", None)]


def test_an_interrupted_run_goes_on(data: Path, tmp_path: Path, log: Path) -> None:
    folder = make_server(tmp_path / "good", data, env={"LOG": str(log)})
    first = run(folder, data)
    log.unlink()
    assert run(folder, data) == first
    assert not log.exists()
    (tmp_path / "out/good/test1_label.tiff").unlink()
    again = run(folder, data)
    assert again[0] == first[0]
    assert logged(log) == ["start", "test0", "test1"]  # the known starts are not measured again
    assert again[1]["start_s"] == first[1]["start_s"]


def test_warm_and_cold_results_are_kept_apart(data: Path, tmp_path: Path) -> None:
    folder = make_server(tmp_path / "good", data)
    warm = run(folder, data)
    assert not (tmp_path / "out/good/timings.csv").exists()
    cold = run(folder, data, timing=Timing.COLD)
    assert [(row["timing"], row["start_s"], row["exit_code"]) for row in cold] == [
        ("cold", None, 0)
    ] * 2
    check_run(tmp_path / "out/good")
    with (tmp_path / "out/good/timings.csv").open(newline="") as file:
        first = next(csv.DictReader(file))
    assert first["image"] == "test0"
    assert (float(first["warm_s"]), float(first["cold_s"])) == (
        warm[0]["wall_s"],
        cold[0]["wall_s"],
    )
    assert run(folder, data) == warm


def test_both_timings(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_server(tmp_path / "good", data)
    words = ["run", str(folder), "--data", str(data), "--out", str(tmp_path / "out")]
    words += ["--isolation", "process", "--timing", "both"]
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("good: 2 images (2 ok), 0.")
    with (tmp_path / "out/good/timings.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == ["test0", "test1"]
    assert all(float(row["cold_s"]) > 0 for row in rows)
    assert ",warm," in (tmp_path / "out/good/resources.csv").read_text()
    check_run(tmp_path / "out/good")


def test_entries_without_serve_run_cold(data: Path, tmp_path: Path) -> None:
    rows = run(make_entrant(tmp_path / "good", data), data)
    assert statistics.median(row["wall_s"] for row in rows) > 0
    assert {(row["timing"], row["start_s"]) for row in rows} == {("cold", None)}


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_data_for_programs(data: Path, tmp_path: Path, isolation: str) -> None:
    """They see the other splits, never the one that is segmented."""
    look = "assert sorted(os.listdir(sys.argv[-1])) == ['train', 'tune']; "
    folder = make_server(tmp_path / "good", data, f"{look}answer(image)")
    entry = (folder / "entry.yaml").read_text()
    (folder / "entry.yaml").write_text(entry.replace("- '{outputs}'", "- '{outputs}'\n- '{data}'"))
    program = folder / "program.py"
    program.write_text(f"{program.read_text()}{look}\n")
    for timing in Timing:
        assert [row["status"] for row in run(folder, data, isolation, timing=timing)] == ["ok"] * 2


@pytest.mark.parametrize(
    ("wall", "waited", "processor", "expected"),
    [
        (6.0, 0.0, 3.0, 6.0),  # it waited for a disk or a graphics card, which is its own time
        (6.0, 4.0, 2.0, 2.0),
        (6.0, 5.9, 12.0, 6.0),  # its own threads used both processors, and waited for each other
        (6.0, 5.9, 6.0, 3.0),
        (0.1, 0.5, 0.0, 0.0),
    ],
)
def test_waiting_for_other_programs_is_not_counted(
    wall: float, waited: float, processor: float, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    assert without_waiting(wall, waited, processor) == pytest.approx(expected)
