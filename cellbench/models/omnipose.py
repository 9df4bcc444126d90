"""Omnipose: the residual U-Net of Cellpose, with distances, flows away from the outlines, and outlines."""

from collections.abc import Sequence
from typing import Any

from cellbench.models.dense import DenseModel
from cellbench.models.parts import omnipose


class Omnipose(DenseModel):
    """Residual U-Net with a style vector that predicts distances, flows and outlines: Omnipose.

    Source: Cutler et al. 2022, Nature Methods. The representation,
    [`Omni`][cellbench.representations.omni.Omni], follows the paper alone: the original code, version
    1.1.4, allows no commercial use. The network is that of Cellpose (6.6 million parameters) with one
    more output. Differences: it is trained from scratch, in colour, with AdamW where the paper has RAdam,
    and images are not rescaled to cells of one size.

    Weights: none; training starts from random numbers.

    Args:
        channels: number of features at each level of the U-Net, from the finest level to the coarsest.
            Those of the paper are 32, 64, 128 and 256.
        **training: options of every dense model, see [`DenseModel`][cellbench.models.dense.DenseModel].
    """

    def __init__(self, channels: Sequence[int] = (32, 64, 128, 256), **training: Any) -> None:
        network, representation = omnipose(channels)
        super().__init__(network=network, representation=representation, **training)
