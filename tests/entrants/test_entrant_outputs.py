"""What entrants write: label maps under any name, and failures that are rows."""

import csv
from pathlib import Path

import numpy as np
import pytest
from datasets import make_dataset
from hostile_entrants import make_entrant, run
from label_formats import matlab, npy, png, seg_npy, tiff

from cellbench.cli import main
from cellbench.entrants.results import RESOURCE_COLUMNS
from cellbench.evaluation import evaluate_folder
from cellbench.labels import read_labels


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "data")


def test_label_maps_times_and_resources(data: Path, tmp_path: Path) -> None:
    folder = make_entrant(tmp_path / "good", data)
    rows = run(folder, data)
    out = tmp_path / "out/good"
    assert [row["status"] for row in rows] == ["ok", "ok"]
    for stem in ("test0", "test1"):
        made, truth = out / f"{stem}_label.tiff", data / f"test/labels/{stem}_label.tiff"
        assert made.read_bytes() == truth.read_bytes()
    with (out / "resources.csv").open(newline="") as file:
        first = next(csv.DictReader(file))
    assert tuple(first) == RESOURCE_COLUMNS
    assert float(first["cpu_s"]) > 0
    assert 1 < float(first["peak_memory_mb"]) < 2000
    assert first["message"] == "looking at test0.png"
    assert (first["isolation"], first["timing"], first["start_s"]) == ("process", "cold", "")
    assert float(first["load"]) >= 0
    with (out / "runtime.csv").open(newline="") as file:
        times = list(csv.DictReader(file))
    assert [row["Img Name"] for row in times] == ["test0.png", "test1.png"]
    assert [row["Rank Running Time"] for row in times] == ["0.0", "0.0"]
    assert float(times[0]["Real Running Time"]) == float(first["wall_s"])
    assert not [path for path in out.iterdir() if path.name.startswith(".run-")]


@pytest.mark.parametrize(
    ("action", "options", "status", "message"),
    [
        ("sys.exit('no memory left')", {}, "failed", "no memory left"),
        ("sys.exit(0)", {}, "missing", "looking at test0.png"),
        (
            "outputs.rmdir(); sys.exit(0)",
            {},
            "missing",
            "the outputs folder was removed or replaced",
        ),
        (
            "(outputs / f'{image.stem}_label.png').touch()",
            {},
            "unreadable",
            "label map: the file is empty; copy or save it again",
        ),
        ("time.sleep(60)", {"timeout_factor": 0.5}, "timeout", "looking at test0.png"),
        ("import os; os.kill(os.getpid(), 9)", {}, "failed", "looking at test0.png"),
    ],
)
def test_failures_are_rows(
    data: Path, tmp_path: Path, action: str, options: dict[str, object], status: str, message: str
) -> None:
    folder = make_entrant(tmp_path / "bad", data, action, **options)
    rows = run(folder, data)
    assert [row["status"] for row in rows] == [status, status]
    assert rows[0]["message"] == message
    assert not list((tmp_path / "out/bad").glob("*.tiff"))
    assert (tmp_path / "out/bad/runtime.csv").read_text().count("\n") == 1


@pytest.mark.parametrize(
    "name",
    ["{}.tif", "{}.tiff", "{}_cp_masks.png", "{}_Masks.TIF", "{}_seg.npy", "{}.npy", "{}.mat"],
)
def test_other_names_and_formats_become_tiff(data: Path, tmp_path: Path, name: str) -> None:
    action = f"shutil.copyfile('maps/' + image.stem, outputs / {name!r}.format(image.stem))"
    folder = make_entrant(tmp_path / "other", data, action)
    (folder / "maps").mkdir()
    writers = {".png": png, ".npy": npy, ".mat": matlab}
    for path in (data / "test/labels").iterdir():
        write = seg_npy if "seg" in name else writers.get(Path(name).suffix, tiff())
        write(folder / "maps" / path.name.removesuffix("_label.tiff"), read_labels(path))
    rows = run(folder, data)
    assert [row["status"] for row in rows] == ["ok", "ok"]
    for path in (data / "test/labels").iterdir():
        taken = tmp_path / "out/other" / path.name
        assert taken.read_bytes()[:2] in (b"II", b"MM")
        np.testing.assert_array_equal(read_labels(taken), read_labels(path))
    table = evaluate_folder(data / "test/labels", tmp_path / "out/other")
    assert list(table["f1"]) == [1.0, 1.0]


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("(outputs / 'b.tif').touch()", "wrote b.tif, wanted test0_label.tiff"),
        (
            "(outputs / 'a.jpg').touch(); (outputs / 'masks').mkdir()",
            "wrote a.jpg, masks/, wanted test0_label.tiff",
        ),
        ("(outputs / 'x\\x1b[2J\\n.tif').touch()", "wrote x?[2J?.tif, wanted test0_label.tiff"),
        ("(outputs / '.hidden').touch()", "looking at test0.png"),
        (
            "(outputs / 'test0.tif').symlink_to('/etc/passwd')",
            "test0.tif: not a regular file, so it is not opened",
        ),
        (
            "(outputs / 'a').touch(); os.link(outputs / 'a', outputs / 'test0_masks.png')",
            "test0_masks.png: a hard link to another file, so it is not taken",
        ),
    ],
)
def test_what_was_wanted_and_what_was_written(
    data: Path, tmp_path: Path, action: str, message: str
) -> None:
    rows = run(make_entrant(tmp_path / "bad", data, action), data)
    assert (rows[0]["status"], rows[0]["message"]) == ("missing", message)


def test_the_reason_is_on_the_screen(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_entrant(tmp_path / "bad", data, "(outputs / 'b.tif').touch()")
    words = ["run", str(folder), "--data", str(data), "--out", str(tmp_path / "p")]
    assert main(words) == 0
    shown = capsys.readouterr().err
    assert "bad: segmenting 2 images\n" in shown
    assert "bad: test0 is missing: wrote b.tif, wanted test0_label.tiff\n" in shown


def test_a_program_that_writes_nothing(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "idle").mkdir()
    (tmp_path / "idle/entry.yaml").write_text(
        "name: idle\ncommand: ['true', '{inputs}', '{outputs}']\n"
    )
    words = ["run", str(tmp_path / "idle"), "--data", str(data), "--out", str(tmp_path / "p")]
    assert main(words) == 0
    assert "idle: test0 is missing: wrote no file\n" in capsys.readouterr().err


def test_an_unreadable_image_is_a_row(data: Path, tmp_path: Path) -> None:
    (data / "test/images/test0.png").write_text("no picture")
    rows = run(make_entrant(tmp_path / "good", data), data)
    assert [row["status"] for row in rows] == ["failed", "ok"]
    assert "test0.png" in rows[0]["message"]


def test_outputs_named_as_the_official_scripts_do(data: Path, tmp_path: Path) -> None:
    for folder, old, new in (
        ("images", "test0.png", "b.x.png"),
        ("labels", "test0_label.tiff", "b_label.tiff"),
    ):
        (data / "test" / folder / old).rename(data / "test" / folder / new)
    program = "shutil.copyfile('answers/b_label.tiff', outputs / 'b_label.tiff')"
    rows = run(make_entrant(tmp_path / "good", data, program), data)
    assert (rows[0]["image"], rows[0]["status"]) == ("b.x", "ok")
    assert (tmp_path / "out/good/b.x_label.tiff").is_file()
