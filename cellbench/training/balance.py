"""How datasets and groups of images are balanced when patches are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch

from cellbench.data.folder import DatasetImage
from cellbench.training.appearance import appearance_groups
from cellbench.training.ranges import check_at_least, check_choice
from cellbench.training.sampling import amplified_weights, sampling_weights, shared_weights
from cellbench.training.store import DecodedStore

Balance = Literal["modality", "source", "appearance", "none"]


@dataclass(frozen=True)
class Balancing:
    """How often patches are cut from each image: the options of the datamodule with the same names.

    Args:
        crop_size: side of a patch in pixels.
        balance: modality or source (as in manifest.csv), appearance, or none.
        appearance_groups: number of groups by appearance.
        smallest_group: groups by appearance with fewer images are drawn as often as if they had this
            number of images.
        roots: dataset folders of the images.
        shares: part of the patches that comes from each of ``roots``; None weights all images as one
            dataset.

    Raises:
        UsageError: if a value is not among the choices, or a number is below 1.
    """

    crop_size: int
    balance: Balance
    appearance_groups: int
    smallest_group: int
    roots: Sequence[str]
    shares: Sequence[float] | None

    def __post_init__(self) -> None:
        check_choice(get_args(Balance), "data", balance=self.balance)
        check_at_least(1, "data", appearance_groups=self.appearance_groups)
        check_at_least(1, "data", smallest_group=self.smallest_group)

    def weights(self, items: Sequence[DatasetImage], store: DecodedStore) -> torch.Tensor:
        """Return the probability with which a patch is cut from each image.

        Args:
            items: images with label maps.
            store: keeps decoded images.

        Returns:
            (N,) float64, sum 1. With ``shares``, groups are balanced within each of ``roots``.

        Raises:
            CellbenchError: if an image cannot be read, or for groups by appearance, if the weights of
                the encoder are not installed.
        """
        parts = self.parts(items)
        if self.shares is None or parts is None:
            return self._weights_within(items, store)
        return shared_weights(
            parts,
            self.shares,
            lambda chosen: self._weights_within([items[each] for each in chosen], store),
        )

    def parts(self, items: Sequence[DatasetImage]) -> list[int] | None:
        """Return the index in ``roots`` of the dataset of each image; None without ``shares``.

        Args:
            items: images of these datasets.
        """
        if self.shares is None:
            return None
        folders = [Path(root) for root in self.roots]
        return [folders.index(item.root) for item in items]

    def _weights_within(self, items: Sequence[DatasetImage], store: DecodedStore) -> torch.Tensor:
        loaded = [store.load(item) for item in items]
        areas = [labels.size for _, labels in loaded]
        if self.balance == "appearance":
            images = (image for image, _ in loaded)
            groups = appearance_groups(images, self.appearance_groups, self.smallest_group)
            return amplified_weights(areas, groups, self.crop_size, self.smallest_group)
        groups = ["" if self.balance == "none" else getattr(item, self.balance) for item in items]
        return sampling_weights(areas, groups, self.crop_size)
