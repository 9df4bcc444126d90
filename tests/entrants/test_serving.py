"""Entrants that serve: one process for all images, and its start is measured separately."""

import csv
import os
import statistics
from pathlib import Path

import pytest
from datasets import make_dataset
from hostile_entrants import ISOLATIONS, make_entrant, make_server, noted, run

from cellbench.cli import main
from cellbench.entrants.job import Timing
from cellbench.entrants.serving import without_waiting
from cellbench.evaluation.seals import check_run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "data")


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
    assert float(first["wall_s"]) >= float(first["start_s"]) > 0
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
    """With another small image each time; the third process goes on to serve."""
    action = "time.sleep(0 if number else 0.3)\nanswer(image)"
    folder = make_server(tmp_path / "good", data, action, env={"LOG": str(log)})
    rows = run(folder, data)
    starts = ["start", "test0", "start", "test1", "start", "test0"]
    assert noted(log) == [*starts, "test0", "test1"]
    assert all(row["start_s"] > 0.3 > row["wall_s"] - row["start_s"] for row in rows)


def test_only_the_requested_image_is_shown(data: Path, tmp_path: Path) -> None:
    action = "assert os.listdir(image.parent) == [image.name] and not os.listdir(outputs)"
    action += "\nanswer(image)"
    folder = make_server(tmp_path / "good", data, action)
    assert [row["status"] for row in run(folder, data)] == ["ok", "ok"]


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_no_start_can_repeat_the_answer_of_another(tmp_path: Path, isolation: str) -> None:
    """The home folder is kept for compiled code; neither the starts nor the cold runs find label maps."""
    data = make_dataset(tmp_path / "data", images=3)
    action = (
        "home = pathlib.Path.home()\n"
        "if not number:\n"
        "    assert (home / 'starts').exists() == any(home.iterdir())\n"
        "    (home / 'starts').open('a').write('x')\n"
        "known = (home / image.name).exists()\n"
        "(home / image.name).touch()\n"
        "starts = len((home / 'starts').read_text())\n"
        "if known and not number: say('failed found the answer')\n"
        "elif starts < 3 and number: say('failed served by a start')\n"
        "else: answer(image)"
    )
    folder = make_server(tmp_path / "good", data, action)
    rows = run(folder, data, isolation)
    assert [row["message"] for row in rows] == [""] * 3


def test_processor_time_is_that_of_the_image(data: Path, tmp_path: Path) -> None:
    busy = """\
if image.stem == 'test1':
    subprocess.run([sys.executable, '-S', '-c', 'import time\\nwhile time.process_time() < .5: pass'])
block = b'x' * (100 << 20) if image.stem == 'test1' else b''
answer(image)"""
    first, second = run(make_server(tmp_path / "good", data, busy), data)
    assert first["cpu_s"] < 0.4 < 0.5 <= second["cpu_s"] < 5
    processors = len(os.sched_getaffinity(0))
    assert second["wall_s"] - second["start_s"] > 0.4 / processors
    assert first["peak_memory_mb"] < 100 < second["peak_memory_mb"] < 250


def test_an_interrupted_run_goes_on(data: Path, tmp_path: Path, log: Path) -> None:
    folder = make_server(tmp_path / "good", data, env={"LOG": str(log)})
    first = run(folder, data)
    log.unlink()
    assert run(folder, data) == first
    assert not log.exists()
    (tmp_path / "out/good/test1_label.tiff").unlink()
    again = run(folder, data)
    assert again[0] == first[0]
    assert noted(log) == ["start", "test0", "test1"]  # the known starts are not measured again
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


def test_compared_times_that_are_outdated_do_not_outlive_a_kill(data: Path, tmp_path: Path) -> None:
    folder = make_server(tmp_path / "good", data)
    run(folder, data, compare=True)
    table = tmp_path / "out/good/timings.csv"
    assert len(table.read_text().splitlines()) == 3
    (tmp_path / "out/good/test0_label.tiff").unlink()

    class Kill(BaseException):
        pass

    def kill(_: int) -> None:
        assert "test0" not in table.read_text()
        raise Kill

    with pytest.raises(Kill):
        run(folder, data, progress=kill)
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
    ("wall", "waited", "ran", "processor", "expected"),
    [
        (6.0, 0.0, 3.0, 3.0, 6.0),  # it waited for a disk or a graphics card, which is its own time
        (6.0, 4.0, 2.0, 2.0, 2.0),
        (
            6.0,
            5.9,
            6.0,
            12.0,
            6.0,
        ),  # its own threads used both processors, and waited for each other
        (6.0, 5.9, 1.0, 6.0, 3.0),
        (6.0, 5.9, 4.0, 4.1, 4.0),  # it also waited before the request and after the answer
        (0.1, 0.5, 0.0, 0.0, 0.0),
    ],
)
def test_waiting_for_other_programs_is_not_counted(
    wall: float,
    waited: float,
    ran: float,
    processor: float,
    expected: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    assert without_waiting(wall, waited, ran, processor) == pytest.approx(expected)
