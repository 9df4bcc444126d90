"""What users meet with `cellbench data export`: file names, other tools' label maps, and the way back."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from label_maps import discs
from PIL import Image

from cellbench.cli import main
from cellbench.labels import read_labels, relabel, write_labels

TRUTH = {"a": discs(seed=1), "b": discs(seed=2)}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "s/images").mkdir(parents=True)
    for stem, labels in TRUTH.items():
        write_labels(tmp_path / "pred" / f"{stem}_label.tiff", labels)
        tifffile.imwrite(tmp_path / f"s/images/{stem}.tif", labels.astype(np.uint8) * 3)
    return tmp_path


def names(path: Path) -> list[str]:
    return [image["file_name"] for image in json.loads(path.read_bytes())["images"]]


@pytest.mark.parametrize("with_images", [True, False])
def test_coco_and_back(with_images: bool, source: Path) -> None:
    """K01: the images are TIFF files, so their names must not be said to be .png."""
    words = ["data", "export", str(source / "pred"), str(source / "s/p.json"), "--to", "coco"]
    assert main(words + ["--images", str(source / "s/images")] * with_images) == 0
    assert names(source / "s/p.json") == (["a.tif", "b.tif"] if with_images else ["a", "b"])
    imported = ["data", "import", "coco", str(source / "s"), str(source / "ds"), "--split", "test"]
    assert main(imported) == 0
    for stem, labels in TRUTH.items():
        back = read_labels(source / f"ds/test/labels/{stem}_label.tiff")
        np.testing.assert_array_equal(back, relabel(labels))


@pytest.mark.parametrize("ending", ["_cp_masks.png", "_masks.tif", ".tif", "_label.png"])
def test_label_maps_of_other_tools(ending: str, source: Path) -> None:
    (source / "other").mkdir()
    for stem, labels in TRUTH.items():
        path = source / "other" / f"{stem}{ending}"
        if path.suffix == ".png":
            Image.fromarray(labels.astype(np.uint16)).save(path)
        else:
            tifffile.imwrite(path, labels)
    for form in ("coco", "geojson", "cellpose"):
        out = source / f"{form}.json" if form == "coco" else source / form
        assert main(["data", "export", str(source / "other"), str(out), "--to", form]) == 0
    assert names(source / "coco.json") == ["a", "b"]
    content = json.loads((source / "geojson/a.geojson").read_text())
    assert len(content["features"]) == TRUTH["a"].max()


def test_one_label_map(source: Path) -> None:
    one = source / "pred/b_label.tiff"
    assert main(["data", "export", str(one), str(source / "out"), "--to", "geojson"]) == 0
    assert [path.name for path in (source / "out").iterdir()] == ["b.geojson"]


def test_a_dataset_knows_its_images(source: Path) -> None:
    root = source / "ds/test"
    (root / "labels").mkdir(parents=True)
    (source / "s/images").rename(root / "images")
    for path in (source / "pred").iterdir():
        path.rename(root / "labels" / path.name)
    words = ["data", "export", str(source / "ds"), str(source / "out"), "--split", "test"]
    assert main([*words, "--to", "cellpose"]) == 0
    content = np.load(source / "out/a_seg.npy", allow_pickle=True).item()
    assert content["filename"] == str((root / "images/a.tif").resolve())


def test_what_is_wrong_is_said_in_one_line(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(source / "out.geojson")
    assert main(["data", "export", str(source / "pred"), out, "--to", "geojson"]) == 2
    assert "OUT is a folder; name a folder" in capsys.readouterr().err
    (source / "empty").mkdir()
    assert (
        main(["data", "export", str(source / "empty"), str(source / "o"), "--to", "geojson"]) == 1
    )
    assert len(capsys.readouterr().err.splitlines()) == 1
    absent = ["--images", str(source / "absent")]
    words = ["data", "export", str(source / "pred"), str(source / "o"), "--to", "geojson"]
    assert main([*words, *absent]) == 1
    assert "absent: no such folder" in capsys.readouterr().err
    assert main(["data", "export", str(source / "pred"), str(source / "s"), "--to", "coco"]) == 2
    assert "--to coco writes one file for all images; name a file" in capsys.readouterr().err


def test_label_maps_in_subfolders_are_named(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`segment --recursive` writes them."""
    for stem, labels in TRUTH.items():
        write_labels(source / f"plate/well {stem}/{stem}_label.tiff", labels)
    words = ["data", "export", str(source / "plate"), str(source / "o.json"), "--to", "coco"]
    assert main(words) == 1
    error = capsys.readouterr().err
    assert (
        "contains no label maps itself, but its subfolders do (well a, well b); name one" in error
    )
    write_labels(source / "plate/top_label.tiff", TRUTH["a"])
    assert main(words) == 0
    said = capsys.readouterr()
    assert "label maps in subfolders (well a, well b) are not exported" in said.err
    assert said.out.startswith("1 label map written")


