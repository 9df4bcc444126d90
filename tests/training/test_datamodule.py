"""The datamodule: what is drawn from which dataset, and what each process of a distributed run gets."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from checkpoints import small_unet
from datamodules import attached_data
from datasets import make_dataset

from cellbench.data.folder import DatasetImage, write_manifest
from cellbench.errors import DatasetError, UsageError
from cellbench.training.augmentation import PatchAugmentation
from cellbench.training.datamodule import CellDataModule
from cellbench.training.dataset_folders import DatasetFolders
from cellbench.training.draws import Draw


def module_with_model(tmp_path: Path, **options: Any) -> CellDataModule:
    """Make a datamodule with a U-Net and one batch in each epoch."""
    return attached_data(**{"patches_per_epoch": 8, "cache": str(tmp_path / "c")} | options)


def test_the_same_seed_gives_the_same_draws_as_ever(tmp_path: Path) -> None:
    """The numbers were written down before a run could have several datasets."""
    data = module_with_model(tmp_path, root=str(make_dataset(tmp_path / "data", images=3)))
    torch.manual_seed(2022)
    draws = list(data.train_dataloader().sampler)
    assert data.train_weights(data.train_items()).tolist() == pytest.approx(
        [0.2630280905130753, 0.4148296045991129, 0.3221423048878117]
    )
    assert [draw.image for draw in draws] == [1, 0, 2, 1, 2, 1, 1, 1]
    assert draws[0].seed == 2174156760149101086


def test_each_root_has_its_share_of_the_patches(tmp_path: Path) -> None:
    new, old = (make_dataset(tmp_path / name, images=count) for name, count in (("a", 1), ("b", 3)))
    data = module_with_model(
        tmp_path, roots=[str(new), f"{old}/"], shares=[0.8, 0.2], patches_per_epoch=4000
    )
    items = data.train_items()
    assert [item.root for item in items] == [new, old, old, old]
    weights = data.train_weights(items)
    assert weights[0].item() == pytest.approx(0.8)
    assert weights[1:].sum().item() == pytest.approx(0.2)
    drawn = Counter(draw.image == 0 for draw in data.train_dataloader().sampler)
    assert 0.77 < drawn[True] / 4000 < 0.83
    assert data.dataset_names() == ["a", "b"]
    assert {item.root for item in data.items("tune")} == {new}
    pooled = module_with_model(tmp_path, root=str(old), roots=[str(new), str(old)])
    assert 0.15 < pooled.train_weights(items)[0].item() < 0.5
    assert {item.root for item in pooled.items("test")} == {old}


def test_sources_can_be_balanced_instead_of_modalities(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data", images=3)
    rows = [
        {"image": f"train{index}", "split": "train", "modality": "DIC", "source": source}
        for index, source in enumerate(("lab", "lab", "rare"))
    ]
    write_manifest(root, rows)
    shares = {}
    for balance in ("modality", "source", "none"):
        data = module_with_model(tmp_path, root=str(root), balance=balance)
        shares[balance] = data.train_weights(data.train_items())[2].item()
    assert shares["modality"] == pytest.approx(shares["none"])
    assert shares["source"] > shares["none"] + 0.05


def test_a_root_without_label_maps_is_named(tmp_path: Path) -> None:
    roots = [make_dataset(tmp_path / name, images=1) for name in "ab"]
    (roots[1] / "train/labels/train0_label.tiff").unlink()
    data = module_with_model(tmp_path, roots=[str(root) for root in roots])
    with pytest.raises(
        DatasetError,
        match=r"b: no image of the train split has a label map; the .* wanted train0_label",
    ):
        data.train_items()


class Inverted(PatchAugmentation):
    """Exchanges dark and bright."""

    def __init__(self, floor: float = 0.0) -> None:
        self.floor = floor

    def __call__(self, image, labels, rng):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204, ARG002
        planes = 1 - image.transpose(2, 0, 1) / np.float32(255)
        return np.maximum(planes, np.float32(self.floor)), labels


class OnlyFirst(CellDataModule):
    """Trains on the first image alone."""

    def train_items(self) -> list[DatasetImage]:
        return super().train_items()[:1]


def test_the_parts_of_training_can_be_overridden(tmp_path: Path) -> None:
    root = str(make_dataset(tmp_path / "data"))
    data = OnlyFirst(root=root, num_workers=0, cache=str(tmp_path), crop_size=64)
    data.trainer = SimpleNamespace(global_step=0, lightning_module=small_unet())
    assert {draw.image for draw in data.train_dataloader().sampler} == {0}
    assert [item.stem for item in data.items("train")] == ["train0"]
    assert data.image_targets("train") == [{}]
    assert isinstance(data, DatasetFolders)


def test_an_augmentation_can_be_any_class(tmp_path: Path) -> None:
    root = str(make_dataset(tmp_path / "data"))
    plain = module_with_model(tmp_path, root=root, augmentation=0, largest_zoom=1.0)
    inverted = module_with_model(tmp_path, root=root, augmentation=Inverted(), largest_zoom=1.0)
    assert "augmentation" not in inverted.hparams  # a checkpoint holds no objects
    assert plain.hparams["augmentation"] == 0
    images = [
        data.train_dataset(data.train_items())[Draw(0, 3)]["image"] for data in (plain, inverted)
    ]
    assert images[0].mean() + images[1].mean() == pytest.approx(1, abs=1e-5)


def test_an_epoch_needs_a_batch(tmp_path: Path) -> None:
    data = module_with_model(tmp_path, patches_per_epoch=3, batch_size=4)
    with pytest.raises(UsageError, match=r"patches_per_epoch 3: .*batch_size \(4\) or more"):
        data.train_dataloader()


@pytest.mark.parametrize(
    ("processes", "shares"),
    [(1, [[0, 1, 2]]), (2, [[0, 2], [1]]), (3, [[0], [1], [2]])],
)
def test_processes_see_each_image_once(
    processes: int, shares: list[list[int]], tmp_path: Path
) -> None:
    data = CellDataModule(str(make_dataset(tmp_path / "data", images=3)), cache=str(tmp_path))
    for rank, share in enumerate(shares):
        data.trainer = SimpleNamespace(world_size=processes, global_rank=rank)
        for split, loader in (("tune", data.val_dataloader()), ("test", data.test_dataloader())):
            assert [each["stem"] for each in loader] == [f"{split}{index}" for index in share]


def test_fewer_images_than_processes_are_left_to_lightning(tmp_path: Path) -> None:
    data = CellDataModule(str(make_dataset(tmp_path / "data")), cache=str(tmp_path))
    data.trainer = SimpleNamespace(world_size=3, global_rank=2)
    assert [each["stem"] for each in data.val_dataloader()] == ["tune0", "tune1"]


@pytest.mark.parametrize(
    "weights",
    [[0.5, 0.5], torch.ones(1), torch.ones(3), torch.zeros(2), torch.tensor([1.0, np.nan])],
)
def test_weights_that_do_not_fit_the_images_are_refused(weights: object, tmp_path: Path) -> None:
    """Too few would leave out images in silence."""
    data = module_with_model(tmp_path, root=str(make_dataset(tmp_path / "data", images=2)))
    data.train_weights = lambda _: weights
    with pytest.raises(
        UsageError, match=r"CellDataModule.train_weights: must return a tensor of 2 "
    ):
        data.train_dataloader()
    data.train_items = lambda: []
    with pytest.raises(UsageError, match="train_items: returns no image"):
        data.train_dataloader()
