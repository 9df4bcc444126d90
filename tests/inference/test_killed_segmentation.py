"""`cellbench segment` that is stopped: finished label maps are kept, and nothing is done twice."""

import csv
import errno
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from checkpoints import save_checkpoint, small_unet
from PIL import Image

from cellbench.cli import main
from cellbench.errors import WriteError
from cellbench.evaluation.journal import Journal
from cellbench.inference import segment
from cellbench.inference.finished import JOURNAL_FILE, FinishedImages
from cellbench.inference.segment import read_model_image
from cellbench.labels import label_path
from cellbench.locks import locked_folder

STEMS = ["a", "b", "c", "d"]
KEPT_BY_POINT = {"network": 2, "label map": 2, "before the record": 2, "record": 2, "after": 3}
"""Where a process is killed while it works on the third image, and how many images are finished then."""

KILL = """
import os, signal, sys
import tifffile
from cellbench.cli import main
from cellbench.evaluation import journal
from cellbench.inference import finished, segment

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
        segment.segment_image = killing(segment.segment_image, lambda *_: None)
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
        segment.read_model_image = killing(segment.read_model_image, lambda *_: None)
    main([*words, os.path.join(root, point)])
    os._exit(0)
"""


@dataclass
class Runs:
    """Runs of `cellbench segment` in this process.

    Attributes:
        root: temporary folder.
        read: stems of the images that were segmented since the last call.
    """

    root: Path
    read: list[str] = field(default_factory=list)

    def words(self) -> list[str]:
        checkpoint = self.root / "model.ckpt"
        return ["segment", str(self.root / "images"), "--checkpoint", str(checkpoint), *DEVICE]

    def __call__(self, *more: object, out: str = "out", status: int = 0) -> list[str]:
        self.read.clear()
        assert main([*self.words(), str(self.root / out), *map(str, more)]) == status
        return list(self.read)

    def maps(self, out: str = "out") -> dict[str, bytes]:
        return {each.name: each.read_bytes() for each in sorted((self.root / out).glob("*.tiff"))}


DEVICE = ["--device", "cpu", "--precision", "32"]


