"""Exporters: what they write is read back as the same cells, by the importers and by pycocotools."""

import csv
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from datasets import make_dataset
from label_maps import discs
from PIL import Image

from cellbench.cli import main
from cellbench.data.exporters import EXPORTERS, ONE_FILE, export_labels
from cellbench.data.importers import import_dataset
from cellbench.errors import CellbenchError
from cellbench.labels import LabelMap, encode_runs, read_labels, relabel, write_labels

TRUTH: dict[str, LabelMap] = {
    "a": discs(seed=1),
    "b.c": np.zeros((5, 7), np.uint16),
    "d": np.where(discs(seed=2) > 0, discs(seed=2) * 1000 + np.uint32(70_000), 0),
    "é": np.full((3, 4), 9),
}


# pycocotools is not yet used to NumPy 2's copy keyword.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for stem, labels in TRUTH.items():
        write_labels(tmp_path / "truth" / f"{stem}_label.tiff", labels)
    return tmp_path / "truth"


@pytest.mark.parametrize("form", ONE_FILE)
def test_an_import_gives_the_same_cells_back(form: str, folder: Path, tmp_path: Path) -> None:
    table, images = tmp_path / "foreign" / "cells.out", tmp_path / "foreign/images"
    images.mkdir(parents=True)
    for stem, labels in TRUTH.items():
        Image.new("L", labels.shape[::-1]).save(images / f"{stem}.png")
    assert export_labels(folder, table, form, images=images) == len(TRUTH)
    options = {"annotations": table.name, "images": "images", "split": "test"}
    report = import_dataset(form, tmp_path / "foreign", tmp_path / "root", **options)
    assert report.warnings == []
    for stem, labels in TRUTH.items():
        back = read_labels(tmp_path / f"root/test/labels/{stem}_label.tiff")
        np.testing.assert_array_equal(back, relabel(labels))


def test_the_table_is_kaggles(folder: Path, tmp_path: Path) -> None:
    export_labels(folder, tmp_path / "cells.csv", "kaggle-rle")
    with (tmp_path / "cells.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["id", "predicted"]
    assert rows[-2:] == [["d", encode_runs(TRUTH["d"] == TRUTH["d"].max())], ["é", "1 12"]]
    assert [runs for stem, runs in rows if stem == "b.c"] == [""]
    assert [stem for stem, _ in rows].count("a") == TRUTH["a"].max()


def test_pycocotools_reads_the_annotations(folder: Path, tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    export_labels(folder, tmp_path / "cells.json", "coco")
    content = coco.COCO(tmp_path / "cells.json")
    assert content.loadCats(content.getCatIds()) == [{"id": 1, "name": "cell"}]
    for image, (stem, labels) in zip(
        content.loadImgs(content.getImgIds()), TRUTH.items(), strict=True
    ):
        assert image["file_name"] == stem
        assert (image["height"], image["width"]) == labels.shape
        drawn = np.zeros_like(labels)
        annotations = content.loadAnns(content.getAnnIds(image["id"], iscrowd=False))
        for cell, annotation in zip(np.unique(labels[labels > 0]), annotations, strict=True):
            mask = content.annToMask(annotation).astype(bool)
            assert annotation["area"] == mask.sum()
            drawn[mask] = cell
        np.testing.assert_array_equal(drawn, labels)


def test_a_dataset_names_its_image_files(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "root")
    Image.new("L", (96, 64)).save(root / "test/images/test0.tif")
    (root / "test/images/test0.png").unlink()
    options = ["--to", "coco", "--split", "test"]
    assert main(["data", "export", str(root), str(tmp_path / "c.json"), *options]) == 0
    content = json.loads((tmp_path / "c.json").read_bytes())
    assert [image["file_name"] for image in content["images"]] == ["test0.tif", "test1.png"]
    images = {image["id"] for image in content["images"]}
    assert {cell["image_id"] for cell in content["annotations"]} == images
    assert len({cell["id"] for cell in content["annotations"]}) == len(content["annotations"])


def test_the_command_says_what_it_wrote(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "cells.csv"
    assert main(["data", "export", str(folder), str(out), "--to", "kaggle-rle"]) == 0
    assert capsys.readouterr().out == f"4 label maps written to {out}\n"
    assert main(["data", "export", str(folder), str(out), "--to", "voc"]) == 2
    assert main(["data", "export", str(folder), str(tmp_path / "g"), "--to", "geojson"]) == 0
    assert capsys.readouterr().out == f"4 label maps written to {tmp_path / 'g'}\n"
    found = sorted(path.name for path in (tmp_path / "g").iterdir())
    assert found == [f"{stem}.geojson" for stem in sorted(TRUTH)]


@pytest.mark.parametrize(
    ("split", "damage", "message"),
    [
        (
            None,
            "",
            r"root: contains no label maps .*test/labels.*or for a dataset folder add --split",
        ),
        ("test", "test/labels/test1_label.tiff", r"test1\.png: has no label map"),
        ("tune", "tune", r"root: no images in tune/images"),
    ],
)
def test_what_cannot_be_exported(
    split: str | None, damage: str, message: str, tmp_path: Path
) -> None:
    root = make_dataset(tmp_path / "root")
    (root / damage).rename(tmp_path / "away") if damage else None
    with pytest.raises(CellbenchError, match=message):
        export_labels(root, tmp_path / "out.csv", "kaggle-rle", split)


@pytest.mark.parametrize("form", ONE_FILE)
def test_a_failed_export_leaves_the_old_file(form: str, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "cells"
    out.write_text("old")
    (folder / "d_label.tiff").write_text("hello")
    with pytest.raises(CellbenchError, match=r"d_label\.tiff: not a TIFF"):
        export_labels(folder, out, form)
    assert out.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cells", "truth"]
    with pytest.raises(CellbenchError, match="voc: no such format; choose one of coco, kaggle-rle"):
        export_labels(folder, out, "voc")


@pytest.mark.parametrize("form", [each for each in EXPORTERS if each != "imagej-roi"])
def test_memory_holds_one_image_at_a_time(form: str, tmp_path: Path) -> None:
    labels = np.kron(np.arange(400).reshape(20, 20), np.ones((20, 20), int))
    peaks = []
    for number in range(4):
        write_labels(tmp_path / f"maps/{number}_label.tiff", labels)
        tracemalloc.start()
        export_labels(tmp_path / "maps", tmp_path / "out", form)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[3] < 1.3 * peaks[1]
