"""Splits and label maps of a dataset folder, checked before they are used."""

import os
from pathlib import Path

import numpy as np
import pytest
from datasets import make_dataset

from cellbench.data.checks import split_problems, unused_labels
from cellbench.data.folder import read_dataset
from cellbench.data.label_pairs import missing_labels, pair_labels
from cellbench.data.split_names import misnamed_splits, split_folders
from cellbench.errors import DatasetError, LabelMapError
from cellbench.labels import read_labels, write_labels


def test_folders_whose_names_mean_a_split(tmp_path: Path) -> None:
    for name in ("train", "Val", "testing", "test", "notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "dev").write_text("a file")
    assert split_folders(tmp_path) == {
        "Val": "tune",
        "test": "test",
        "testing": "test",
        "train": "train",
    }
    assert [line.split(": ")[1] for line in misnamed_splits(tmp_path)] == [
        "is not a split; rename it to tune",
        "is not a split; move its files into test",
    ]


def test_folders_without_splits_can_be_imported(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"add images, or if it has another layout, convert"):
        read_dataset(tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(
        DatasetError, match=r"images is not in a split; convert it with `cellbench d"
    ):
        read_dataset(tmp_path)


def test_a_dataset_with_a_test_split_alone_is_complete(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data", images=1)
    assert split_problems(root) == []
    (root / "tune").rename(tmp_path / "tune")
    assert [line.split(": ")[1] for line in split_problems(root)] == [
        "is missing, and training needs it; move some images and label maps there"
    ]
    (root / "train").rename(tmp_path / "train")
    assert split_problems(root) == []


def test_masks_are_read_unless_there_are_labels(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data", images=1)
    labels, masks = root / "test/labels", root / "test/masks"
    labels.rename(masks)
    (item,) = read_dataset(root, ["test"])
    assert item.labels == masks / "test0_label.tiff"
    labels.mkdir()
    assert read_dataset(root, ["test"])[0].labels is None
    assert split_problems(root) == [
        f"{masks}: is not read, because labels is; keep only one of the two folders"
    ]


@pytest.mark.parametrize(
    "name", ["test0.png", "test0_cp_masks.tif", "TEST0_Label.TIFF", "mask_test0.png", "test0.npy"]
)
def test_label_maps_of_a_dataset_can_have_the_names_of_other_tools(
    name: str, tmp_path: Path
) -> None:
    root = make_dataset(tmp_path / "data", images=1)
    (root / "test/labels/test0_label.tiff").rename(root / "test/labels" / name)
    (item,) = read_dataset(root, ["test"])
    assert item.labels is not None
    assert item.labels.name == name
    assert read_labels(item.labels).max() > 1
    assert unused_labels(root, "test", [item]) == []


def test_two_label_maps_of_one_image_are_refused(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data", images=1)
    write_labels(root / "test/labels/test0_label.tif", np.eye(4, dtype=int))
    with pytest.raises(
        LabelMapError, match=r"test0\.png: has several label maps, .* and .*; remove all but one"
    ):
        read_dataset(root, ["test"])


def test_a_pipe_is_never_opened_as_a_label_map(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data", images=1)
    os.mkfifo(root / "test/labels/other_label.tiff")
    with pytest.raises(LabelMapError, match=r"other_label\.tiff: is a pipe"):
        read_dataset(root, ["test"])


def test_files_are_paired_once() -> None:
    files = [Path(name) for name in ("a_masks.png", "a_seg.npy", "b.png", "c_masks.png", "c.tif")]
    pairs = pair_labels(["a", "b", "d"], files)
    assert pairs.found == {"a": Path("a_masks.png"), "b": Path("b.png")}
    assert pairs.unused == [Path("c_masks.png"), Path("c.tif")]


def test_what_is_said_of_an_image_without_a_label_map() -> None:
    image, folder = Path("train/images/a.png"), Path("train/labels")

    def line(*names: str) -> str:
        return missing_labels(image, "a", folder, {name: folder / name for name in names})

    wanted = "wanted a_label.tiff (or a_masks.png, a.tif, …) in train/labels"
    assert line() == f"{image}: has no label map; {wanted}, found no other file"
    assert line("x.tif", "y.tif", "z.tif", "q.txt").endswith("found q.txt, x.tif, y.tif and 1 more")
    assert line("a_mask.JPG").startswith(
        "train/labels/a_mask.JPG: JPEG changes the values of pixels"
    )
    assert missing_labels(image, "a", None, {}) == (
        f"{image}: has no label map; there is no folder `labels` or `masks` beside its folder"
    )
