"""The datamodule that feeds models from dataset folders."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch
from pytorch_lightning import LightningDataModule
from pytorch_lightning.utilities import rank_zero_warn
from torch.utils.data import DataLoader, Dataset

from cellbench.data.folder import DatasetImage
from cellbench.errors import DatasetError
from cellbench.inference.tiles import LARGEST_SIDE
from cellbench.labels.diameters import median_diameters
from cellbench.models.base import InstanceSegmentationModel
from cellbench.models.batches import HasImageTargets
from cellbench.training.augmentation import PatchAugmentation, as_augmentation
from cellbench.training.balance import Balance, Balancing
from cellbench.training.dataset_folders import labelled_images, training_roots
from cellbench.training.draws import EpochDraws
from cellbench.training.ignored import check_ignored
from cellbench.training.mosaic import check_mosaic
from cellbench.training.patches import PatchDataset, patch_loader
from cellbench.training.ranges import check_at_least, check_epoch, check_shares
from cellbench.training.recipe import PatchRecipe
from cellbench.training.sampling import checked_weights
from cellbench.training.store import DecodedStore
from cellbench.training.unlabeled import (
    UnlabeledPatches,
    WithUnlabeled,
    collate_both,
    unlabeled_options,
)
from cellbench.training.whole_images import WholeImageDataset, whole_image_loader

ImageTargets = dict[str, npt.NDArray[Any]]


class CellDataModule(LightningDataModule):
    """Random patches of the train split for training, whole images of tune and test for scoring.

    The model that is trained normalises the images and encodes the targets; see its methods
    ``normalise`` and ``targets``. Subclasses can override [`train_items`][],
    [`train_weights`][] and [`train_dataset`][].

    Args:
        root: dataset folder; its tune split validates during training and its test split is used by
            `cellbench test` and `cellbench predict`. By default the first of ``roots``, or
            data/sample if there are none.
        roots: dataset folders whose train splits are used for training, for example [data/new,data/old];
            by default only ``root``.
        shares: part of the training patches that comes from each of ``roots``, for example [0.8,0.2];
            they sum to 1 and hold in each batch. Fine-tuning that replays an old dataset, so that it is
            not forgotten, can use 8 new patches and 1 old one in each batch: [0.889,0.111] with
            ``batch_size`` 9. By default the images of all roots are weighted as one dataset.
        balance: groups of images that are balanced when patches are drawn, so that rare ones are seen:
            those of one modality or of one source (as in manifest.csv), those that look alike
            (appearance), or none.
        appearance_groups: for ``balance`` appearance: number of groups of images that look alike, found by
            k-means on the features of an ImageNet encoder.
        smallest_group: for ``balance`` appearance: groups with fewer images than this are drawn as often
            as if they had so many.
        crop_size: side of a training patch in pixels; every network accepts a multiple of 32.
        batch_size: number of patches in a training batch.
        patches_per_epoch: number of patches in an epoch, independent of the number of images.
        largest_zoom: patches are enlarged or shrunk at random, at most by this factor; 1 keeps their size.
        smallest_zoom: patches are shrunk at random, at most to this factor, for example 0.25; images that
            become smaller than a patch are padded with black. By default 1 / ``largest_zoom``, and images
            are not shrunk below the size of a patch.
        cell_sizes: smallest and largest cell diameter in pixels (1 to 1000), for example [4,192]: one
            patch in five has no random zoom, but is rescaled so that the median diameter of the cells of
            its image is drawn from this range. By default no patch is rescaled by its cells.
        mosaic: probability with which a patch is composed of windows of four images, from 0 to 1.
        cell_intensity: probability with which 40 % of the cells of a patch are made brighter, each by its
            own factor of up to 1.7; from 0 to 1 (MEDIAR: 0.25).
        boundary_exclusion: whether cells lose their boundary pixels in what the model learns, so that
            touching cells come apart; cells of up to 65 pixels are kept whole.
        augmentation: random changes of training patches: a factor on the probability of each change of
            intensity (0: only flips and quarter turns), or the class path of a PatchAugmentation.
        num_workers: number of processes that prepare training patches; 0 uses the training process.
        cache: folder for decoded images; it can be deleted at any time.

    Raises:
        UsageError: if a value is not valid, or ``roots`` and ``shares`` do not fit each other.
    """

    def __init__(
        self,
        root: str | None = None,
        roots: Sequence[str] | None = None,
        shares: Sequence[float] | None = None,
        balance: Balance = "modality",
        appearance_groups: int = 40,
        smallest_group: int = 50,
        crop_size: int = 256,
        batch_size: int = 8,
        patches_per_epoch: int = 512,
        largest_zoom: float = 1.5,
        smallest_zoom: float | None = None,
        cell_sizes: Sequence[float] | None = None,
        mosaic: float = 0.0,
        cell_intensity: float = 0.0,
        boundary_exclusion: bool = False,
        augmentation: float | PatchAugmentation = 1.0,
        num_workers: int = 2,
        cache: str = "runs/cache",
    ) -> None:
        super().__init__()
        # A checkpoint keeps the hyperparameters, and must not contain objects.
        is_number = isinstance(augmentation, int | float)
        self.save_hyperparameters(ignore=[] if is_number else ["augmentation"])
        check_at_least(1, "data", batch_size=batch_size, patches_per_epoch=patches_per_epoch)
        check_at_least(0, "data", num_workers=num_workers)
        check_shares(roots, shares)
        self.root, self.roots = training_roots(root, roots)
        self.balancing = Balancing(
            crop_size, balance, appearance_groups, smallest_group, self.roots, shares
        )
        self.recipe = PatchRecipe(
            crop_size=crop_size,
            largest_zoom=largest_zoom,
            smallest_zoom=smallest_zoom,
            cell_sizes=cell_sizes,
            mosaic=mosaic,
            cell_intensity=cell_intensity,
            boundary_exclusion=boundary_exclusion,
            augmentation=as_augmentation(augmentation),
        )
        self.batch_size = batch_size
        self.patches_per_epoch = patches_per_epoch
        self.num_workers = num_workers
        self.store = DecodedStore(cache)
        self._resumed_at = 0
        self._image_targets: dict[DatasetImage, ImageTargets] = {}
        self._weights: dict[tuple[DatasetImage, ...], torch.Tensor] = {}

    def setup(self, stage: str) -> None:
        """Take over the model's normalisation, and forget what depends on an earlier model."""
        self._image_targets.clear()
        self._weights.clear()
        if self.trainer is not None:
            self.store.normalise = self._model().normalise

    def dataset_names(self) -> list[str]:
        """Return the folder names of the datasets that training patches come from."""
        return [Path(root).resolve().name for root in self.roots]

    def items(self, split: str) -> list[DatasetImage]:
        """Return the images of a split that have a label map.

        Args:
            split: ``train`` for the images of all roots, ``tune`` or ``test`` for those of ``root``.

        Returns:
            The images in the order in which they are used.

        Raises:
            CellbenchError: if a dataset folder cannot be read or the split has no label map.
        """
        return self.train_items() if split == "train" else labelled_images(self.root, split)

    def train_items(self) -> list[DatasetImage]:
        """Return the images that training patches are cut from: the train splits of all roots.

        Returns:
            Images with a label map.

        Raises:
            CellbenchError: if a dataset folder cannot be read or has no label map in its train split.
        """
        return [item for root in self.roots for item in labelled_images(root, "train")]

    def train_weights(self, items: Sequence[DatasetImage]) -> torch.Tensor:
        """Return the probability with which a training patch is cut from each image.

        Args:
            items: the images that [`train_items`][] returns.

        Returns:
            (N,) float64, sum 1; see [`Balancing`][cellbench.training.balance.Balancing].
        """
        return self.balancing.weights(items, self.store)

    def cell_diameters(self) -> tuple[float, float, float] | None:
        """Return the quartiles over the training images of the median diameter of their cells, in pixels.

        None, with a warning, if there is no cell
        ([`median_diameters`][cellbench.labels.diameters.median_diameters]).
        """
        found = median_diameters(self.store.load(item)[1] for item in self.train_items())
        if found is None:
            roots = " and ".join(self.roots)
            rank_zero_warn(f"{roots}: no cell in any label map of train/labels; check these files")
        return found

    def train_dataset(self, items: Sequence[DatasetImage]) -> Dataset[dict[str, Any]]:
        """Return the training patches, as [`PatchDataset`][cellbench.training.patches.PatchDataset] does.

        Args:
            items: the images that [`train_items`][] returns.

        Raises:
            UsageError: if the model cannot learn from mosaics or ignore pixels, and a patch needs it.
        """
        check_mosaic(self.recipe.mosaic, model := self._model())
        check_ignored(items, model)
        return PatchDataset(
            items,
            self.store,
            model.target_encoder(),
            self.recipe,
            [self._targets_of(item) for item in items],
            self._checked_weights(items) if self.recipe.mosaic else (),
        )

    def image_targets(self, split: str) -> list[ImageTargets]:
        """Return what the model learns about each image of a split as a whole.

        Args:
            split: as in [`items`][].

        Returns:
            One dictionary for each image of [`items`][]; empty ones if the model learns nothing
            about whole images (see [`HasImageTargets`][cellbench.models.batches.HasImageTargets]).
        """
        return [self._targets_of(item) for item in self.items(split)]

    def _targets_of(self, item: DatasetImage) -> ImageTargets:
        """Compute targets here and not in the workers, which share what existed at their start."""
        model = self._model()
        if not isinstance(model, HasImageTargets):
            return {}
        if item not in self._image_targets:
            self._image_targets[item] = model.image_targets(*self.store.load(item))
        return self._image_targets[item]

    def _checked_weights(self, items: Sequence[DatasetImage]) -> torch.Tensor:
        if (key := tuple(items)) not in self._weights:  # groups by appearance take half a minute
            weights = checked_weights(self.train_weights(items), len(items), type(self).__name__)
            self._weights = {key: weights}
        return self._weights[key]

    def train_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Return batches of random patches, see [`train_weights`][] and [`train_dataset`][]."""
        check_epoch(self.patches_per_epoch, self.batch_size)
        items = self.train_items()
        draws = EpochDraws(
            self._checked_weights(items),
            self.patches_per_epoch,
            torch.initial_seed(),
            self._steps,
            self.balancing.parts(items),
        )
        dataset, collate = self.train_dataset(items), self._model().collate
        if unlabeled := unlabeled_options(self.trainer):
            patches = UnlabeledPatches(
                self.roots, self.store, self.recipe, self.balancing, unlabeled
            )
            dataset, collate = WithUnlabeled(dataset, patches), partial(collate_both, collate)
        return patch_loader(dataset, draws, self.batch_size, self.num_workers, collate)

    def val_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Return the images of the tune split; of a slide only one tile, because it takes minutes."""
        return self._whole_images("tune", largest_side=LARGEST_SIDE)

    def test_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Return the whole images of the test split."""
        return self._whole_images("test")

    predict_dataloader = test_dataloader

    def _whole_images(
        self, split: str, largest_side: int | None = None
    ) -> DataLoader[dict[str, Any]]:
        return whole_image_loader(
            WholeImageDataset(self.items(split), self.store, largest_side), self.trainer
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the number of optimiser steps done, for the checkpoint."""
        return {"steps": self._steps()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue with the draws that follow the steps done."""
        self._resumed_at = int(state_dict["steps"])

    def _steps(self) -> int:
        # When a run resumes, workers draw for its first epoch before the trainer knows its steps.
        done = 0 if self.trainer is None else self.trainer.global_step
        return max(self._resumed_at, done)

    def _model(self) -> InstanceSegmentationModel:
        model = None if self.trainer is None else self.trainer.lightning_module
        if model is None:
            raise DatasetError(f"{self.root}: training patches need a trainer with a model")
        return model  # type: ignore[return-value]  # Lightning types the module loosely
