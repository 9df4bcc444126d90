"""Hostile and careless programs: each has its row, does no harm, and leaves nothing behind."""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from datasets import make_dataset
from hostile_entrants import ISOLATIONS, make_entrant, run

from cellbench.entrants.control_groups import ControlGroup
from cellbench.entrants.limits import Limits
from cellbench.evaluation import evaluate_folder
from cellbench.labels import read_labels

SLEEP = f"86399.{os.getpid()}"
"""Seconds that background processes sleep, by which these tests find those that were left.

Tests that run beside them in another process have another number.
"""

Expected = tuple[str, str]
"""Status, and a part of the message."""

ANYWHERE: dict[str, tuple[str, dict[str, object], Expected]] = {
    "a program that kills itself": ("os.kill(os.getpid(), 9)", {}, ("failed", "looking at")),
    "a program that kills its group": ("answer(); os.killpg(0, 9)", {}, ("failed", "looking at")),
    "a program that stops itself": (
        "answer(); os.kill(os.getpid(), signal.SIGSTOP)",
        {"timeout_factor": 0.5},
        ("timeout", "looking at"),
    ),
    "a program that ignores signals": (
        "[signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]\nwhile True: pass",
        {"timeout_factor": 0.5},
        ("timeout", "looking at"),
    ),
    "a daemon": (
        f"answer(); subprocess.Popen(['sleep', '{SLEEP}'], start_new_session=True)",
        {},
        ("ok", "looking at"),
    ),
    "a double fork": (
        "answer()\nif not os.fork():\n    os.setsid()\n    if not os.fork():\n"
        f"        os.execvp('sleep', ['sleep', '{SLEEP}'])\n    os._exit(0)",
        {},
        ("ok", "looking at"),
    ),
    "a named pipe": ("os.mkfifo(target)", {}, ("missing", "not a regular file")),
    "a link to a system file": (
        "target.symlink_to('/etc/passwd')",
        {},
        ("missing", "not a regular"),
    ),
    "a link to the truth": (
        "target.symlink_to(f\"{os.environ['TRUTH']}/{target.name}\")",
        {},
        ("missing", "not a regular file"),
    ),
    "a link to its own answer": (
        "shutil.copyfile(f'answers/{target.name}', outputs / 'x'); target.symlink_to('x')",
        {},
        ("missing", "not a regular file"),
    ),
    "a sparse file of 2 GB": ("target.open('wb').truncate(2 << 30)", {}, ("failed", "too large")),
    "a sparse file of 900 MB": (
        "target.open('wb').truncate(900 << 20)",
        {},
        ("failed", "larger than"),
    ),
    "two label maps": (
        "answer(); shutil.copyfile(target, target.with_suffix('.tif'))",
        {},
        ("invalid", "two label maps"),
    ),
    "no permissions": ("answer(); target.chmod(0); outputs.chmod(0)", {}, ("ok", "looking at")),
    "3000 nested folders": (
        "answer(); os.chdir(outputs)\nfor _ in range(3000): os.mkdir('d'); os.chdir('d')",
        {},
        ("failed", "too deep folders"),
    ),
    "2000 files": (
        "answer()\nfor n in range(2000): (outputs / str(n)).touch()",
        {},
        ("failed", "more than 1000 files"),
    ),
    "a log of 64 MB": (
        "answer()\nfor _ in range(64): print('x' * (1 << 20))\nprint('the \\0 end\\x1b[2J')",
        {},
        ("ok", "the end [2J"),
    ),
    "a memory hog in a child": (
        "answer()\nif not os.fork():\n    block = bytearray(400 << 20); time.sleep(60)\nos.wait()",
        {"memory": "150m"},
        ("failed", "more memory"),
    ),
    "a hog by many children": (
        "answer()\nfor _ in range(4):\n    if not os.fork():\n"
        "        block = b'x' * (60 << 20); time.sleep(60)\ntime.sleep(60)",
        {"memory": "150m"},
        ("failed", "more memory"),
    ),
    "an unusable label map": ("target.write_bytes(b'II*\\0 no')", {}, ("unreadable", "label map")),
    "an empty label map": ("target.touch()", {}, ("unreadable", "empty")),
    "another image's label map": (
        "shutil.copyfile('answers/test1_label.tiff', target)",
        {},
        ("wrong-shape", "but the image has (64, 96)"),
    ),
    "negative ids": ("shutil.copyfile('negative.tiff', target)", {}, ("invalid", "negative id")),
    "removed outputs": (
        "shutil.rmtree(outputs, ignore_errors=True); shutil.rmtree(outputs.parent, ignore_errors=True)",
        {},
        ("missing", ""),
    ),
}
"""Program, options of the entry, and what is expected at every level of isolation."""

