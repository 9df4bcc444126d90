"""A datamodule: the images of cellbench's own, drawn with other probabilities."""

from collections.abc import Sequence

import torch

from cellbench.data.folder import DatasetImage
from cellbench.training.datamodule import CellDataModule


class EqualSources(CellDataModule):
    """Draw as many training patches from each source of the manifest as from any other."""

    def train_weights(self, items: Sequence[DatasetImage]) -> torch.Tensor:
        """Return the probability with which a patch is drawn from each image.

        Args:
            items: the training images.

        Returns:
            (N,) float64, sum 1.
        """
        sources = [item.source for item in items]
        weights = torch.tensor([1 / sources.count(source) for source in sources]).double()
        return weights / weights.sum()
