"""The dataset folder and its manifest."""

import shutil
from pathlib import Path

import pytest
from datasets import make_dataset

from cellbench.data.folder import (
    read_dataset,
    read_manifest,
    read_modalities,
    write_manifest,
)
from cellbench.errors import CellbenchError, DatasetError, ImageError


def test_images_with_labels_and_modalities(tmp_path: Path) -> None:
    items = read_dataset(make_dataset(tmp_path / "data"))
    assert [(item.stem, item.split, item.modality) for item in items] == [
        ("train0", "train", "fluorescence"),
        ("train1", "train", "DIC"),
        ("tune0", "tune", "fluorescence"),
        ("tune1", "tune", "DIC"),
        ("test0", "test", "fluorescence"),
        ("test1", "test", "DIC"),
    ]
    assert all(item.labels is not None and item.labels.is_file() for item in items)


def test_splits_may_share_stems(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(
        "image,split,modality\na.png,train,DIC\na.png,test,Phase-Contrast\nb,,dic\n"
    )
    assert read_modalities(manifest, "train") == {"a": "DIC", "b": "DIC"}
    assert read_modalities(manifest, "test")["a"] == "phase-contrast"
    assert read_modalities(tmp_path / "absent.csv") == {}


def test_images_know_their_source_and_their_dataset(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data", images=1)
    rows = [{"image": "train0.png", "split": "train", "modality": "dic", "source": " LIVECell "}]
    write_manifest(root, rows)
    (item,) = read_dataset(root, ["train"])
    assert (item.modality, item.source, item.root) == ("DIC", "LIVECell", root)
    (item,) = read_dataset(root, ["tune"])
    assert (item.modality, item.source) == ("", "")
    assert read_manifest(root / "absent.csv") == {}


def test_unlabeled_images_are_a_split_without_labels(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data", images=1)
    for folder in ("images", "labels"):
        (root / "unlabeled" / folder).mkdir(parents=True)
    for name in ("more", "train0"):
        shutil.copy(root / "train/images/train0.png", root / f"unlabeled/images/{name}.png")
    shutil.copy(root / "train/labels/train0_label.tiff", root / "unlabeled/labels/more_label.tiff")
    rows = [
        {"image": "more", "split": "unlabeled", "modality": "DIC", "source": "lab"},
        {"image": "train0", "split": "train", "modality": "fluorescence"},
    ]
    write_manifest(root, rows)
    items = read_dataset(root, ["unlabeled"])
    assert [(item.stem, item.split, item.labels, item.modality) for item in items] == [
        ("more", "unlabeled", None, "DIC"),
        ("train0", "unlabeled", None, ""),
    ]
    assert [item.source for item in items] == ["lab", ""]
    assert {item.split for item in read_dataset(root)} == {"train", "tune", "test"}


def test_manifest_keeps_other_columns(tmp_path: Path) -> None:
    write_manifest(tmp_path, [{"image": "a", "split": "test", "cells": 3}, {"image": "b,c"}])
    assert (tmp_path / "manifest.csv").read_text() == (
        'image,split,modality,source,cells\na,test,,,3\n"b,c",,,,\n'
    )


@pytest.mark.parametrize(
    "content", [b"name,split\na,test\n", b"\xff\xfe\x00image", b"split,image\ntest\n"]
)
def test_bad_manifests_are_named(tmp_path: Path, content: bytes) -> None:
    root = make_dataset(tmp_path / "data")
    (root / "manifest.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=r"manifest\.csv: "):
        read_dataset(root)


def test_bad_folders(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such dataset folder"):
        read_dataset(tmp_path / "absent")
    with pytest.raises(DatasetError, match="no images in test/images"):
        read_dataset(tmp_path, ["test"])
    root = make_dataset(tmp_path / "data")
    (root / "test/images/test0.tif").write_bytes(b"")
    with pytest.raises(ImageError, match="same stem as"):
        read_dataset(root)
    assert issubclass(ImageError, CellbenchError)


def test_letters_of_a_mac_archive(tmp_path: Path) -> None:
    import unicodedata

    root = make_dataset(tmp_path / "data", images=1)
    image, labels = "train/images/train0.png", "train/labels/train0_label.tiff"
    composed, decomposed = (unicodedata.normalize(form, "zelle_ä") for form in ("NFC", "NFD"))
    (root / image).rename(root / f"train/images/{composed}.png")
    (root / labels).rename(root / f"train/labels/{decomposed}_label.tiff")
    (item,) = read_dataset(root, ["train"])
    assert item.stem == composed
    assert item.labels is not None


@pytest.mark.parametrize(
    "rows",
    ["a.png,train\na.png,train", "a.png,train\na.tif,Train", "a.png,\na.png,test", "a,test\na,"],
)
def test_an_image_has_one_row_in_the_manifest(tmp_path: Path, rows: str) -> None:
    (tmp_path / "manifest.csv").write_text(f"image,split\n{rows}\n")
    with pytest.raises(DatasetError, match=r"two rows are about the image a.*; remove one"):
        read_manifest(tmp_path / "manifest.csv", "test")


def test_splits_are_recognised_in_upper_and_lower_case(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("image,split,source\na,Train,x\na,TEST,y\nb, tune ,z\n")
    found = {
        split: [entry.source for entry in read_manifest(tmp_path / "manifest.csv", split).values()]
        for split in ("train", "tune", "test")
    }
    assert found == {"train": ["x"], "tune": ["z"], "test": ["y"]}