BY_ISOLATION: dict[str, tuple[str, dict[str, Expected]]] = {
    "a hard link to the truth": (
        "os.link(f\"{os.environ['TRUTH']}/{target.name}\", target)",
        {"process": ("missing", "a hard link"), "bubblewrap": ("failed", "No such file")},
    ),
    "a program that kills its parent": (
        "answer(); os.kill(os.getppid(), 9); time.sleep(0.5)",
        # The first process of a container ignores signals from inside.
        {"process": ("failed", "looking at"), "bubblewrap": ("ok", "looking at")},
    ),
    "outputs replaced by a link to the truth": (
        "outputs.rmdir(); outputs.symlink_to(os.environ['TRUTH'])",
        {
            "process": ("missing", "removed or replaced"),
            "bubblewrap": ("failed", "Read-only file system"),
        },
    ),
    "changed inputs": (
        "answer(); image.write_text('changed')",
        {"process": ("ok", ""), "bubblewrap": ("failed", "Read-only file system")},
    ),
    "a deleted predictions folder": (
        "answer(); shutil.rmtree(os.environ['OUT'])",
        {"process": ("missing", "removed or replaced"), "bubblewrap": ("failed", "No such file")},
    ),
    "a predictions folder replaced by a link to the truth": (
        "answer(); out = os.environ['OUT']; os.rename(out + '/hostile', out + '/moved')\n"
        "os.symlink(os.environ['TRUTH'], out + '/hostile')",
        {"process": ("ok", ""), "bubblewrap": ("failed", "No such file")},
    ),
    "links for the harness to write through": (
        "answer(); out = os.environ['OUT'] + '/hostile/'\n"
        "truth = f\"{os.environ['TRUTH']}/{target.name}\"\n"
        "os.link(truth, out + '.journal')\n"
        "for pid in filter(str.isdigit, os.listdir('/proc')):\n"
        "    os.symlink(truth, f'{out}.{target.stem}.{pid}.partial.tiff')\n"
        "    os.symlink(truth, f'{out}.resources.{pid}.partial.csv')",
        {"process": ("ok", ""), "bubblewrap": ("failed", "No such file")},
    ),
    "folders in place of the harness's files": (
        "answer()\n"
        "for name in ('.journal', 'resources.csv', 'runtime.csv', target.name):\n"
        "    path = pathlib.Path(os.environ['OUT'], 'hostile', name)\n"
        "    path.unlink(missing_ok=True); path.mkdir(); (path / 'x').mkdir()",
        {"process": ("ok", ""), "bubblewrap": ("failed", "No such file")},
    ),
    "a changed program": (
        "answer(); pathlib.Path('program.py').write_text('')",
        {"process": ("ok", ""), "bubblewrap": ("failed", "Read-only file system")},
    ),
}
"""Program, and what is expected by isolation."""


def sleepers() -> list[str]:
    """List the background processes of the hostile programs."""
    found = []
    for path in Path("/proc").iterdir():
        try:
            if path.name.isdigit() and SLEEP in (path / "cmdline").read_text().split("\0"):
                found.append(path.name)
        except OSError:
            continue
    return found


def processes_are_limited() -> bool:
    """Return whether the kernel limits the number of processes of a control group here."""
    group = ControlGroup(f"cellbench-test-{os.getpid()}", 1 << 30, 40)
    group.remove()
    return group.limits_processes


