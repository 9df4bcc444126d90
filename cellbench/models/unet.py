"""The challenge's baseline: a U-Net that predicts interior and boundary."""

from collections.abc import Sequence
from typing import Any

from cellbench.models.dense import DenseModel
from cellbench.models.parts import unet


class UNetBoundary(DenseModel):
    """Residual U-Net that predicts background, interior and boundary: the challenge's baseline.

    Source: NeurIPS-CellSeg, baseline/model_training_3class.py (Ma et al. 2024, Nature Methods).

    Args:
        channels: number of features at each level of the U-Net, from the finest level to the coarsest.
        residual_units: number of convolutions in each residual block.
        smallest_interior: smallest number of pixels of a predicted cell interior; smaller ones are
            removed. The official value is 16. Training targets keep interiors of 4 pixels and more,
            because the official limit of 16 hides every nucleus of less than about 60 pixels.
        **training: options of every dense model, see [`DenseModel`][cellbench.models.dense.DenseModel].
    """

    def __init__(
        self,
        channels: Sequence[int] = (16, 32, 64, 128, 256),
        residual_units: int = 2,
        smallest_interior: int = 16,
        **training: Any,
    ) -> None:
        network, representation = unet(channels, residual_units, smallest_interior)
        super().__init__(network=network, representation=representation, **training)
