"""``setup`` runs once for each version; the environment, the data and the sources of an entrant."""

import ast
from pathlib import Path

import pytest
from datasets import make_dataset
from hostile_entrants import ISOLATIONS, make_entrant, run

from cellbench.entrants.entries import Entry, read_entry
from cellbench.entrants.sources import source_files

COUNT = "open('setups', 'a').write('x'); print('installing')"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "data", images=1)


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_setup_runs_once_for_each_version(data: Path, tmp_path: Path, isolation: str) -> None:
    setup = ["python", "-c", COUNT, "requirements.txt"]
    folder = make_entrant(tmp_path / "good", data, "answer(); open('setups')", setup=setup)
    (folder / "requirements.txt").write_text("numpy")
    assert run(folder, data, isolation)[0]["status"] == "ok"
    (tmp_path / "out").rename(tmp_path / "other")  # the stamp is beside the entry
    run(folder, data, isolation)
    assert (folder / "setups").read_text() == "x"
    assert (folder / ".cellbench-setup.log").read_text() == "installing\n"
    (folder / "program.py").open("a").write("# changed")
    run(folder, data, isolation)
    assert (folder / "setups").read_text() == "x"
    (folder / "requirements.txt").write_text("numpy>2")
    run(folder, data, isolation)
    assert (folder / "setups").read_text() == "xx"


def test_a_failed_setup_is_the_result_of_every_image(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = make_entrant(tmp_path / "bad", data, setup=["python", "-c", "exit('no compiler')"])
    (row,) = run(failing, data)
    assert row["status"] == "failed"
    assert "the `setup` command of bad failed: no compiler" in row["message"]
    monkeypatch.setattr("cellbench.entrants.setup.SECONDS", 1.0)
    words = ["python", "-c", "print('downloading', flush=True); __import__('time').sleep(600)"]
    endless = make_entrant(tmp_path / "endless", data, setup=words)
    (row,) = run(endless, data)
    assert "took longer than 1 s" in row["message"]
    assert (endless / ".cellbench-setup.log").read_text() == "downloading\n"


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_only_setup_sees_how_to_reach_the_network(
    data: Path, tmp_path: Path, isolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "SSL_CERT_FILE", "LAB_TOKEN"):
        monkeypatch.setenv(name, "/etc/lab")
    code = "import os; print([name for name in os.environ if os.environ[name] == '/etc/lab'])"
    check = "assert '/etc/lab' not in __import__('os').environ.values(); answer()"
    folder = make_entrant(tmp_path / "good", data, check, setup=["python", "-c", code])
    assert run(folder, data, isolation)[0]["status"] == "ok"
    log = (folder / ".cellbench-setup.log").read_text()
    assert sorted(ast.literal_eval(log)) == ["SSL_CERT_FILE", "https_proxy"]


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_setup_sees_the_train_and_tune_splits_only(
    data: Path, tmp_path: Path, isolation: str
) -> None:
    code = "import os, sys; d = sys.argv[1]; print(sorted(os.listdir(d)), os.listdir(d + '/train/images'))"
    folder = make_entrant(tmp_path / "good", data, setup=["python", "-c", code, "{data}"])
    assert run(folder, data, isolation)[0]["status"] == "ok"
    log = (folder / ".cellbench-setup.log").read_text()
    assert log == "['train', 'tune'] ['train0.png']\n"


def test_sources_decide_whether_results_are_kept(data: Path, tmp_path: Path) -> None:
    folder = make_entrant(tmp_path / "good", data)
    for name in (
        ".venv/lib/x.py",
        "env/x.py",
        "lib/y.py",
        "lib/w.bin",
        ".hidden.py",
        "node_modules/z.py",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "env/pyvenv.cfg").touch()
    entry = read_entry(folder)

    def names(entry: Entry) -> set[str]:
        return {str(path.relative_to(folder)) for path in source_files(entry, folder)}

    assert names(entry) == {"lib/y.py", "program.py", "python", "-S"}
    assert names(entry.model_copy(update={"sources": ["lib/**", "*.py"]})) == {
        "lib/y.py", "lib/w.bin", "program.py", "python", "-S",
    }  # fmt: skip
    first = run(folder, data)
    (folder / ".venv/lib/x.py").write_text("# changed")
    assert run(folder, data) == first
    (folder / "lib/y.py").write_text("# changed")
    assert run(folder, data) != first


def test_words_of_a_command_may_be_longer_than_paths(data: Path, tmp_path: Path) -> None:
    code = f"exec(open('program.py').read()) # {'x' * 5000}"
    folder = make_entrant(
        *(tmp_path / "good", data),
        command=["python", "-c", code, "{inputs}", "{outputs}"],
        setup=["python", "-c", code[-5000:] + " = 1"],
    )
    (row,) = run(folder, data)
    assert (row["status"], row["message"]) == ("ok", "looking at test0.png")


def test_only_our_own_models_depend_on_cellbench(tmp_path: Path) -> None:
    ours = Entry(name="a", command=["cellbench", "segment", "{inputs}", "{outputs}"])
    theirs = Entry(name="a", command=["python", "x.py", "{inputs}", "{outputs}"])
    assert "collect.py" in {path.name for path in source_files(ours, tmp_path)}
    assert "collect.py" not in {path.name for path in source_files(theirs, tmp_path)}
