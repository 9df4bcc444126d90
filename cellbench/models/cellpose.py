"""Cellpose: a residual U-Net with a style vector, and flows to the cells' centres."""

from collections.abc import Sequence
from typing import Any

from cellbench.models.dense import DenseModel
from cellbench.models.parts import cellpose


class Cellpose(DenseModel):
    """Residual U-Net with a style vector that predicts foreground and flows: Cellpose 2.0.

    Source: Stringer et al. 2021 (Cellpose) and Pachitariu and Stringer 2022 (Cellpose 2.0), both Nature
    Methods, whose network has 6.6 million parameters. It is trained from scratch, in colour, and images
    are not rescaled to cells of one size.

    Args:
        channels: number of features at each level of the U-Net, from the finest level to the coarsest.
            Those of Cellpose 2.0 are 32, 64, 128 and 256.
        **training: options of every dense model, see [`DenseModel`][cellbench.models.dense.DenseModel].
    """

    def __init__(self, channels: Sequence[int] = (32, 64, 128, 256), **training: Any) -> None:
        network, representation = cellpose(channels)
        super().__init__(network=network, representation=representation, **training)
