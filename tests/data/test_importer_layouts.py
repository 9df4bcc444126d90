"""`data import folder`: the folders and names of many tools, paired by one rule."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from cellbench.cli import main
from cellbench.data.folder import read_dataset
from cellbench.data.importers import import_dataset
from cellbench.errors import DatasetError
from cellbench.images import read_raw
from cellbench.labels import LabelMap, read_labels

SHAPE = (6, 9)


def truth(number: int) -> LabelMap:
    """A label map of two cells that is different for each number."""
    labels = np.zeros(SHAPE, np.uint16)
    labels[0, : number + 1] = 1
    labels[3:5, number:] = 2
    return labels


def save(path: Path, number: int, kind: str) -> None:
    """Save image or label map ``number`` in the format of its extension."""
    path.parent.mkdir(parents=True, exist_ok=True)
    array = truth(number) if kind == "labels" else np.full(SHAPE, number, np.uint8)
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix in (".tif", ".tiff"):
        tifffile.imwrite(path, array)
    else:
        Image.fromarray(array.astype(np.uint8)).save(path)


LAYOUTS: dict[str, tuple[dict[str, str], list[str]]] = {
    "one folder, as Cellpose distributes its images": (
        {"000_img.png": "000_masks.png", "001_img.png": "001_masks.png"},
        ["train:000_img", "train:001_img"],
    ),
    "one folder, as Cellpose writes masks": (
        {"a.tif": "a_cp_masks.png", "b.tif": "b_masks.tif"},
        ["train:a", "train:b"],
    ),
    "Cellpose with splits": (
        {"train/000_img.png": "train/000_masks.png", "test/000_img.png": "test/000_masks.png"},
        ["test:000_img", "train:000_img"],
    ),
    "StarDist": (
        {
            "train/images/x.tif": "train/masks/x.tif",
            "train/images/y.tif": "train/masks/y.tif",
            "test/images/x.tif": "test/masks/x.tif",
        },
        ["test:x", "train:x", "train:y"],
    ),
    "masks for labels": ({"images/a.png": "masks/a.png"}, ["train:a"]),
    "names with numbers": (
        {
            "images/image_001.png": "masks/mask_001.png",
            "images/image_002.png": "masks/mask_002.png",
        },
        ["train:image_001", "train:image_002"],
    ),
    "one folder with prefixes": (
        {"image_1.png": "mask_1.png", "image_2.png": "mask_2.png"},
        ["train:image_1", "train:image_2"],
    ),
    "subfolders on both sides": (
        {"images/A/a.png": "labels/A/a.png", "images/B/a.png": "labels/B/a.png"},
        ["train:A_a", "train:B_a"],
    ),
    "subfolders of the images only": (
        {"images/A/a.png": "labels/a.png", "images/B/b.png": "labels/b.png"},
        ["train:A_a", "train:B_b"],
    ),
    "splits in the folders of images and label maps": (
        {
            "images/train/a.png": "labels/train/a.png",
            "images/val/a.png": "labels/val/a.png",
            "images/test/a.png": "labels/test/a.png",
        },
        ["test:a", "train:a", "tune:a"],
    ),
    "splits in the names of the folders": (
        {"train_images/a.png": "train_masks/a.png", "Test_Images/b.png": "Test_Masks/b.png"},
        ["test:b", "train:a"],
    ),
    "valid for tune": (
        {"train/images/a.png": "train/labels/a.png", "valid/images/b.png": "valid/labels/b.png"},
        ["train:a", "tune:b"],
    ),
    "several plates": (
        {
            "plate 1/images/a.png": "plate 1/masks/a.png",
            "plate 2/images/a.png": "plate 2/masks/a.png",
        },
        ["train:plate 1_a", "train:plate 2_a"],
    ),
    "NuInsSeg": (
        {"human liver/tissue images/a.png": "human liver/label masks/a.tif"},
        ["train:human liver_a"],
    ),
    "a folder for each image": (
        {"s1/image.png": "s1/mask.png", "s2/image.png": "s2/mask.png"},
        ["train:s1_image", "train:s2_image"],
    ),
    "NumPy label maps": (
        {"images/a.png": "labels/a.npy", "images/b.png": "labels/b.npy"},
        ["train:a", "train:b"],
    ),
    "names with and without an ending": (
        {"images/a.png": "labels/a_masks.tif", "images/b.png": "labels/b.png"},
        ["train:a", "train:b"],
    ),
    "OME-TIFF": ({"images/a.ome.tif": "labels/a_label.ome.tiff"}, ["train:a.ome"]),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_image_gets_its_own_label_map(layout: str, tmp_path: Path) -> None:
    pairs, expected = LAYOUTS[layout]
    for number, (image, labels) in enumerate(pairs.items()):
        save(tmp_path / "source" / image, number, "image")
        save(tmp_path / "source" / labels, number, "labels")
    report = import_dataset("folder", tmp_path / "source", tmp_path / "root", fractions="1/0/0")
    assert [line for line in report.warnings if "training needs" not in line] == []
    assert report.problems == []
    found = read_dataset(tmp_path / "root")
    assert sorted(f"{one.split}:{one.stem}" for one in found) == expected
    for one in found:
        assert one.labels is not None
        number = int(read_raw(one.image)[0, 0, 0])
        np.testing.assert_array_equal(read_labels(one.labels), truth(number))


def test_the_folders_can_be_named(tmp_path: Path) -> None:
    for place, kind in (("pictures/x.png", "image"), ("cells/x.png", "labels")):
        save(tmp_path / "source" / place, 3, kind)
    save(tmp_path / "source/labels/x.png", 1, "labels")
    options = {"images": "pictures", "labels": "cells", "split": "test"}
    import_dataset("folder", tmp_path / "source", tmp_path / "root", **options)
    np.testing.assert_array_equal(read_labels(tmp_path / "root/test/labels/x_label.tiff"), truth(3))


def test_what_cellpose_writes_beside_its_label_maps_is_no_image(tmp_path: Path) -> None:
    source = tmp_path / "source"
    save(source / "a.tif", 2, "image")
    save(source / "a_cp_masks.tif", 2, "labels")
    for name in ("a_flows.tif", "a_outlines.png"):
        save(source / name, 5, "image")
    for name in ("a_cp_outlines.txt", "a_seg.npy", "Thumbs.db"):
        (source / name).write_text("x")
    report = import_dataset("folder", source, tmp_path / "root", split="test")
    assert (report.images, report.warnings) == (1, [])


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"images/a.png": "image", "labels/other.tif": "labels", "labels/notes.txt": "text"},
            r"images/a\.png: has no label map; wanted a_label\.tiff \(or a_masks\.png, a\.tif, …\) in "
            r".*labels, found notes\.txt, other\.tif",
        ),
        (
            {"images/a.png": "image", "labels/a.jpg": "labels"},
            r"labels/a\.jpg: JPEG changes the values of pixels and cannot hold a label map; export",
        ),
        (
            {"images/a.png": "image", "labels/a.bmp": "labels"},
            r"labels/a\.bmp: BMP cannot hold a label map; export",
        ),
        (
            {"images/a.png": "image", "labels/a.png": "labels", "labels/a.tif": "labels"},
            r"images/a\.png: has several label maps, a\.png and a\.tif in .*; remove all but one",
        ),
        (
            {"images/a.npy": "image", "labels/a.npy": "labels"},
            r"images/a\.npy: is not an image of a kind .*save it",
        ),
        (
            {"ID/images/ID.png": "image", "ID/masks/1.png": "labels", "ID/masks/2.png": "labels"},
            r"ID\.png: has no label map; .* if each file is the mask of one cell, use .* dsb2018",
        ),
        ({"train.npz": "text", "test.npz": "text"}, r"no image that .*found 2 \.npz"),
        ({"images/a.png": "image"}, r"images/a\.png: has no label map; wanted a_label"),
        ({"a.png": "image", "b.png": "image"}, r"a\.png: has no label map; wanted .*1 more"),
    ],
)
def test_what_cannot_be_paired_is_told_by_name(
    files: dict[str, str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, kind in files.items():
        if kind == "text":
            (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "source" / name).write_text("x")
        else:
            save(tmp_path / "source" / name, 1, kind)
    with pytest.raises(DatasetError, match=message):
        import_dataset("folder", tmp_path / "source", tmp_path / "root")
    assert main(["data", "import", "folder", str(tmp_path / "source"), str(tmp_path / "r")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_one_damaged_file_does_not_stop_the_import(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    for number, stem in enumerate("abcd"):
        save(source / f"images/{stem}.png", number, "image")
        save(source / f"labels/{stem}.tif", number, "labels")
    (source / "labels/b.tif").write_bytes(b"II*\0")
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(source / "images/c.png")
    words = ["data", "import", "folder", str(source), str(tmp_path / "root"), "--split", "test"]
    assert main(words) == 1
    shown = capsys.readouterr()
    assert "2 images with 4 cells (test 2)" in shown.out
    assert "b.tif: cannot be read as a label map" in shown.out
    assert "c.tif: the label map is (6, 9), but c.png is (2, 2)" in shown.out
    assert shown.err == (
        f"cellbench: {source}: 2 images could not be imported, as listed above; correct the files and "
        "run the same command again\n"
    )
    assert [one.stem for one in read_dataset(tmp_path / "root")] == ["a", "d"]


def test_binary_masks_are_noticed_and_can_be_split(tmp_path: Path) -> None:
    save(tmp_path / "source/images/a.png", 0, "image")
    mask = np.uint8(255) * (truth(2) > 0)
    (tmp_path / "source/labels").mkdir()
    Image.fromarray(mask).save(tmp_path / "source/labels/a.png")
    report = import_dataset("folder", tmp_path / "source", tmp_path / "root", split="test")
    assert report.cells == 1
    assert report.warnings[0].endswith(
        "a.png: one id in 2 pieces; if it is a binary mask, import it with --split-components"
    )
    report = import_dataset(
        "folder", tmp_path / "source", tmp_path / "root", split="test", split_components=True
    )
    assert (report.cells, report.warnings) == (2, [])
    np.testing.assert_array_equal(read_labels(tmp_path / "root/test/labels/a_label.tiff"), truth(2))
