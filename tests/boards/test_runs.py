"""What a board states about how its algorithms were run, and that changed predictions are refused."""

import json
import shutil
from pathlib import Path

import pytest
from datasets import make_dataset
from hostile_entrants import make_entrant, make_server, run

from cellbench.boards.runs import describe_runs
from cellbench.cli import main
from cellbench.entrants.entries import AlgorithmEntry


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset, ``scores.csv``, and in ``out`` the predictions of a warm and of a cold entrant."""
    folder = tmp_path_factory.mktemp("run")
    data = make_dataset(folder / "data", images=3)
    run(make_server(folder / "fast", data), data, compare=True)
    run(make_entrant(folder / "slow", data, "answer(); time.sleep(0.1)"), data)
    words = ["evaluate", str(data / "test/labels"), str(folder / "out")]
    assert main([*words, "--out", str(folder / "scores.csv")]) == 0
    return folder


def rank(folder: Path, out: Path) -> int:
    entries = sorted(folder.glob("out/*/entry.yaml"))
    words = ["rank", str(folder / "scores.csv"), "--out", str(out), "--bootstrap", "5"]
    return main([*words, "--entries", *map(str, entries)])


def test_the_page_names_timing_isolation_and_what_was_used(finished: Path, tmp_path: Path) -> None:
    assert rank(finished, tmp_path) == 0
    runs = json.loads((tmp_path / "provenance.json").read_text())["runs"]
    assert (runs["fast"]["timing"], runs["slow"]["timing"]) == ("warm", "cold")
    assert {run["isolation"] for run in runs.values()} == {"process"}
    assert runs["fast"]["start_s"] > 0
    assert (runs["fast"]["compared"], runs["slow"]["compared"]) == (3, 0)
    assert runs["slow"]["start_s"] is runs["slow"]["cold_minus_warm_s"] is None
    assert main(["report", str(tmp_path)]) == 0
    page = (tmp_path / "report.html").read_text()
    for words in (
        "plus the time of the image in a running process (fast)",
        "from its start to its end (slow)",
        "load average of the machine: up to ",
        "cold minus warm time, medians: ",
        " s (fast, 3 images)",
        "process (fast, slow)",
        "CPU time",
        "GiB",
    ):
        assert words in page


def test_predictions_that_were_changed_are_not_ranked(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(finished, tmp_path / "run")
    times = tmp_path / "run/out/fast/runtime.csv"
    times.write_text(times.read_text().replace("test1.png,", "test1.png,1"))
    assert rank(tmp_path / "run", tmp_path / "board") == 1
    assert "fast: the time of test1 changed after cellbench run" in capsys.readouterr().err
    assert not (tmp_path / "board").exists()


def test_tables_of_other_programs_may_lack_columns(tmp_path: Path) -> None:
    (tmp_path / "resources.csv").write_text("image,status,cpu_s,load\na,ok,1,x\nb,ok,3,\n")
    assert describe_runs([tmp_path], [AlgorithmEntry(name="other")]) == {
        "other": {
            "isolation": "",
            "timing": "",
            "start_s": None,
            "cpu_s": 2.0,
            "peak_memory_mb": None,
            "peak_gpu_mb": None,
            "load": None,
            "compared": 0,
            "cold_minus_warm_s": None,
        }
    }
