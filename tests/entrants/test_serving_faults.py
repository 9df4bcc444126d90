"""Faults of entrants that serve are rows of their images; the other images are segmented."""

from pathlib import Path

import pytest
from datasets import make_dataset
from hostile_entrants import ISOLATIONS, make_entrant, make_server, noted, run

from cellbench.evaluation.seals import check_run

OPEN_FILES = Path("/proc/self/fd")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "data")


SUPERVISOR = "supervisor = int(open(f'/proc/{os.getppid()}/stat').read().split()[3])\n"

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
        f"{SUPERVISOR}os.kill(supervisor, 9)\ntime.sleep(60)",
        {},
        "failed",
        "killed the process that supervised it",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_the_row_of_its_image(tmp_path: Path, fault: str, log: Path) -> None:
    """The next image is served, by a new process where the fault ended the old one."""
    data = make_dataset(tmp_path / "data", images=3)
    open_files = len([*OPEN_FILES.iterdir()])
    action, options, status, message = FAULTS[fault]
    lines = "".join(f"    {line}\n" for line in action.splitlines())
    program = f"if image.stem == 'test1':\n{lines}else:\n    answer(image)"
    folder = make_server(tmp_path / "bad", data, program, env={"LOG": str(log)}, **options)
    rows = run(folder, data)
    assert [row["status"] for row in rows] == ["ok", status, "ok"]
    assert message in rows[1]["message"]
    assert "\n" not in rows[1]["message"]
    assert len(rows[1]["message"]) < 200
    assert rows[1]["start_s"] == rows[0]["start_s"]
    assert not (tmp_path / "out/bad/test1_label.tiff").exists()
    assert noted(log)[-1] == "test2"
    assert len([*OPEN_FILES.iterdir()]) == open_files
    check_run(tmp_path / "out/bad")


def test_a_label_map_that_is_written_after_the_answer(data: Path, tmp_path: Path) -> None:
    """Its time would be too short; the stopped supervisor keeps the run waiting for the label map."""
    late = (
        f"{SUPERVISOR}os.kill(supervisor, signal.SIGSTOP)\n"
        "say(f'done {outputs}/{image.stem}_label.tiff')\ntime.sleep(0.3)\n"
        "write(image)\nos.kill(supervisor, signal.SIGCONT)"
    )
    lines = "".join(f"    {line}\n" for line in late.splitlines())
    rows = run(
        make_server(tmp_path / "bad", data, f"if number == 0: answer(image)\nelse:\n{lines}"), data
    )
    assert [row["status"] for row in rows] == ["failed", "failed"]
    assert rows[1]["message"] == "test1_label.tiff: written after the answer"


def test_a_supervisor_that_is_killed_with_the_answer(data: Path, tmp_path: Path) -> None:
    """What the program used is not known, so its result does not count."""
    action = f"{SUPERVISOR}if number: os.kill(supervisor, 9)\nanswer(image)"
    rows = run(make_server(tmp_path / "bad", data, action), data)
    assert [row["status"] for row in rows] == ["failed", "failed"]
    assert {row["message"] for row in rows} == {"killed the process that supervised it"}


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


def test_a_program_that_always_removes_its_folders(data: Path, tmp_path: Path) -> None:
    action = "shutil.rmtree(outputs)\nsay(f'done {outputs}/{image.stem}_label.tiff')"
    rows = run(make_server(tmp_path / "bad", data, action), data)
    assert [row["status"] for row in rows] == ["failed", "failed"]
    assert {row["message"] for row in rows} == {"the outputs folder was removed or replaced"}


def test_a_start_is_not_measured_with_an_image_that_fails(
    data: Path, tmp_path: Path, log: Path
) -> None:
    action = "if image.stem == 'test0':\n    say('failed too small')\nelse:\n    answer(image)"
    folder = make_server(tmp_path / "good", data, action, env={"LOG": str(log)})
    assert [row["status"] for row in run(folder, data)] == ["failed", "ok"]
    assert noted(log) == [*("start", "test0"), *("start", "test1") * 3, "test0", "test1"]


def test_a_program_that_crashes_on_the_smallest_image_only(data: Path, tmp_path: Path) -> None:
    action = "if image.stem == 'test0': os._exit(3)\nanswer(image)"
    rows = run(make_server(tmp_path / "bad", data, action), data)
    assert [(row["status"], row["exit_code"]) for row in rows] == [("failed", 3), ("ok", None)]
