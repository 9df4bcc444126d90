"""Corrected images become images of a dataset: what is written is read back, nothing is replaced."""

from pathlib import Path

import numpy as np
import pytest
from datasets import make_dataset
from label_maps import discs

from cellbench.data.folder import read_dataset, read_manifest_rows
from cellbench.errors import DatasetError, InvalidLabelsError, UsageError
from cellbench.images import read_channels
from cellbench.images.pixel_size import PixelSize, read_pixel_size
from cellbench.labels import cell_ids, read_labels
from cellbench.napari.saving import NewImage, save_to_dataset

PIXELS, LABELS = np.ones((64, 96, 1), np.uint8), discs(shape=(64, 96), seed=9)


def content(root: Path) -> dict[str, bytes]:
    files = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_an_image_is_read_back_as_it_was(tmp_path: Path, channels: int, kind: str) -> None:
    rng = np.random.default_rng(channels)
    pixels = rng.integers(0, 250, (30, 40, channels)).astype(kind)
    labels = discs(shape=(30, 40), seed=2)
    new = NewImage("train", "a.b", "fluorescence", "our lab", PixelSize(0.5, 0.25))
    saved = save_to_dataset(tmp_path, new, pixels, labels)
    (image,) = read_dataset(tmp_path, ["train"])
    assert (image.stem, image.image, image.labels) == ("a.b", saved.image, saved.labels)
    assert (image.modality, image.source) == ("fluorescence", "our lab")
    found, alpha = read_channels(saved.image)
    assert alpha is None
    assert found.dtype == pixels.dtype
    assert np.array_equal(found, pixels)
    assert np.array_equal(read_labels(saved.labels), labels)
    assert saved.cells == len(cell_ids(labels))
    assert read_pixel_size(saved.image) == PixelSize(0.5, 0.25)


def test_the_row_has_the_columns_of_the_manifest(tmp_path: Path) -> None:
    save_to_dataset(tmp_path / "new", NewImage("tune", "b"), PIXELS, LABELS)
    (row,) = read_manifest_rows(tmp_path / "new/manifest.csv")
    assert row == {
        **{"image": "b.tif", "split": "tune", "modality": "", "source": "", "height": "64"},
        **{"width": "96", "channels": "1", "dtype": "uint8", "cells": str(LABELS.max())},
    }
    root = make_dataset(tmp_path / "old")
    before = read_manifest_rows(root / "manifest.csv")
    save_to_dataset(root, NewImage("train", "b", "DIC"), PIXELS, LABELS)
    after = read_manifest_rows(root / "manifest.csv")
    assert after[:-1] == before
    assert after[-1] == {"image": "b.tif", "split": "train", "modality": "DIC", "source": ""}


def test_nothing_is_replaced(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data")
    (root / "train/labels/c_masks.png").write_bytes(b"label map without an image")
    rows = (root / "manifest.csv").read_text()
    (root / "manifest.csv").write_text(f"{rows}d.png,train,DIC,\ne.png,,DIC,\n")
    before = content(root)
    for name, words in [
        ("train0", r"has a row about train0 already"),
        ("c", r"c_masks\.png: exists already"),
        ("d", "has a row about d already"),
        ("e", "has a row about e already"),
    ]:
        with pytest.raises(DatasetError, match=words):
            save_to_dataset(root, NewImage("train", name), PIXELS, LABELS)
    (root / "manifest.csv").unlink()
    with pytest.raises(DatasetError, match=r"train0\.png: exists already"):
        save_to_dataset(root, NewImage("train", "train0"), PIXELS, LABELS)
    assert content(root) == {name: each for name, each in before.items() if name != "manifest.csv"}


def test_nothing_is_kept_if_a_file_cannot_be_written(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data")
    before = content(root)
    with pytest.raises(InvalidLabelsError):
        save_to_dataset(root, NewImage("train", "a"), PIXELS, -LABELS.astype(int))
    wrong = PIXELS.astype(
        "datetime64[s]"
    )  # no TIFF can hold these, and the label map is written first
    with pytest.raises(KeyError):
        save_to_dataset(root, NewImage("train", "a"), wrong, LABELS)
    assert content(root) == before


@pytest.mark.parametrize(
    ("split", "name", "words"),
    [
        ("train", "../a", "cannot be the name of a file"),
        ("train", " ", "cannot be the name of a file"),
        ("train", ".hidden", "cannot be the name of a file"),
        ("train", "a_label", "name of a label map"),
        ("training", "a", "choose from train, tune, test"),
    ],
)
def test_bad_names(tmp_path: Path, split: str, name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        save_to_dataset(tmp_path, NewImage(split, name), PIXELS, LABELS)
    assert list(tmp_path.iterdir()) == []


def test_sizes_must_agree(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="same size"):
        save_to_dataset(tmp_path, NewImage("train", "a"), PIXELS, LABELS.T)
    assert list(tmp_path.iterdir()) == []
