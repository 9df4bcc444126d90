"""What each foreign layout has of its own: odd folders, overlaps, run-length codes, damage."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cellbench.data.folder import read_dataset
from cellbench.data.importers import import_dataset
from cellbench.errors import CellbenchError, DatasetError
from cellbench.labels import read_labels, write_labels


def pair(images: Path, labels: Path | None, stem: str, suffix: str = ".png") -> None:
    """Save an image, and a label map of one cell."""
    images.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((3, 4), np.uint8)).save(images / f"{stem}{suffix}")
    if labels is not None:
        write_labels(labels / f"{stem}_label.tiff", np.eye(3, 4, dtype=np.uint8))


def found(root: Path) -> list[tuple[str, str]]:
    return [(one.split, one.stem) for one in read_dataset(root)]


def test_the_challenge_as_zenodo_unpacks(tmp_path: Path) -> None:
    source = tmp_path / "source"
    training, tuning = source / "Training-labeled" / "Training-labeled", source / "TUNING"
    public, hidden = source / "Testing/Testing/Public", source / "Testing/Testing/Hidden"
    pair(training / "images", training / "labels", "cell_00001", ".bmp")
    pair(tuning / "images", tuning / "labels", "cell_00001")
    pair(public / "images", public / "labels", "OpenTest_001")
    pair(public / "images", public / "1st_osilab_seg", "OpenTest_002")
    pair(public / "WSI", public / "WSI-labels", "OpenTest_051")
    pair(hidden / "images", hidden / "osilab_seg", "TestHidden_001")
    pair(source / "train-unlabeled-part1" / "release-part1", None, "unlabeled_1")
    pair(source / "train_unlabeled_part2", None, "unlabeled_2")
    pair(source / "__MACOSX" / "Tuning" / "images", None, "._cell")
    report = import_dataset("neurips22", source, tmp_path / "root")
    assert found(tmp_path / "root") == [
        ("train", "cell_00001"),
        ("tune", "cell_00001"),
        ("test", "OpenTest_001"),
        ("test", "OpenTest_051"),
    ]
    assert (report.images, report.unlabeled, report.cells) == (4, 2, 4)
    first, second = report.warnings
    assert first.endswith("Hidden/images: the truth is not public, not imported")
    assert "OpenTest_002.png: has no label map; wanted OpenTest_002_label.tiff" in second
    unlabeled = sorted(path.name for path in (tmp_path / "root" / "unlabeled/images").iterdir())
    assert unlabeled == ["unlabeled_1.png", "unlabeled_2.png"]
    with pytest.raises(DatasetError, match="the source puts it into train; leave --split out"):
        import_dataset("neurips22", source, tmp_path / "other", split="test")


def test_stardists_subset_keeps_its_test_split(tmp_path: Path) -> None:
    source = tmp_path / "dsb2018" / "dsb2018"
    for split, count in (("train", 30), ("test", 3)):
        for number in range(count):
            pair(source / split / "images", None, f"{split}{number:02}")
            write_labels(
                source / split / "masks" / f"{split}{number:02}.tif", np.eye(3, 4, dtype=int)
            )
    import_dataset("dsb2018", tmp_path / "dsb2018", tmp_path / "root", fractions="50/50/0")
    splits = [split for split, _ in found(tmp_path / "root")]
    assert splits.count("test") == 3
    assert splits.count("train") + splits.count("tune") == 30
    assert min(splits.count("train"), splits.count("tune")) > 5


def test_overlapping_masks_keep_the_first(tmp_path: Path) -> None:
    pair(tmp_path / "x" / "images", None, "x")
    for name, pixels in (("m1", [0, 1, 2]), ("m2", [2, 3]), ("m3", [0])):
        mask = np.zeros((3, 4), np.uint8)
        mask.flat[pixels] = 255
        (tmp_path / "x" / "masks").mkdir(exist_ok=True)
        Image.fromarray(mask).save(tmp_path / "x" / "masks" / f"{name}.png")
    report = import_dataset("dsb2018", tmp_path, tmp_path / "root", split="train")
    labels = read_labels(tmp_path / "root/train/labels/x_label.tiff")
    assert labels[0].tolist() == [1, 1, 1, 2]
    assert report.cells == 2
    assert [line.split("x.png: ")[1] for line in report.warnings] == [
        "cells overlap by 2 px, the first mask keeps them",
        "cells without a pixel of their own are left out: 1",
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("id,annotation\nx,1 2 3\n", r"line 2, image x: run-length code: expected pairs"),
        ("id,annotation\nx,1 2\nx,12 2\n", r"line 3, image x: run-length code: ends at pixel 13"),
        ("id,annotation\nx,0 2\n", r"line 2, image x: .* must be at least 1"),
        ("id,annotation\nx,3 2 1 1\n", r"line 2, image x: .* not sorted"),
        (f"id,annotation\nx,1 {10**30}\n", r"line 2, image x: "),
        (
            "id,annotation,width,height\nx,1 2,9,3\n",
            r"line 2, image x: states the size 3 × 9, but the image is 3 × 4",
        ),
        ("id,annotation\ny,1 2\n", r"line 2, image y: there is no such image"),
        ("id,annotation\n../x,1 2\n", r"line 2: '../x' is not a plain file name"),
        ("id,annotation\n,1 2\n", r"line 2: '' is not a plain file name"),
        ("image,annotation\nx,1 2\n", r"needs the columns id and annotation"),
        ("", r"needs the columns id and annotation"),
        ("id,annotation\nx,\udcff\n", r"not a CSV file in UTF-8"),
    ],
)
def test_broken_kaggle_tables(table: str, message: str, tmp_path: Path) -> None:
    pair(tmp_path / "train", None, "x")
    with pytest.raises(DatasetError, match=r"train\.csv: no such file; name the table"):
        import_dataset("kaggle-rle", tmp_path, tmp_path / "root")
    (tmp_path / "train.csv").write_bytes(table.encode(errors="surrogateescape"))
    with pytest.raises(DatasetError, match=message) as caught:
        import_dataset("kaggle-rle", tmp_path, tmp_path / "root")
    assert "train.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_overlapping_kaggle_rows_keep_the_first(tmp_path: Path) -> None:
    pair(tmp_path / "train", None, "x")
    pair(tmp_path / "train", None, "unlisted")
    (tmp_path / "train.csv").write_text("id,annotation\nx,1 3\nx,3 2\n")
    report = import_dataset("kaggle-rle", tmp_path, tmp_path / "root", split="train")
    labels = read_labels(tmp_path / "root/train/labels/x_label.tiff")
    assert labels[0].tolist() == [1, 1, 1, 2]
    assert [line.rsplit("/", 1)[1] for line in report.warnings] == [
        "unlisted.png: is not in train.csv, not imported",
        "x.png: cells overlap by 1 px, the first row keeps them",
    ]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("labels/x_label.tiff", r"x_label\.tiff: not a TIFF, PNG, NPY or NPZ"),
        ("images/x.png", r"x\.png: "),
        ("images/x.bmp", r"x\.png: has the same stem as x\.bmp"),
    ],
)
def test_damaged_folders(damage: str, message: str, tmp_path: Path) -> None:
    pair(tmp_path / "images", tmp_path / "labels", "x")
    (tmp_path / damage).write_bytes(b"no image")
    with pytest.raises(CellbenchError, match=message):
        import_dataset("folder", tmp_path, tmp_path / "root")
    assert not list((tmp_path / "root").rglob("*.*"))


def test_a_label_map_of_another_shape(tmp_path: Path) -> None:
    pair(tmp_path / "images", None, "x")
    write_labels(tmp_path / "labels" / "x.tif", np.eye(5, dtype=int))
    with pytest.raises(
        DatasetError, match=r"x\.tif: the label map is \(5, 5\), but x\.png is \(3, 4\)"
    ):
        import_dataset("folder", tmp_path, tmp_path / "root")
    with pytest.raises(DatasetError, match=r"x\.png: has no label map; wanted x_label\.tiff"):
        import_dataset("folder", tmp_path, tmp_path / "root", labels="images")
