"""The challenge's stronger baseline: a Swin-UNETR that predicts interior and boundary."""

from collections.abc import Sequence
from typing import Any

from cellbench.models.base import InstanceSegmentationModel
from cellbench.networks.swin_unetr import SwinUNETR
from cellbench.representations import Boundary


class SwinUNETRBoundary(InstanceSegmentationModel):
    """Swin-UNETR with three classes (NeurIPS-CellSeg, baseline/model_training_3class.py).

    The official script makes it for 256-px patches; here any size is padded to a multiple of 32.

    Args:
        feature_size: features of the first level, a multiple of 12; the official 24.
        heads: attention heads of each of the four levels; the official 3 to 24.
        convolutions: convolve before each level, as Swin-UNETR-V2 does; the official does not.
        smallest_interior: predicted interiors of fewer pixels are no cells; the official 16. Training
            targets keep down to 4, as the official 16 hides every nucleus of less than about 60 px.
        **training: options of every model, see :class:`InstanceSegmentationModel`.
    """

    def __init__(
        self,
        feature_size: int = 24,
        heads: Sequence[int] = (3, 6, 12, 24),
        convolutions: bool = False,
        smallest_interior: int = 16,
        **training: Any,
    ) -> None:
        representation = Boundary(smallest_interior=smallest_interior, smallest_target=4)
        network = SwinUNETR(representation.channels, feature_size, heads, convolutions)
        super().__init__(network=network, representation=representation, **training)
