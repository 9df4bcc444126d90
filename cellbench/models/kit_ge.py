"""KIT-GE: a U-Net with two decoders, and distances to outlines and neighbours."""

from collections.abc import Sequence
from typing import Any

from cellbench.models.dense import DenseModel
from cellbench.models.parts import kit_ge


class KitGE(DenseModel):
    """U-Net with two decoders that predicts cell and neighbour distances: KIT-Sch-GE.

    Source: Scherr et al. 2020, "Cell segmentation and tracking using CNN-based distance predictions and
    a graph-based matching strategy", PLoS ONE. The challenge's paper (Ma et al. 2024, Nature Methods)
    compares it as KIT-GE, with 46 million parameters. It is trained in colour with the schedule of all
    models, AdamW with cosine decay, where the original uses Adam with AMSGrad and lowers the learning rate
    when validation stops improving. See
    [`CellDistance`][cellbench.representations.distance.CellDistance] and
    [`DoubleUNet`][cellbench.networks.double_unet.DoubleUNet] for the differences in the maps and in
    the network.

    Weights: none; training starts from random numbers.

    Args:
        channels: number of features at each level of the U-Net, from the finest level to the coarsest.
            Those of the original are 64, 128, 256, 512 and 1024.
        **training: options of every dense model, see [`DenseModel`][cellbench.models.dense.DenseModel].
    """

    def __init__(
        self, channels: Sequence[int] = (64, 128, 256, 512, 1024), **training: Any
    ) -> None:
        network, representation = kit_ge(channels)
        super().__init__(network=network, representation=representation, **training)
