"""The challenge's stronger baseline: a Swin-UNETR that predicts interior and boundary."""

from collections.abc import Sequence
from typing import Any

from cellbench.models.dense import DenseModel
from cellbench.models.parts import swin_unetr


class SwinUNETRBoundary(DenseModel):
    """Swin-UNETR that predicts background, interior and boundary: the challenge's stronger baseline.

    Source: NeurIPS-CellSeg, baseline/model_training_3class.py (Ma et al. 2024, Nature Methods). The
    official script builds it for patches of 256 pixels; here an image of any size is padded to a
    multiple of 32.

    Args:
        feature_size: number of features at the first level, a multiple of 12. The official value is 24.
        heads: number of attention heads at each of the four levels; each must divide the features of
            its level, which double from level to level. The official values are 3, 6, 12 and 24.
        convolutions: add a convolution before each level, as Swin-UNETR-V2 does. The official baseline
            has none.
        smallest_interior: smallest number of pixels of a predicted cell interior; smaller ones are
            removed. The official value is 16. Training targets keep interiors of 4 pixels and more,
            because the official limit of 16 hides every nucleus of less than about 60 pixels.
        **training: options of every dense model, see [`DenseModel`][cellbench.models.dense.DenseModel].
    """

    def __init__(
        self,
        feature_size: int = 24,
        heads: Sequence[int] = (3, 6, 12, 24),
        convolutions: bool = False,
        smallest_interior: int = 16,
        **training: Any,
    ) -> None:
        network, representation = swin_unetr(feature_size, heads, convolutions, smallest_interior)
        super().__init__(network=network, representation=representation, **training)
