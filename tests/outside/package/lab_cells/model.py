"""A model: one network and one representation."""

from collections.abc import Sequence
from typing import Any

from cellbench.models.dense import DenseModel
from cellbench.networks.unet import UNet
from lab_cells.representation import ShrunkenCells


class ShrunkenCellsUNet(DenseModel):
    """U-Net that predicts shrunken cells.

    Args:
        channels: number of features at each level of the U-Net.
        **training: options of every model, see :class:`cellbench.models.dense.DenseModel`.
    """

    def __init__(self, channels: Sequence[int] = (8, 16, 32), **training: Any) -> None:
        representation = ShrunkenCells()
        super().__init__(
            network=UNet(representation.channels, channels),
            representation=representation,
            **training,
        )
