"""Datasets as users bring them: commands from the shell, and the line that says what to do."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from datasets import make_dataset
from jsonargparse import Namespace
from label_maps import discs
from PIL import Image
from training_runs import fit, fit_words

from cellbench.cli import main
from cellbench.data.folder import read_dataset
from cellbench.labels import LabelMap, read_labels
from cellbench.training.split_checks import check_splits

TRUTH = discs((64, 64))
CELLS = int(TRUTH.max())


def save(path: Path, array: LabelMap) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".tif":
        tifffile.imwrite(path, array)
    else:
        Image.fromarray(array.astype(np.uint8)).save(path)


def save_image(path: Path, level: int = 0) -> None:
    save(path, np.full(TRUTH.shape, level, np.uint8))


def imported(source: Path, *more: str, importer: str = "folder") -> list[LabelMap]:
    """Import a source; return the label maps of all images."""
    root = source.parent / "root"
    assert main(["data", "import", importer, str(source), str(root), *more]) == 0
    return [read_labels(image.labels) for image in read_dataset(root) if image.labels]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("images", "labels", "options"),
    [
        ("000_img.png", "000_masks.png", ["--images", ".", "--labels", "."]),
        ("000_img.png", "000_masks.png", []),
        ("images/000_img.png", "labels/000_masks.png", []),
        ("images/a.png", "labels/a.npy", []),
        ("images/A/a.png", "labels/A/a.png", []),
        ("train/images/a.tif", "train/masks/a.tif", []),
        ("images/image_7.png", "masks/mask_7.png", []),
        ("images/a.png", "labels/a.tif", []),
    ],
)
def test_images_are_paired(images: str, labels: str, options: list[str], source: Path) -> None:
    save_image(source / images)
    save(source / labels, TRUTH)
    (found,) = imported(source, *options)
    np.testing.assert_array_equal(found, TRUTH)


def test_masks_of_the_data_science_bowl_with_colours(source: Path) -> None:
    save_image(source / "stage1_train/aa/images/aa.png")
    for number in range(1, CELLS + 1):
        mask = np.zeros((*TRUTH.shape, 4), np.uint8)
        mask[..., 3] = 255
        mask[number == TRUTH] = (0, 200, 0, 255)
        path = source / f"stage1_train/aa/masks/m{number:02}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(mask, "RGBA").save(path)
    (found,) = imported(source, importer="dsb2018")
    np.testing.assert_array_equal(found, TRUTH)


def test_one_bad_mask_of_the_data_science_bowl_costs_one_image(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, name in enumerate(("aa", "bb")):
        save_image(source / name / f"images/{name}.png", number)
        save(source / name / "masks/m.png", TRUTH == 1)
    (source / "aa/masks/n.png").write_bytes(b"")
    assert main(["data", "import", "dsb2018", str(source), str(source.parent / "root")]) == 1
    shown = capsys.readouterr()
    assert "1 image with 1 cell" in shown.out
    assert "aa/masks/n.png: the file is empty" in shown.out
    assert "1 image could not be imported" in shown.err


def test_jpeg_label_maps(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_image(source / "images/a.png")
    save(source / "labels/a.jpg", TRUTH)
    assert main(["data", "import", "folder", str(source), str(source.parent / "root")]) == 1
    assert "a.jpg: JPEG changes the values of pixels and cannot" in capsys.readouterr().err


def test_outlines_of_qupath(source: Path) -> None:
    save_image(source / "images/a.png")
    features = [
        {
            "type": "Feature",
            "geometry": {
                "type": "MultiPolygon",
                "coordinates": [
                    [[[c, r], [c + 1, r], [c + 1, r + 1], [c, r + 1], [c, r]]]
                    for r, c in np.argwhere(number == TRUTH).tolist()
                ],
            },
            "properties": {"objectType": "annotation"},
        }
        for number in range(1, CELLS + 1)
    ]
    (source / "labels").mkdir()
    content = {"type": "FeatureCollection", "features": features}
    (source / "labels/a.png.geojson").write_text(json.dumps(content))
    (found,) = imported(source)
    np.testing.assert_array_equal(found, TRUTH)


def test_twelve_images_can_be_trained_on(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(12):
        save_image(source / f"images/cells_{number}.png", number)
        save(source / f"labels/cells_{number}.png", TRUTH)
    assert len(imported(source)) == 12
    assert (
        f"12 images with {12 * CELLS} cells (train 10, tune 1, test 1)" in capsys.readouterr().out
    )


def described(root: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """Return the exit status of `data describe`, and its lines."""
    capsys.readouterr()
    status = main(["data", "describe", str(root)])
    return status, capsys.readouterr().out.splitlines()


def test_label_maps_with_the_names_of_their_images_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for split in ("train", "tune"):
        save_image(tmp_path / split / "images/a.png")
        save(tmp_path / split / "labels/a.png", TRUTH)
        save_image(tmp_path / split / "images/b.png")
        save(tmp_path / split / "labels/b_cp_masks.png", TRUTH)
    status, lines = described(tmp_path, capsys)
    assert (status, lines[-1]) == (0, "0 problems")
    assert lines[1].split()[:4] == ["train", "unknown", "2", str(2 * CELLS)]


def test_binary_masks_are_a_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_image(tmp_path / "test/images/a.png")
    save(tmp_path / "test/masks/a.png", np.uint8(255) * (TRUTH > 0))
    status, lines = described(tmp_path, capsys)
    assert (status, lines[-1]) == (1, "1 problem")
    assert f"masks/a.png: one id in {CELLS} pieces, probably a binary mask" in lines[-2]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("val", "val: is not a split; rename it to tune"),
        ("Validation", "Validation: is not a split; rename it to tune"),
        ("empty", "tune: no images in tune/images; add some or remove the folder"),
        ("missing", "tune: is missing, and training needs it; move some images"),
    ],
)
def test_a_split_with_another_name_or_none(
    name: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_dataset(tmp_path / "mydata")
    (root / "tune").rename(root / name if name[0] in "vV" else tmp_path / "elsewhere")
    if name == "empty":
        (root / "tune/images").mkdir(parents=True)
    status, lines = described(root, capsys)
    assert (status, lines[-1]) == (1, "1 problem")
    assert message in lines[-2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("val", r"no images in tune/images; .*val: is not a split; rename it to tune"),
        ("labels", r"no image of the train split has a label map; the first is .* wanted train0_l"),
        ("root", r"no such dataset folder"),
    ],
)
def test_training_checks_its_splits_first(
    change: str,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = make_dataset(tmp_path / "mydata")
    if change == "val":
        (root / "tune").rename(root / "val")
    elif change == "labels":
        (root / "train/labels").rename(root / "train/notes")
        (root / "train/labels").mkdir()
    else:
        root.rename(tmp_path / "elsewhere")

    def built(*_: object, **__: object) -> None:
        raise AssertionError("a network was built")

    monkeypatch.setattr("cellbench.models.unet.unet", built)
    assert fit("unet", tmp_path / "run", root) == 1
    error = [line for line in capsys.readouterr().err.splitlines() if "cellbench: " in line]
    assert len(error) == 1
    assert re.search(message, error[0])


@pytest.mark.parametrize("verb", ["test", "predict"])
def test_verbs_that_need_a_test_split(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_dataset(tmp_path / "mydata")
    (root / "test").rename(root / "Testing")
    assert main([verb, *fit_words("unet", tmp_path / "run", root)[1:]]) == 1
    assert "Testing: is not a split; rename it to test" in capsys.readouterr().err


def test_training_names_images_that_it_cannot_use(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = make_dataset(tmp_path / "mydata")
    (root / "train/labels/train1_label.tiff").unlink()
    config = Namespace(
        data=Namespace(class_path="cellbench.training.datamodule.CellDataModule"),
        trainer=Namespace(limit_val_batches=None),
        tune=True,
    )
    config.data.init_args = Namespace(root=str(root), roots=None)
    with caplog.at_level("INFO"):
        check_splits("fit", config)
    assert "1 image has no label map in train/labels and will not be used, the first is train1" in (
        caplog.text
    )
