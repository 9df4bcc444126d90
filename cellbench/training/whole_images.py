"""Whole images for validation, tests and predictions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.overrides.distributed import UnrepeatedDistributedSampler
from torch.utils.data import DataLoader, Dataset

from cellbench.data.folder import DatasetImage
from cellbench.inference.tiles import middle
from cellbench.training.store import DecodedStore


class WholeImageDataset(Dataset[dict[str, Any]]):
    """Whole images with their label maps, for validation and tests.

    Args:
        items: the images.
        store: keeps decoded images.
        largest_side: largest height and width in pixels; of larger images only the middle is used.
    """

    def __init__(
        self, items: Sequence[DatasetImage], store: DecodedStore, largest_side: int | None = None
    ) -> None:
        self.items = list(items)
        self._store = store
        self._largest_side = largest_side

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> dict[str, Any]:
        item = self.items[index]
        image, labels = self._store.load(item)
        if self._largest_side is not None:
            image, labels = middle(image, self._largest_side), middle(labels, self._largest_side)
        return {
            "image": torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1),
            "labels": torch.from_numpy(labels.astype(np.int64)),
            "stem": item.stem,
            "modality": item.modality,
        }


def unwrap_single(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the only image of a batch; whole images differ in size, so a batch has one.

    Args:
        items: one item of [`WholeImageDataset`][].
    """
    (item,) = items
    return item


def whole_image_loader(
    dataset: WholeImageDataset, trainer: pl.Trainer | None
) -> DataLoader[dict[str, Any]]:
    """Return the loader of whole images, one in each batch.

    The images are divided among the processes of a distributed run so that each is scored once. With
    fewer images than processes, that is left to Lightning's own sampler, which repeats images.

    Args:
        dataset: the images.
        trainer: the trainer whose processes load them; None if there is only this process.
    """
    sampler = None
    if trainer is not None and 1 < trainer.world_size <= len(dataset):
        sampler = UnrepeatedDistributedSampler(
            dataset, trainer.world_size, trainer.global_rank, shuffle=False
        )
    return DataLoader(
        dataset, batch_size=1, sampler=sampler, collate_fn=unwrap_single, num_workers=0
    )
