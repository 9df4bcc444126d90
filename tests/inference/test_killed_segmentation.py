"""`cellbench segment` that is stopped or fails: finished images are kept, and it continues."""

import errno
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from segmentation_runs import STEMS, Runs, times, write_image

from cellbench.errors import WriteError
from cellbench.evaluation.journal import Journal
from cellbench.inference import run_files
from cellbench.inference.finished import JOURNAL_FILE
from cellbench.labels import label_path
from cellbench.locks import locked_folder

KEPT_BY_POINT = {"network": 2, "label map": 2, "before the record": 2, "record": 2, "after": 3}
"""Where a process is killed while it works on the third image, and how many images are finished then."""

KILL = """
import os, signal, sys
import tifffile
from cellbench.cli import main
from cellbench.evaluation import journal
from cellbench.inference import finished, run_files

def killing(function, before):
    calls = []
    def call(*arguments, **options):
        calls.append(1)
        if len(calls) == nth:
            before(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return call

def half(path, *_):
    path.write_bytes(b"half")

line = journal._line
*words, root = sys.argv[1:]
for point in %r:
    if os.fork():
        os.wait()
        continue
    nth = 3
    if point == "network":
        run_files.segment_cells = killing(run_files.segment_cells, lambda *_: None)
    elif point == "label map":
        tifffile.imwrite = killing(tifffile.imwrite, half)
    elif point == "before the record":
        finished.FinishedImages.add = killing(finished.FinishedImages.add, lambda *_: None)
    elif point == "record":
        def write_half(book, key, result):
            with book._path.open("a") as file:
                file.write(line(key, result)[:40])
        nth = 4  # the first record holds the settings
        journal.Journal.add = killing(journal.Journal.add, write_half)
    else:
        nth = 4
        run_files.read_model_image = killing(run_files.read_model_image, lambda *_: None)
    main([*words, os.path.join(root, point)])
    os._exit(0)
"""


def recorded_times(out: Path) -> dict[str, float]:
    """Read the times that were measured when each image was segmented."""
    journal = Journal(out / JOURNAL_FILE)
    records = [journal.get(label_path(out, stem).name) for stem in STEMS]
    return {record["image"]: record["runtime_s"] for record in records}


def test_a_killed_run_continues(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    runs(out="whole")
    assert len(set(runs.maps("whole").values())) == len(STEMS)
    code = KILL % list(KEPT_BY_POINT)
    subprocess.run([sys.executable, "-c", code, *runs.words(), str(runs.root)], check=True)
    for point, count in KEPT_BY_POINT.items():
        out = runs.root / point
        assert not (out / "runtime.csv").exists()
        kept = [label_path(out, stem) for stem in STEMS[:count]]
        written = [path.stat().st_mtime_ns for path in kept]
        capsys.readouterr()
        assert runs(out=point) == STEMS[count:]
        line = f"{out}: {count} of 4 label maps are kept from an earlier run\n"
        assert capsys.readouterr().err == line
        names = {path.name for path in out.iterdir()}
        assert names == {path.name for path in (runs.root / "whole").iterdir()}
        assert runs.maps(point) == runs.maps("whole")
        assert [path.stat().st_mtime_ns for path in kept] == written
        assert [*times(out)] == [f"{stem}.png" for stem in STEMS]
        assert times(out) == recorded_times(out)
        whole = runs.root / "whole/segmentation.json"
        assert (out / "segmentation.json").read_text() == whole.read_text()


def test_a_journal_without_settings_is_not_trusted(runs: Runs) -> None:
    runs()
    path = runs.root / "out" / JOURNAL_FILE
    lines = path.read_text().splitlines()
    assert lines[1].startswith('["settings"')
    path.write_text("\n".join([*lines[:1], lines[1][:50], *lines[2:]]))
    assert runs() == STEMS


def test_failed_images_are_tried_again(runs: Runs) -> None:
    shutil.move(runs.root / "images/b.png", runs.root / "b.png")
    (runs.root / "images/b.png").write_text("no picture")
    assert runs(status=1) == STEMS
    assert runs(status=1) == ["b"]
    shutil.move(runs.root / "b.png", runs.root / "images/b.png")
    assert runs() == ["b"]


def test_two_runs_into_one_folder(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    with locked_folder(runs.root / "out", WriteError):
        assert runs(status=1) == []
    line = f"cellbench: {runs.root / 'out'}: another cellbench process is writing to this folder"
    assert capsys.readouterr().err.startswith(line)
    assert list((runs.root / "out").iterdir()) == []


def test_a_full_disk_is_one_line(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Images whose label maps could not be saved are not segmented."""

    def full(*_: object, **__: object) -> None:
        if len(runs.read) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(*_, **__)

    write = run_files.write_labels.__globals__["tifffile"].imwrite
    with monkeypatch.context() as patch:
        patch.setattr("tifffile.imwrite", full)
        assert runs(status=1) == ["a", "b", "c"]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        f"cellbench: {label_path(runs.root / 'out', 'c')}: cannot be written (No"
    )
    assert [*times(runs.root / "out")] == ["a.png", "b.png"]
    assert runs() == ["c", "d"]


def test_a_name_that_is_too_long_does_not_stop_the_rest(
    runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    for length in (235, 251):  # too long for the temporary file, and for the label map
        write_image(runs.root / f"images/{'b' * length}.png", 1)
    assert runs(status=1)[-2:] == ["c", "d"]
    assert len(caplog.records) == 2
    assert len(times(runs.root / "out")) == 4