@pytest.mark.parametrize("form", ["coco", "kaggle-rle", "geojson", "imagej-roi", "cellpose"])
def test_a_label_map_of_another_size_than_its_image(
    form: str, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tifffile.imwrite(source / "s/images/b.tif", np.zeros((30, 40), np.uint8))
    words = ["data", "export", str(source / "pred"), str(source / "out"), "--to", form]
    assert main([*words, "--images", str(source / "s/images")]) == 1
    error = capsys.readouterr().err
    height, width = TRUTH["b"].shape
    assert (
        f"b_label.tiff: the label map is ({height}, {width}) pixels (height, width), but" in error
    )
    assert "b.tif is (30, 40); replace one of the two" in error


def test_a_binary_mask_is_noticed(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mask = np.kron(np.array([[0, 255, 0, 255, 0]], np.uint8), np.ones((9, 9), np.uint8))
    (source / "masks").mkdir()
    Image.fromarray(mask).save(source / "masks/a_mask.png")
    write_labels(source / "masks/b_mask.tif", TRUTH["b"])
    words = ["data", "export", str(source / "masks"), str(source / "out"), "--to", "geojson"]
    assert main(words) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "a_mask.png: one id in 2 pieces is exported as one cell; if it is a binary mask" in line


def test_label_maps_beside_their_images(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cellpose writes its label maps into the folder of the images."""
    folder = source / "cellpose"
    folder.mkdir()
    for stem, labels in TRUTH.items():
        Image.fromarray(labels.astype(np.uint8) * 3).save(folder / f"{stem}_img.png")
        Image.fromarray(labels.astype(np.uint16)).save(folder / f"{stem}_masks.png")
    words = ["data", "export", str(folder), "--images", str(folder)]
    assert main([*words, str(source / "o.json"), "--to", "coco"]) == 0
    assert names(source / "o.json") == ["a_img.png", "b_img.png"]
    assert main([*words, str(folder), "--to", "cellpose"]) == 0
    assert [path.name for path in sorted(folder.glob("*.npy"))] == [
        "a_img_seg.npy",
        "b_img_seg.npy",
    ]
    assert capsys.readouterr().err == ""


def test_a_folder_without_label_maps(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (source / "jpg").mkdir()
    Image.fromarray(TRUTH["a"].astype(np.uint8)).save(source / "jpg/a_label.jpg")
    words = ["data", "export", str(source / "jpg"), str(source / "o"), "--to", "geojson"]
    assert main(words) == 1
    assert "contains no label maps such as <stem>_label.tiff (found a_label.jpg); save" in (
        capsys.readouterr().err
    )


def test_label_maps_with_another_ending_are_named(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is written beside a label map, such as an overlay, is not one of them."""
    Image.fromarray(TRUTH["a"].astype(np.uint8)).save(source / "pred/c_cp_masks.png")
    Image.fromarray(TRUTH["a"].astype(np.uint8)).save(source / "pred/a_overlay.png")
    words = ["data", "export", str(source / "pred"), str(source / "o.json"), "--to", "coco"]
    assert main(words) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("do not end like those of the other label maps: c_cp_masks.png")
    assert names(source / "o.json") == ["a", "b"]
