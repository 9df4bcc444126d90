"""The challenge's baseline: a U-Net that predicts interior and boundary."""

from collections.abc import Sequence
from typing import Any

from cellbench.models.base import InstanceSegmentationModel
from cellbench.networks.unet import UNet
from cellbench.representations import Boundary


class UNetBoundary(InstanceSegmentationModel):
    """Residual U-Net with three classes (NeurIPS-CellSeg, baseline/model_training_3class.py).

    Args:
        channels: features of each level of the U-Net.
        residual_units: convolutions in each residual block.
        smallest_interior: predicted interiors of fewer pixels are no cells; the official 16. Training
            targets keep down to 4, as the official 16 hides every nucleus of less than about 60 px.
        **training: options of every model, see :class:`InstanceSegmentationModel`.
    """

    def __init__(
        self,
        channels: Sequence[int] = (16, 32, 64, 128, 256),
        residual_units: int = 2,
        smallest_interior: int = 16,
        **training: Any,
    ) -> None:
        representation = Boundary(smallest_interior=smallest_interior, smallest_target=4)
        network = UNet(representation.channels, channels, residual_units)
        super().__init__(network=network, representation=representation, **training)