def write_image(path: Path, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 255, (70, 90, 3), np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    save_checkpoint(small_unet(2), tmp_path / "model.ckpt")
    (tmp_path / "images").mkdir()
    for seed, stem in enumerate(STEMS):
        write_image(tmp_path / f"images/{stem}.png", seed)
    runs = Runs(tmp_path)

    def read(models: object, path: Path) -> object:
        runs.read.append(path.stem)
        return read_model_image(models, path)  # type: ignore[arg-type]

    monkeypatch.setattr(segment, "read_model_image", read)
    return runs


def times(out: Path) -> dict[str, float]:
    with (out / "runtime.csv").open(newline="") as file:
        return {row["Img Name"]: float(row["Real Running Time"]) for row in csv.DictReader(file)}


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


def test_a_complete_run_does_nothing_again(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    out = runs.root / "out"
    assert runs() == STEMS
    before = {path: path.read_bytes() for path in out.iterdir()}
    (runs.root / "images").rename(runs.root / "moved")
    (runs.root / "images").symlink_to("moved")
    shutil.copy(runs.root / "model.ckpt", runs.root / "copy.ckpt")
    (runs.root / "copy.ckpt").replace(runs.root / "model.ckpt")
    capsys.readouterr()
    assert runs() == []
    said = capsys.readouterr()
    assert said.err == f"{out}: 4 of 4 label maps are kept from an earlier run\n"
    assert said.out == f"4 of 4 images are segmented; label maps are in {out}\n"
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    write_image(runs.root / "images/e.png", 5)
    assert runs() == ["e"]
    assert [*times(out)] == [f"{stem}.png" for stem in [*STEMS, "e"]]


def other_checkpoint(runs: Runs) -> None:
    save_checkpoint(small_unet(6), runs.root / "model.ckpt")


@pytest.mark.parametrize(
    ("words", "change", "name"),
    [
        (["--overlap", 0.6], None, "overlap"),
        (["--tta"], None, "tta"),
        (["--precision", "auto"], None, "precision"),
        ([], other_checkpoint, "checkpoints"),
    ],
)
def test_other_settings_begin_again(
    words: list[object],
    change: Callable[[Runs], None] | None,
    name: str,
    runs: Runs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Not even a kill leaves label maps or tables of two settings in the folder."""
    out = runs.root / "out"
    runs()
    if change is not None:
        change(runs)
    with monkeypatch.context() as patch:
        patch.setattr(FinishedImages, "write_tables", lambda *_: None)
        patch.setattr(segment, "segment_image", interrupt)
        runs(*words, status=130)
    assert f"other settings ({name})" in capsys.readouterr().err
    assert {path.name for path in out.iterdir()} == {JOURNAL_FILE}
    assert runs(*words) == STEMS
    assert runs(*words) == []
    runs(*words, out="other")
    assert runs.maps() == runs.maps("other")


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def changed_image(runs: Runs) -> None:
    write_image(runs.root / "images/b.png", 9)


def other_format(runs: Runs) -> None:
    (runs.root / "images/b.png").rename(runs.root / "images/b.tif")


def deleted_map(runs: Runs) -> None:
    (runs.root / "out/b_label.tiff").unlink()


def changed_map(runs: Runs) -> None:
    shutil.copy(runs.root / "out/a_label.tiff", runs.root / "out/b_label.tiff")


def edited_record(text: str) -> Callable[[Runs], None]:
    def edit(runs: Runs) -> None:
        path = runs.root / "out" / JOURNAL_FILE
        lines = path.read_text().splitlines()
        assert lines[3].startswith('["b_label.tiff"')
        lines[3] = text
        path.write_text("\n".join(lines))

    return edit


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changed_image, "b.png is segmented again, because an image or its label map has changed"),
        (other_format, "b.tif is segmented again"),
        (deleted_map, "b.png is segmented again"),
        (changed_map, "b.png is segmented again"),
        (edited_record('["b_label.tiff", {"image": "b.p'), "3 of 4 label maps are kept"),
        (edited_record('["b_label.tiff", {"image": "b.png"}]'), "3 of 4 label maps are kept"),
        (edited_record('["b_label.tiff", 7]'), "3 of 4 label maps are kept"),
    ],
)
def test_only_what_changed_is_segmented_again(
    change: Callable[[Runs], None], said: str, runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    runs()
    first = times(runs.root / "out")
    change(runs)
    capsys.readouterr()
    assert runs() == ["b"]
    line = capsys.readouterr().err
    assert line.startswith(f"{runs.root / 'out'}: 3 of 4 label maps are kept from an earlier run")
    assert said in line
    assert len(line.splitlines()) == 1
    again = times(runs.root / "out")
    assert {name: again[name] for name in ("a.png", "c.png", "d.png")} == {
        name: first[name] for name in ("a.png", "c.png", "d.png")
    }
    runs(out="other")
    assert runs.maps() == runs.maps("other")


def test_a_journal_without_settings_is_not_trusted(runs: Runs) -> None:
    runs()
    path = runs.root / "out" / JOURNAL_FILE
    lines = path.read_text().splitlines()
    assert lines[1].startswith('["settings"')
    path.write_text("\n".join([*lines[:1], lines[1][:50], *lines[2:]]))
    assert runs() == STEMS


def test_an_image_that_changes_while_it_is_segmented_is_not_kept(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = segment.segment_image

    def change(*arguments: object, **options: object) -> object:
        write_image(runs.root / f"images/{runs.read[-1]}.png", 20)
        return original(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(segment, "segment_image", change)
        runs()
    assert runs() == STEMS


def test_failed_images_are_tried_again(runs: Runs) -> None:
    shutil.move(runs.root / "images/b.png", runs.root / "b.png")
    (runs.root / "images/b.png").write_text("no picture")
    assert runs(status=1) == STEMS
    assert runs(status=1) == ["b"]
    shutil.move(runs.root / "b.png", runs.root / "images/b.png")
    assert runs() == ["b"]


def test_label_maps_of_other_settings_do_not_stay(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    """Images that are not given would keep the label maps of the earlier settings."""
    runs()
    one = ["segment", str(runs.root / "images/c.png"), str(runs.root / "out"), *DEVICE]
    one += ["--checkpoint", str(runs.root / "model.ckpt")]
    before = runs.maps()
    capsys.readouterr()
    assert main([*one, "--tta"]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "contains label maps of other images (a.png and 2 more) that were made with" in line
    assert runs.maps() == before
    assert main(one) == 0
    assert runs() == []


def test_two_runs_into_one_folder(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    with locked_folder(runs.root / "out", WriteError):
        assert runs(status=1) == []
    line = f"cellbench: {runs.root / 'out'}: another cellbench process is writing to this folder"
    assert capsys.readouterr().err.startswith(line)
    assert list((runs.root / "out").iterdir()) == []


def test_a_full_disk_is_one_line(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The images after it are not segmented in vain."""

    def full(*_: object, **__: object) -> None:
        if len(runs.read) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(*_, **__)

    write = segment.write_labels.__globals__["tifffile"].imwrite
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
