"""Whole slides in training, tuning and tests: their maps are never in memory at once."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoints import small_unet
from PIL import Image

from cellbench.data.folder import read_dataset
from cellbench.errors import DatasetError
from cellbench.inference.tiles import LARGEST_SIDE
from cellbench.inference.tuning import tune_decoding
from cellbench.labels import label_path, write_labels
from cellbench.models.dense import DenseModel
from cellbench.representations.base import NumpyMaps
from cellbench.training.datamodule import CellDataModule

WIDTH = LARGEST_SIDE + 80


@pytest.fixture
def slides(tmp_path: Path) -> Path:
    """A dataset with a slide, though of a few rows only, in tune and in test."""
    for split in ("tune", "test"):
        ids = np.arange(1, 4 * WIDTH // 20 + 1, dtype=np.uint16).reshape(4, -1)
        labels = np.kron(ids, np.pad(np.ones((10, 10), np.uint16), (3, 7)))[:64]
        (tmp_path / split / "images").mkdir(parents=True)
        shown = np.where(labels > 0, 160, 40).astype(np.uint8)
        Image.fromarray(shown).save(tmp_path / split / "images" / "slide.png")
        write_labels(label_path(tmp_path / split / "labels", "slide"), labels)
    return tmp_path


@pytest.fixture
def widths(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The widths of the images whose maps are predicted."""
    seen: list[int] = []
    predict = DenseModel.predict_maps

    def watched(model: DenseModel, image: torch.Tensor) -> NumpyMaps:
        seen.append(image.shape[-1])
        return predict(model, image)

    monkeypatch.setattr(DenseModel, "predict_maps", watched)
    return seen


def test_training_is_validated_on_one_tile_of_a_slide(slides: Path, tmp_path: Path) -> None:
    data = CellDataModule(str(slides), cache=str(tmp_path / "cache"))
    (image,) = data.val_dataloader()
    assert image["image"].shape == (3, 64, LARGEST_SIDE)
    assert image["labels"].shape == (64, LARGEST_SIDE)
    (whole,) = data.test_dataloader()
    np.testing.assert_array_equal(image["labels"], whole["labels"][:, 40:-40])


def test_a_slide_is_tested_whole_but_in_tiles(
    slides: Path, tmp_path: Path, widths: list[int]
) -> None:
    data = CellDataModule(str(slides), cache=str(tmp_path / "cache"))
    (whole,) = data.test_dataloader()
    with torch.inference_mode():
        labels = small_unet().segment_tiled(whole["image"])
    assert labels.shape == whole["labels"].shape == (64, WIDTH)
    assert len(widths) == 2
    assert max(widths) < LARGEST_SIDE


def test_decoding_is_tuned_on_one_tile_of_a_slide(slides: Path, widths: list[int]) -> None:
    trials = tune_decoding(small_unet(), read_dataset(slides, ["tune"]))
    assert trials
    assert widths == [LARGEST_SIDE]


def test_a_label_map_of_another_size_is_named(slides: Path, widths: list[int]) -> None:
    file = label_path(slides / "tune" / "labels", "slide")
    write_labels(file, np.ones((64, WIDTH + 20), np.uint16))
    with pytest.raises(
        DatasetError,
        match=rf"{re.escape(str(file))}: the label map is \(64, 5100\) pixels .* is \(64, 5080\)",
    ):
        tune_decoding(small_unet(), read_dataset(slides, ["tune"]))
    assert not widths
