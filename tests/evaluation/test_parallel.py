"""Scoring in other processes: on a real Dask cluster, whatever dies, and with errors that travel."""

import inspect
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask
import numpy as np
import pytest
from distributed import Client, versions
from label_maps import discs

from cellbench import errors
from cellbench.errors import CellbenchError, LabelMapError, ScoresError
from cellbench.evaluation import parallel, score_folder, score_image
from cellbench.evaluation.parallel import results_as_they_come
from cellbench.labels import read_labels, write_labels

Pair = tuple[Path, Path]


@contextmanager
def running(folder: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a part of a Dask cluster, which finds the same modules as this process."""
    words = [sys.executable, "-m", "dask", *command, "--host", "127.0.0.1", "--no-dashboard"]
    settings = {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
    }
    with (folder / f"{command[0]}.log").open("ab") as log:
        process = subprocess.Popen(words, env=os.environ | settings, stderr=log, cwd=folder)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def running_scheduler(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a scheduler without workers, and yield its address."""
    file = folder / "scheduler.json"
    command = ("scheduler", "--port", "0", "--scheduler-file", str(file))
    with running(folder, *command) as process:
        deadline = time.monotonic() + 30
        while not file.is_file() or not file.read_text().endswith("}"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield json.loads(file.read_text())["address"], process


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_scheduler(tmp_path_factory.mktemp("cluster")) as (address, _):
        yield address


@contextmanager
def workers(scheduler: str, folder: Path) -> Iterator[dict[int, subprocess.Popen[bytes]]]:
    """Run two workers of one thread, by process id."""
    command = ("worker", scheduler, "--no-nanny", "--nthreads", "1")
    with running(folder, *command) as one, running(folder, *command) as two:
        with Client(scheduler, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=30)
        yield {one.pid: one, two.pid: two}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_PATIENCE_SECONDS", 1.0)


def score_slowly(pair: Pair) -> tuple[int, float]:
    time.sleep(0.1)
    truth, prediction = map(read_labels, pair)
    return os.getpid(), score_image(truth, prediction)[0].f1


def time_out(_: object) -> None:
    raise TimeoutError("too slow")


def exit_at_once(_: object) -> None:
    os._exit(1)


def write_pairs(folder: Path, count: int) -> dict[str, Pair]:
    pairs = {}
    for number in range(count):
        pair = folder / f"truth/{number}_label.tiff", folder / f"mine/{number}_label.tiff"
        write_labels(pair[0], discs(seed=number))
        write_labels(pair[1], np.roll(discs(seed=number), number % 5, axis=0))
        pairs[str(number)] = pair
    return pairs


@pytest.mark.slow
def test_every_image_has_its_result_once_though_a_worker_is_killed(
    scheduler: str, tmp_path: Path
) -> None:
    pairs = write_pairs(tmp_path, 16)
    places, scores = [], []
    with workers(scheduler, tmp_path) as processes:
        for key, (place, f1) in results_as_they_come(score_slowly, pairs, 1, scheduler):
            places.append(place)
            scores.append((key, f1))
            if len(places) == 4:
                processes[place].send_signal(signal.SIGKILL)
        assert processes[places[3]].wait(timeout=30) == -signal.SIGKILL
        assert set(places) == set(processes)
    assert len(scores) == len(pairs)
    assert dict(scores) == {key: score_slowly(pair)[1] for key, pair in pairs.items()}


@pytest.mark.slow
def test_a_folder_scored_on_a_cluster(scheduler: str, tmp_path: Path) -> None:
    write_pairs(tmp_path, 6)
    (tmp_path / "mine/3_label.tiff").write_bytes(b"II*\0 torn")
    folders = tmp_path / "truth", tmp_path / "mine"
    with workers(scheduler, tmp_path):
        tables = score_folder(*folders, tables=("scores", "cells"), scheduler=scheduler)
        # What the caller no longer wants is not done.
        made = {str(number): tmp_path / f"made {number}" for number in range(200)}
        results = results_as_they_come(make_slowly, made, 1, scheduler)
        next(results)
        results.close()
        time.sleep(0.3)
        done = [path for path in made.values() if path.exists()]
        time.sleep(0.3)
        assert [path for path in made.values() if path.exists()] == done
        # An error of the work is raised unchanged, every time.
        for _ in range(2):
            with pytest.raises(LabelMapError, match=r"absent\.npy: no such file"):
                list(results_as_they_come(read_labels, {"a": "absent.npy"}, 1, scheduler))
        with pytest.raises(TimeoutError, match="too slow"):
            list(results_as_they_come(time_out, {"a": 1}, 1, scheduler))
    assert str(tables) == str(score_folder(*folders, tables=("scores", "cells")))


def make_slowly(path: Path) -> None:
    time.sleep(0.05)
    path.touch()


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
def test_workers_that_die_are_one_clear_error(scheduler: str, tmp_path: Path) -> None:
    with (
        workers(scheduler, tmp_path) as processes,
        pytest.raises(
            ScoresError, match="workers died at the same image, possibly because memory ran out"
        ),
    ):
        list(results_as_they_come(exit_at_once, {"a": 1}, 1, scheduler))
    assert all(process.wait(timeout=30) for process in processes.values())
    with pytest.raises(ScoresError, match=f"^{scheduler}: the cluster has no workers"):
        list(results_as_they_come(len, {"a": "a"}, 1, scheduler))


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
def test_losing_the_cluster_is_one_clear_error(
    scheduler: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    items = {str(number): 0.05 for number in range(200)}
    with workers(scheduler, tmp_path) as processes:
        results = results_as_they_come(time.sleep, items, 1, scheduler)
        next(results)
        for process in processes.values():
            process.kill()
        with pytest.raises(ScoresError, match=f"^{scheduler}: the cluster has no workers"):
            list(results)
    assert capfd.readouterr().err == ""


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
def test_losing_results_with_the_cluster_is_one_clear_error(scheduler: str, tmp_path: Path) -> None:
    """Two results are done, and then no worker is left that has them or could repeat them."""
    items = {str(number): tmp_path / f"made {number}" for number in range(20)}
    with workers(scheduler, tmp_path) as processes:
        results = results_as_they_come(make_slowly, items, 1, scheduler)
        next(results)
        deadline = time.monotonic() + 60
        while not all(path.exists() for path in items.values()) and time.monotonic() < deadline:
            time.sleep(0.05)
        for process in processes.values():
            process.kill()
            process.wait()
        with pytest.raises(ScoresError, match=f"^{scheduler}: the cluster has no workers"):
            list(results)


@pytest.mark.slow
def test_losing_the_scheduler_is_one_clear_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    items = {str(number): 0.05 for number in range(200)}
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "5s"}),
        running_scheduler(tmp_path) as (address, process),
        workers(address, tmp_path),
    ):
        results = results_as_they_come(time.sleep, items, 1, address)
        next(results)
        process.kill()
        with pytest.raises(
            ScoresError, match=f"^{address}: the connection to the scheduler was lost"
        ):
            list(results)
    assert capfd.readouterr().err == ""


