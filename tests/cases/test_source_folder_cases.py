"""Folders as annotation tools and benchmarks publish them: imported with their splits, or one line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from cellbench.cli import main
from cellbench.data.folder import read_dataset
from cellbench.errors import DatasetError
from cellbench.labels import LabelMap, read_labels

SHAPE = (20, 30)
BOX = (4, 3, 12, 9)
TRUTH = np.zeros(SHAPE, np.uint16)
TRUTH[3:9, 4:12] = 1


def save(path: Path, array: LabelMap = TRUTH) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() == ".tif":
        tifffile.imwrite(path, array)
    else:
        Image.fromarray(array.astype(np.uint8)).save(path)


def save_coco(path: Path, *names: str, iscrowd: int = 0) -> None:
    left, top, right, bottom = BOX
    ring = [left, top, right, top, right, bottom, left, bottom]
    content: dict[str, Any] = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(names)],
        "annotations": [
            {"id": k, "image_id": k, "category_id": 1, "segmentation": [ring], "iscrowd": iscrowd}
            for k in range(len(names))
        ],
        "categories": [{"id": 0, "name": "cells"}, {"id": 1, "name": "cell"}],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), "utf-8")


def run_import(importer: str, source: Path, root: Path, *more: str) -> int:
    return main(["data", "import", importer, str(source), str(root), *more])


def splits_of(root: Path) -> dict[str, str]:
    """Check the label map of each image; return the splits by stem."""
    images = read_dataset(root)
    for image in images:
        assert image.labels is not None
        np.testing.assert_array_equal(read_labels(image.labels), TRUTH)
    return {image.stem: image.split for image in images}


def test_roboflow_has_a_coco_file_in_the_folder_of_each_split(tmp_path: Path) -> None:
    for folder, stem in (("train", "a"), ("valid", "b"), ("test", "c")):
        save(tmp_path / "source" / folder / f"{stem}_png.rf.12ab.jpg")
        save_coco(
            tmp_path / "source" / folder / "_annotations.coco.json", f"{stem}_png.rf.12ab.jpg"
        )
    assert run_import("coco", tmp_path / "source", tmp_path / "root") == 0
    assert splits_of(tmp_path / "root") == {
        "a_png.rf.12ab": "train",
        "b_png.rf.12ab": "tune",
        "c_png.rf.12ab": "test",
    }


@pytest.mark.parametrize("folder", ["annotations", "."])
def test_the_names_of_coco_files_say_the_split(folder: str, tmp_path: Path) -> None:
    for split, stem in (("train2017", "a"), ("val2017", "b")):
        save(tmp_path / "source" / split / f"{stem}.png")
        save_coco(tmp_path / "source" / folder / f"instances_{split}.json", f"{stem}.png")
    assert run_import("coco", tmp_path / "source", tmp_path / "root") == 0
    assert splits_of(tmp_path / "root") == {"a": "train", "b": "tune"}


def test_coco_files_without_a_split_have_to_be_chosen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "a.png")
    for name in ("instances_train.json", "captions_train.json"):
        save_coco(tmp_path / "annotations" / name, "a.png")
    assert run_import("coco", tmp_path, tmp_path / "root") == 1
    line = capsys.readouterr().err
    assert "contains 2 JSON files (annotations/captions_train.json, annotations/inst" in line
    assert "name the annotation file with --annotations" in line


def test_images_are_beside_the_folder_of_the_coco_file(tmp_path: Path) -> None:
    save(tmp_path / "source/images/a.png")
    save_coco(tmp_path / "source/annotations/instances_default.json", "a.png")
    file = tmp_path / "source/annotations/instances_default.json"
    assert run_import("coco", file, tmp_path / "root", "--split", "test") == 0
    assert splits_of(tmp_path / "root") == {"a": "test"}


def test_crowds_alone_are_no_images_without_cells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "a.png")
    save_coco(tmp_path / "cells.json", "a.png", iscrowd=1)
    assert run_import("coco", tmp_path, tmp_path / "root") == 1
    assert "all annotations are crowds (iscrowd is 1)" in capsys.readouterr().err


def test_an_import_into_a_folder_inside_its_source_can_be_run_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for stem in "abc":
        save(tmp_path / f"{stem}.png")
        save(tmp_path / f"{stem}_masks.png")
    for _ in range(2):
        assert run_import("folder", tmp_path, tmp_path / "out/root") == 0
        assert "3 images with 3 cells (train 1, tune 1, test 1)\n" in capsys.readouterr().out
    assert set(splits_of(tmp_path / "out/root")) == set("abc")
    assert run_import("folder", tmp_path, tmp_path) == 1
    assert "is the source itself; choose another folder" in capsys.readouterr().err
    assert run_import("folder", tmp_path / "out", tmp_path / "new") == 1
    assert f"of the dataset folder root; to import that, name {tmp_path}/out/root" in (
        capsys.readouterr().err
    )
    assert run_import("folder", tmp_path / "out/root", tmp_path / "new") == 0


@pytest.mark.parametrize(
    ("image", "label", "options"),
    [
        ("rawimages/x_0.tif", "groundtruth/x_0.tif", []),  # S-BSST265
        ("01/t007.tif", "01_GT/SEG/man_seg007.tif", ["--images", "01", "--labels", "01_GT/SEG"]),
        ("A/tissue images/a.png", "A/label masks/a.tif", []),  # NuInsSeg
    ],
)
def test_names_of_published_datasets(
    image: str, label: str, options: list[str], tmp_path: Path
) -> None:
    save(tmp_path / "source" / image)
    save(tmp_path / "source" / label)
    save(tmp_path / "source/visualized_groundtruth" / Path(image).name)
    assert run_import("folder", tmp_path / "source", tmp_path / "root", *options) == 0
    assert len(splits_of(tmp_path / "root")) == 1


@pytest.mark.parametrize(
    ("image", "files", "advice"),
    [
        ("a.tif", ["0001.roi", "0002.roi"], "save all of an image as one RoiSet.zip"),
        ("images/a.tif", ["masks/a.xml"], "a.xml contains outlines, convert them to GeoJSON or"),
        ("images/a.tif", ["labels/a.txt"], "a.txt contains outlines, as YOLO writes them"),
        (None, ["images/images.npy", "masks/masks.npy"], "contains many images, save each image"),
    ],
)
def test_advice_about_files_that_are_not_read(
    image: str | None,
    files: list[str],
    advice: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if image:
        save(tmp_path / "source" / image)
    for name in files:
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("?")
    assert run_import("folder", tmp_path / "source", tmp_path / "root") == 1
    line = capsys.readouterr().err
    assert advice in line
    assert "dsb2018" not in line


def test_two_label_maps_of_an_image_are_no_masks_of_single_cells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("images/a.png", "masks/a.png", "masks/a.tif"):
        save(tmp_path / "source" / name)
    assert run_import("folder", tmp_path / "source", tmp_path / "root") == 1
    line = capsys.readouterr().err
    assert line.endswith(
        f"has several label maps, a.png and a.tif in {tmp_path}/source/masks; remove all but one\n"
    )


def geojson(kind: str, coordinates: object, object_type: str) -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "geometry": geometry, "properties": {"objectType": object_type}}


@pytest.mark.parametrize(
    "content",
    [
        geojson("Polygon", [[[0, 0], [9, 0], [9, 9], [0, 0]]], "tile"),
        geojson("Point", [3, 3], "annotation"),
        {"shapes": [{"points": [[3, 3]], "shape_type": "point"}]},
    ],
)
def test_objects_without_an_outline_are_no_image_without_cells(
    content: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "a.png")
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert run_import("folder", tmp_path, tmp_path / "root") == 1
    assert "contains no outline of a cell, but 1 other objects" in capsys.readouterr().err


def test_circles_of_labelme(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    circle = {"points": [[10, 8], [15, 8]], "shape_type": "circle"}
    (tmp_path / "a.json").write_text(json.dumps({"shapes": [circle]}))
    assert run_import("folder", tmp_path, tmp_path / "root", "--split", "test") == 0
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    disc = (rows + 0.5 - 8) ** 2 + (columns + 0.5 - 10) ** 2 <= 25
    labels = read_labels(tmp_path / "root/test/labels/a_label.tiff")
    np.testing.assert_array_equal(labels, disc.astype(int))


@pytest.mark.parametrize(
    ("image", "outlines"),
    [
        ("a.tif", "a_annotations.geojson"),
        ("a.tif", "a.tif - cells.geojson"),
        ("a_cells.tif", "a_cells.geojson"),
        ("plate_roi.tif", "plate_roi.geojson"),
    ],
)
def test_names_of_geojson_files(image: str, outlines: str, tmp_path: Path) -> None:
    left, top, right, bottom = BOX
    ring = [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]
    save(tmp_path / image)
    (tmp_path / outlines).write_text(json.dumps(geojson("Polygon", [ring], "annotation")))
    assert run_import("folder", tmp_path, tmp_path / "root", "--split", "test") == 0
    assert splits_of(tmp_path / "root") == {image.removesuffix(".tif"): "test"}


@pytest.mark.parametrize("empty", ["", "-1", "-1.0", "None", "NaN"])
def test_rows_without_runs(empty: str, tmp_path: Path) -> None:
    save(tmp_path / "source/train/a.png")
    (tmp_path / "source/train.csv").write_text(f"ImageId,EncodedPixels\r\na.png,{empty}\r\n")
    assert run_import("kaggle-rle", tmp_path / "source", tmp_path / "root", "--split", "test") == 0
    assert not read_labels(tmp_path / "root/test/labels/a_label.tiff").any()


def test_a_table_without_rows_is_not_scored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "truth/a_label.tif")
    (tmp_path / "p.csv").write_text("ImageId,EncodedPixels\n")
    assert main(["evaluate", str(tmp_path / "truth"), str(tmp_path / "p.csv")]) == 1
    assert "p.csv: contains no rows" in capsys.readouterr().err


def test_what_is_no_folder_and_what_is_no_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "a.png")
    assert run_import("folder", tmp_path / "a.png", tmp_path / "root") == 1
    assert "a.png: is not a folder; name the folder of the unp" in capsys.readouterr().err
    assert run_import("folder", tmp_path, tmp_path / "root", "--order", "rows") == 2
    line = capsys.readouterr().err
    assert "--order: not an option of the importer folder, which has --images, --labels" in line


def test_a_missing_split_can_be_filled_from_another_one(tmp_path: Path) -> None:
    save(tmp_path / "train/images/a.png")
    with pytest.raises(DatasetError, match=r"no images in tune/images; add some, for example move"):
        read_dataset(tmp_path, ["tune"])


def test_masks_of_cells_in_jpeg_are_no_image_without_cells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("x/images/x.png", "x/masks/1.jpg", "y/images/y.png", "y/masks/1.png"):
        save(tmp_path / "source" / name)
    assert run_import("dsb2018", tmp_path / "source", tmp_path / "root", "--split", "test") == 1
    assert "x/masks/1.jpg: is not a file of a mask that is read" in capsys.readouterr().out
    assert splits_of(tmp_path / "root") == {"y": "test"}
