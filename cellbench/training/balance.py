"""How images of a dataset folder are balanced when patches are drawn: the option ``data.balance``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import torch

from cellbench.data.folder import DatasetImage
from cellbench.training.appearance import appearance_groups
from cellbench.training.ranges import check_at_least, check_choice
from cellbench.training.sampling import amplified_weights, sampling_weights
from cellbench.training.store import DecodedStore

Balance = Literal["modality", "source", "appearance", "none"]


class Balancing(NamedTuple):
    """Which groups of images are balanced, and how.

    Attributes:
        balance: modality or source (as in manifest.csv), appearance, or none.
        crop_size: side of a patch in pixels.
        appearance_groups: number of groups by appearance.
        smallest_group: groups by appearance with fewer images are drawn as often as if they had so many.
    """

    balance: Balance
    crop_size: int
    appearance_groups: int
    smallest_group: int

    def check(self) -> None:
        """Check the values.

        Raises:
            UsageError: if a value is not among the choices, or a number is below 1.
        """
        check_choice(get_args(Balance), "data", balance=self.balance)
        check_at_least(1, "data", appearance_groups=self.appearance_groups)
        check_at_least(1, "data", smallest_group=self.smallest_group)

    def weights(self, items: Sequence[DatasetImage], store: DecodedStore) -> torch.Tensor:
        """Return the probability with which a patch is cut from each image.

        Args:
            items: images with label maps.
            store: keeps decoded images.

        Returns:
            (N,) float64, sum 1.

        Raises:
            CellbenchError: if an image cannot be read, or for groups by appearance, if the weights of
                the encoder are not installed.
        """
        loaded = [store.load(item) for item in items]
        areas = [labels.size for _, labels in loaded]
        if self.balance == "appearance":
            images = (image for image, _ in loaded)
            groups = appearance_groups(images, self.appearance_groups, self.smallest_group)
            return amplified_weights(areas, groups, self.crop_size, self.smallest_group)
        groups = ["" if self.balance == "none" else getattr(item, self.balance) for item in items]
        return sampling_weights(areas, groups, self.crop_size)


def root_of_each(items: Sequence[DatasetImage], roots: Sequence[str]) -> list[int]:
    """Return the index of the dataset folder of each image.

    Args:
        items: images of these dataset folders.
        roots: the dataset folders.
    """
    folders = [Path(root) for root in roots]
    return [folders.index(item.root) for item in items]