def test_other_versions_are_refused(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = versions.get_versions

    def other(packages: Sequence[str] = ()) -> dict[str, Any]:
        report: dict[str, Any] = found(packages)
        report["packages"].update({name: "0.0.7" for name in packages if name == "cellbench"})
        return report

    with workers(scheduler, tmp_path):
        monkeypatch.setattr(versions, "get_versions", other)
        with pytest.raises(ScoresError, match=r"has cellbench .*, but this machine has 0\.0\.7"):
            list(results_as_they_come(len, {"a": "a"}, 1, scheduler))


@pytest.mark.parametrize("address", ["nonsense", "ftp://localhost:1", "tcp://127.0.0.1:1", ""])
def test_no_scheduler_there(address: str, capfd: pytest.CaptureFixture[str]) -> None:
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "0.5s"}),
        pytest.raises(ScoresError, match=f"^{address}: no Dask scheduler answers") as error,
    ):
        list(results_as_they_come(len, {"a": "a"}, 1, address))
    assert "\n" not in str(error.value)
    assert capfd.readouterr().err == ""


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ScoresError, match=r"pip install 'cellbench\[distributed\]'"):
        list(results_as_they_come(len, {"a": "a"}, 1, "tcp://127.0.0.1:1"))


ERRORS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("kind", ERRORS)
def test_errors_travel_between_processes(kind: type[CellbenchError]) -> None:
    again = pickle.loads(pickle.dumps(kind("a.tiff: is empty; write it again")))
    assert type(again) is kind
    assert str(again) == "a.tiff: is empty; write it again"
    assert issubclass(kind, CellbenchError)
