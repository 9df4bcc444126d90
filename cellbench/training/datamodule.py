"""The one datamodule that feeds every model."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy.typing as npt
import torch
from pytorch_lightning import LightningDataModule
from pytorch_lightning.overrides.distributed import UnrepeatedDistributedSampler
from torch.utils.data import DataLoader

from cellbench.data.folder import DatasetImage, read_dataset
from cellbench.errors import DatasetError, UsageError
from cellbench.inference.tiles import LARGEST_SIDE
from cellbench.models.base import HasImageTargets
from cellbench.training.augmentation import Augmentation
from cellbench.training.draws import EpochDraws
from cellbench.training.patches import PatchDataset, WholeImageDataset, sampling_weights
from cellbench.training.store import DecodedStore

ImageTargets = dict[str, npt.NDArray[Any]]


class CellDataModule(LightningDataModule):
    """Patches of the train split, whole images of tune and test.

    Targets are encoded by the representation of the model that is trained.

    Args:
        root: the dataset folder.
        crop_size: side of a training patch in pixels; a multiple of 32 suits every network.
        batch_size: patches at a time.
        patches_per_epoch: patches drawn in an epoch, whatever the number of images.
        largest_zoom: patches show cells up to so many times larger or smaller; 1 is off.
        augmentation: factor on the probability of every change of intensity; 0 is off.
        num_workers: processes that prepare patches.
        cache: folder for decoded images; it may be removed at any time.
    """

    def __init__(
        self,
        root: str = "data/sample",
        crop_size: int = 256,
        batch_size: int = 8,
        patches_per_epoch: int = 512,
        largest_zoom: float = 1.5,
        augmentation: float = 1.0,
        num_workers: int = 2,
        cache: str = "runs/cache",
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.root = root
        self.crop_size = crop_size
        self.batch_size = batch_size
        self.patches_per_epoch = patches_per_epoch
        self.largest_zoom = largest_zoom
        self.augmentation = augmentation
        self.num_workers = num_workers
        self.store = DecodedStore(cache)
        self._resumed_at = 0
        self._image_targets: dict[str, list[ImageTargets]] = {}

    def _items(self, split: str) -> list[DatasetImage]:
        items = [item for item in read_dataset(self.root, [split]) if item.labels is not None]
        if not items:
            raise DatasetError(f"{self.root}: no image of {split} has a label map; add some")
        return items

    def setup(self, stage: str) -> None:
        """Forget what another model learned of whole images."""
        self._image_targets.clear()

    def image_targets(self, split: str) -> list[ImageTargets]:
        """Give what the model learns of each labelled image of a split as a whole, in order.

        Made once, here and not in the workers: they share what was there before they were started.
        """
        if split not in self._image_targets:
            model = self._model()
            self._image_targets[split] = [
                model.image_targets(*self.store.load(item))
                if isinstance(model, HasImageTargets)
                else {}
                for item in self._items(split)
            ]
        return self._image_targets[split]

    def train_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Give random patches, drawn so that neither small images nor rare modalities starve."""
        if self.patches_per_epoch < self.batch_size:
            raise UsageError(
                f"data.patches_per_epoch {self.patches_per_epoch}: less than a batch; "
                f"give at least data.batch_size, {self.batch_size}"
            )
        items = self._items("train")
        shapes = [self.store.load(item)[1].shape for item in items]
        weights = sampling_weights(
            [(height, width) for height, width in shapes],
            [item.modality for item in items],
            self.crop_size,
        )
        dataset = PatchDataset(
            items,
            self.store,
            self._model().target_encoder(),
            Augmentation(self.augmentation),
            self.crop_size,
            self.largest_zoom,
            self.image_targets("train"),
        )
        return DataLoader(
            dataset,
            batch_size=self.batch_size,
            sampler=EpochDraws(weights, self.patches_per_epoch, torch.initial_seed(), self._steps),
            collate_fn=self._model().collate,
            num_workers=self.num_workers,
            worker_init_fn=_keep_to_one_thread,
            persistent_workers=self.num_workers > 0,
            pin_memory=torch.cuda.is_available(),
            drop_last=True,
        )

    def val_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Give the images of the tune split; of a slide, which would take minutes, one tile."""
        return self._whole_images("tune", largest_side=LARGEST_SIDE)

    def test_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Give the whole images of the test split."""
        return self._whole_images("test")

    def predict_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Give the whole images of the test split."""
        return self._whole_images("test")

    def _whole_images(
        self, split: str, largest_side: int | None = None
    ) -> DataLoader[dict[str, Any]]:
        dataset = WholeImageDataset(self._items(split), self.store, largest_side)
        sampler = self._shares(dataset)
        return DataLoader(dataset, batch_size=1, sampler=sampler, collate_fn=_only, num_workers=0)

    def _shares(self, dataset: WholeImageDataset) -> UnrepeatedDistributedSampler | None:
        """Deal the images to the processes, each once; fewer images than processes Lightning repeats."""
        if self.trainer is None or not 1 < self.trainer.world_size <= len(dataset):
            return None
        return UnrepeatedDistributedSampler(
            dataset, self.trainer.world_size, self.trainer.global_rank, shuffle=False
        )

    def state_dict(self) -> dict[str, Any]:
        """Keep the optimiser's steps so far in the checkpoint."""
        return {"steps": self._steps()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the draws after those steps."""
        self._resumed_at = int(state_dict["steps"])

    def _steps(self) -> int:
        # When a run resumes, workers draw for its first epoch before the trainer knows its steps.
        done = 0 if self.trainer is None else self.trainer.global_step
        return max(self._resumed_at, done)

    def _model(self) -> Any:  # noqa: ANN401  (Lightning types the module loosely)
        if self.trainer is None or self.trainer.lightning_module is None:
            raise DatasetError(f"{self.root}: training patches need a trainer with a model")
        return self.trainer.lightning_module


def _keep_to_one_thread(_worker: int) -> None:
    """Do for OpenCV what PyTorch does for itself in its workers."""
    cv2.setNumThreads(0)  # 1 would wait for threads that a fork leaves behind


def _only(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Unwrap a batch of one whole image: images differ in size."""
    (item,) = items
    return item