def check(data: Path, name: str, row: dict[str, Any], expected: Expected) -> None:
    """Check the row, that nothing was harmed or left, and that evaluation gives the same status."""
    status, message = expected
    assert (row["status"], message in row["message"]) == (status, True), row
    assert "\n" not in row["message"]
    assert len(row["message"]) <= 500
    truth = data / "test/labels"
    assert sorted(path.name for path in truth.iterdir()) == ["test0_label.tiff"]
    out = data.parent / "out" / name
    assert not list(out.glob(".run-*"))
    assert not sleepers()
    table = evaluate_folder(truth, out)
    assert list(table["status"]) == [status]
    assert list(table["f1"]) == [float(status == "ok")]


def prepare(data: Path, folder: Path, action: str, **options: object) -> Path:
    """Write an entrant that also has label maps of another size and with negative ids."""
    make_entrant(folder, data, action, **options)
    other = data / "test/labels/test1_label.tiff"
    other.unlink()
    labels = read_labels(folder / "answers/test0_label.tiff").astype(np.int32)
    tifffile.imwrite(folder / "negative.tiff", labels - 1)
    return folder


@pytest.mark.parametrize("isolation", ISOLATIONS)
@pytest.mark.parametrize("name", [*ANYWHERE, *BY_ISOLATION])
def test_every_fault_is_a_row(data: Path, tmp_path: Path, isolation: str, name: str) -> None:
    options: dict[str, object] = {}
    if name in ANYWHERE:
        action, options, expected = ANYWHERE[name]
    else:
        action, depending = BY_ISOLATION[name]
        expected = depending[isolation]
    files = data / "test/images/test0.png", data / "test/labels/test0_label.tiff"
    before = [path.read_bytes() for path in files]
    folder = prepare(data, tmp_path / "hostile", action, **options)
    (row,) = run(folder, data, isolation)
    check(data, "hostile", row, expected)
    assert row["isolation"] == isolation
    assert [path.read_bytes() for path in files] == before


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_a_fork_bomb_is_limited(
    data: Path, tmp_path: Path, isolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not processes_are_limited():
        pytest.skip("the kernel does not limit the number of processes here")
    monkeypatch.setattr(
        "cellbench.entrants.job.Limits",
        lambda *values: replace(Limits(*values), processes=40),
    )
    # At most 512 processes, if the limit should fail.
    bomb = f"answer()\nfor _ in range(9): os.fork()\nos.execvp('sleep', ['sleep', '{SLEEP}'])"
    folder = prepare(data, tmp_path / "bomb", bomb)
    (row,) = run(folder, data, isolation)
    check(data, "bomb", row, ("failed", "more processes"))


def test_a_killed_supervisor(data: Path, tmp_path: Path) -> None:
    action = (
        "answer(); subprocess.Popen(['sleep', '" + SLEEP + "'])\n"
        "stat = pathlib.Path(f'/proc/{os.getppid()}/stat').read_text()\n"
        "os.kill(int(stat.rpartition(') ')[2].split()[1]), 9); time.sleep(60)"
    )
    folder = prepare(data, tmp_path / "hostile", action)
    (row,) = run(folder, data)
    assert row["status"] == "failed"
    assert row["message"] == "killed the process that supervised it"
    if not processes_are_limited():
        pytest.skip("without control groups, the rest of such a program is not found")
    deadline = time.monotonic() + 20
    while sleepers():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_rerun_heals(tmp_path: Path) -> None:
    """One entrant deletes and changes what another one made."""
    data = make_dataset(tmp_path / "two", images=2)
    good = make_entrant(tmp_path / "good", data)
    first = run(good, data)
    action = (
        "out = pathlib.Path(os.environ['OUT']) / 'good'; (out / 'test0_label.tiff').write_text('x')\n"
        "(out / 'test1_label.tiff').unlink(missing_ok=True); answer()"
    )
    run(make_entrant(tmp_path / "vandal", data, action), data)
    healed = run(good, data)
    assert [row["status"] for row in healed] == ["ok", "ok"]
    assert [row["wall_s"] for row in healed] != [row["wall_s"] for row in first]
    table = evaluate_folder(data / "test/labels", tmp_path / "out/good")
    assert list(table["f1"]) == [1.0, 1.0]
