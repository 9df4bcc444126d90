"""Corrected images become images of a dataset: what is written is read back, nothing is lost."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import make_dataset
from label_maps import discs

from cellbench.data.folder import read_dataset
from cellbench.errors import DatasetError, UsageError
from cellbench.images import read_channels
from cellbench.images.pixel_size import PixelSize, read_pixel_size
from cellbench.labels import read_labels
from cellbench.napari.saving import dataset_place, save_to_dataset


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_an_image_is_read_back_as_it_was(tmp_path: Path, channels: int, kind: str) -> None:
    rng = np.random.default_rng(channels)
    pixels = rng.integers(0, 250, (30, 40, channels)).astype(kind)
    labels = discs(shape=(30, 40), seed=2)
    place = dataset_place(tmp_path, "train", "a.b")
    save_to_dataset(place, pixels, labels, PixelSize(0.5, 0.25))
    (image,) = read_dataset(tmp_path, ["train"])
    assert (image.stem, image.image, image.labels) == ("a.b", place.image, place.labels)
    found, alpha = read_channels(place.image)
    assert alpha is None
    assert found.dtype == pixels.dtype
    assert np.array_equal(found, pixels)
    assert np.array_equal(read_labels(place.labels), labels)
    assert read_pixel_size(place.image) == PixelSize(0.5, 0.25)


def test_existing_files_are_kept_unless_they_may_be_replaced(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data")
    old = root / "train/images/train0.png"
    content = old.read_bytes()
    place = dataset_place(root, "train", "train0")
    assert place.existing == [old, root / "train/labels/train0_label.tiff"]
    pixels, labels = np.ones((64, 96, 1), np.uint8), discs(shape=(64, 96), seed=9)
    with pytest.raises(DatasetError, match=r"has train0\.png and train0_label\.tiff already"):
        save_to_dataset(place, pixels, labels)
    assert old.read_bytes() == content
    save_to_dataset(place, pixels, labels, replace=True)
    assert not old.exists()
    assert len(read_dataset(root, ["train"])) == 2
    assert np.array_equal(read_labels(place.labels), labels)


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
        dataset_place(tmp_path, split, name)


def test_sizes_must_agree(tmp_path: Path) -> None:
    place: Any = dataset_place(tmp_path, "train", "a")
    with pytest.raises(DatasetError, match="same size"):
        save_to_dataset(place, np.zeros((5, 6, 1), np.uint8), np.zeros((6, 5), int))
    assert list(tmp_path.iterdir()) == []
