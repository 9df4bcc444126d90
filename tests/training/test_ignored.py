"""Pixels that pseudo-labels are not sure of: they move with the patch, and nothing is learnt from them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoints import tiny_model
from datasets import make_dataset
from training_runs import fit

from cellbench.data.confidence import confidence_path, read_confidence, write_confidence
from cellbench.data.folder import DatasetImage, read_dataset
from cellbench.errors import DatasetError, LabelMapError, UsageError
from cellbench.labels import read_labels, write_labels
from cellbench.training.draws import Draw
from cellbench.training.ignored import check_ignored
from cellbench.training.patches import PatchDataset
from cellbench.training.recipe import PatchRecipe
from cellbench.training.store import DecodedStore


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A dataset whose first training image has a confidence: 0 in its odd cells."""
    folder = make_dataset(tmp_path / "data")
    (image, _) = read_dataset(folder, ["train"])
    assert image.labels is not None
    labels = read_labels(image.labels)
    confidence = np.where(labels % 2 == 1, 0, 200).astype(np.uint8)
    write_confidence(confidence_path(folder / "train", image.stem), confidence)
    return folder


def labels_of(labels: np.ndarray) -> dict[str, np.ndarray]:
    return {"labels": np.array(labels)}


@pytest.mark.parametrize("options", [{}, {"mosaic": 1.0}, {"largest_zoom": 2.0}])
def test_ignored_pixels_move_with_their_cells(options: dict[str, float], root: Path) -> None:
    items = read_dataset(root, ["train"])
    assert [item.confidence is None for item in items] == [False, True]
    store = DecodedStore(root / "cache")
    recipe = PatchRecipe(64, **options)
    patches = PatchDataset(items[:1], store, labels_of, recipe, weights=[1.0])
    seen = 0
    for seed in range(12):
        patch = patches[Draw(0, seed)]
        labels, ignored = patch["targets"]["labels"], patch["ignored"]
        assert (ignored.dtype, ignored.shape) == (torch.bool, (64, 64))
        assert not ignored[labels == 0].any()
        cells = [ignored[labels == cell] for cell in labels.unique() if cell]
        assert all(cell.all() or not cell.any() for cell in cells)
        seen += sum(int(cell.all()) for cell in cells)
        if not options.get("mosaic"):
            assert torch.equal(ignored, labels % 2 == 1)
    assert seen > 5


def test_images_without_confidence_are_used_completely(root: Path) -> None:
    items = read_dataset(root, ["train"])
    store = DecodedStore(root / "cache")
    mixed = PatchDataset(items, store, labels_of, PatchRecipe(64))
    assert not mixed[Draw(1, 0)]["ignored"].any()
    alone = PatchDataset(items[1:], store, labels_of, PatchRecipe(64))
    assert "ignored" not in alone[Draw(0, 0)]
    assert torch.equal(alone[Draw(0, 3)]["image"], mixed[Draw(1, 3)]["image"])


def test_labels_of_ignored_pixels_do_not_change_what_is_learnt(root: Path) -> None:
    """The loss has no gradient there, so other labels hardly matter."""
    model = tiny_model("boundary_unet")
    patches = PatchDataset(
        read_dataset(root, ["train"]), DecodedStore(root / "cache"), model.targets, PatchRecipe(64)
    )
    batch = model.collate([patches[Draw(0, 1)], patches[Draw(0, 2)]])
    ignored = batch["ignored"]
    assert 0 < ignored.float().mean() < 0.5
    changed = batch | {"targets": {"classes": batch["targets"]["classes"].clone()}}
    changed["targets"]["classes"].transpose(0, 1)[:, ignored] = torch.tensor(
        [[0], [0], [1]], dtype=torch.uint8
    )
    gradients = []
    for each in (batch, changed, {name: batch[name] for name in ("image", "targets")}):
        model.zero_grad()
        model.loss(each).backward()
        gradients.append(
            torch.cat([p.grad.ravel() for p in model.parameters() if p.grad is not None])
        )
    used, other, everything = gradients
    assert used.norm() > 0
    assert not torch.allclose(used, everything)
    assert torch.nn.functional.cosine_similarity(used, other, 0) > 0.9


def test_a_training_on_pseudo_labels_runs(root: Path, tmp_path: Path) -> None:
    assert fit("boundary_unet", tmp_path / "run", root) == 0
    assert (tmp_path / "run/checkpoints/last.ckpt").is_file()


def test_models_that_cannot_ignore_pixels_are_refused(root: Path) -> None:
    items = read_dataset(root, ["train"])
    with pytest.raises(UsageError, match=r"train0_confidence\.tiff: object does not predict"):
        check_ignored(items, object())
    check_ignored(items[1:], object())


def test_a_confidence_of_another_size_or_with_large_values_is_one_line(root: Path) -> None:
    (first, _) = read_dataset(root, ["train"])
    assert isinstance(first, DatasetImage)
    assert first.confidence is not None
    assert read_confidence(first.confidence).max() == 200
    write_confidence(first.confidence, np.zeros((5, 5), np.uint8))
    with pytest.raises(DatasetError, match=r"is \(5, 5\) pixels .* the label map is \(64, 96\)"):
        DecodedStore(root / "cache").load_ignored(first)
    write_labels(first.confidence, np.full((64, 96), 256))
    with pytest.raises(LabelMapError, match="values must be from 0 to 255"):
        DecodedStore(root / "cache").load_ignored(first)
