"""What a program can see and reach: neither the truth, nor secrets, nor anything outside its folders."""

import socket
from pathlib import Path

import pytest
from datasets import make_dataset
from hostile_entrants import ISOLATIONS, make_entrant, run

from cellbench.errors import EntrantError

SEARCH = """
found = []
system = {"proc", "sys", "usr", "opt", "lib", "lib64", "etc", "site-packages", "answers"}
for root in ["/", *(f"/proc/{p}/root" for p in os.listdir("/proc") if p.isdigit())]:
    for place, folders, files in os.walk(root):
        folders[:] = set(folders) - system
        found += [f"{place}/{name}" for name in files if name.startswith(image.stem + "_label")]
for pid in filter(str.isdigit, os.listdir("/proc")):
    for link in (f"/proc/{pid}/cwd/data", f"/proc/{pid}/fd"):
        try:
            found += [name for name in os.listdir(link) if image.stem in name]
            found += [t for n in os.listdir(link) if "_label" in (t := os.readlink(f"{link}/{n}"))]
        except OSError:
            pass
sys.exit(f"found {found}" if found else answer())
"""


def test_the_truth_is_not_found(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in a folder of PYTHONPATH that contains the dataset, nor through links or /proc."""
    (tmp_path / "link").symlink_to(data)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(data)
    folder = make_entrant(tmp_path / "seeker", data, SEARCH)
    (row,) = run(folder, data, "bubblewrap")
    assert (row["status"], row["message"]) == ("ok", "looking at test0.png")


def test_an_entry_whose_folder_contains_the_dataset(tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "entrant/data", images=1)
    folder = tmp_path / "entrant"
    make_entrant(folder / "x", data, SEARCH)
    for path in (folder / "x").iterdir():
        path.rename(folder / path.name)
    (row,) = run(folder, data, "bubblewrap")
    assert (row["status"], row["message"]) == ("ok", "looking at test0.png")


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_secrets_of_the_environment_are_not_passed_on(
    data: Path, tmp_path: Path, isolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKEN", "secret")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    action = (
        "answer(); print(*(os.environ.get(n) for n in ('API_TOKEN', 'OMP_NUM_THREADS', 'MINE')))"
    )
    env = {"MINE": "entry", "TRUTH": "", "OUT": ""}
    folder = make_entrant(tmp_path / "good", data, action, env=env)
    (row,) = run(folder, data, isolation)
    assert row["message"] == "None 3 entry"
    action = "answer(); home = pathlib.Path.home(); (home / 'x').touch(); print(home.stat().st_uid)"
    folder = make_entrant(tmp_path / "at_home", data, action)
    assert run(folder, data, isolation)[0]["status"] == "ok"
    assert not (Path.home() / "x").exists()


INSIDE = """
import socket
assert os.getpid() < 50, "not in a namespace of its own"
problems = []
for path in ("/x", "/usr/x", "/dev/x", "/proc/sys/vm/x", "/workspace/x", "program.py", "/etc/x"):
    try:
        open(path, "w"); problems.append(path)
    except OSError:
        pass
try:
    text = open("/proc/sys/vm/swappiness").read()
    open("/proc/sys/vm/swappiness", "w").write(text); problems.append("sysctl")
except OSError:
    pass
try:
    socket.create_connection(("127.0.0.1", PORT), timeout=5); problems.append("network")
except OSError:
    pass
if os.path.exists("/etc/shadow"):
    problems.append("shadow")
open("/tmp/x", "w"); open("/dev/shm/x", "w")
answer(); print(problems, flush=True)
subprocess.Popen(["sleep", "60"]); os.kill(-1, 9)
"""


def test_what_a_program_in_bubblewrap_can_do(data: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        action = INSIDE.replace("PORT", str(server.getsockname()[1]))
        (row,) = run(make_entrant(tmp_path / "good", data, action), data, "bubblewrap")
    assert (row["status"], row["message"]) == ("ok", "[]")


def test_predictions_are_not_written_into_the_dataset(data: Path, tmp_path: Path) -> None:
    """Somebody made DIR a link to a split, and an entrant has the name of its folder."""
    (tmp_path / "out").symlink_to(data / "test")
    folder = make_entrant(tmp_path / "labels", data)
    with pytest.raises(EntrantError, match="leads into the dataset"):
        run(folder, data)
    (tmp_path / "out").unlink()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/labels").symlink_to(data / "test/labels")
    with pytest.raises(EntrantError, match="is a link"):
        run(folder, data)
    assert (data / "test/labels/test0_label.tiff").is_file()
