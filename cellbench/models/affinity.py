"""Long-range affinities and the mutex watershed on any encoder of timm."""

from collections.abc import Sequence
from typing import Any

from cellbench.models.dense import DenseModel
from cellbench.models.parts import affinity


class AffinityUNet(DenseModel):
    """U-Net with a pretrained encoder that predicts which pixels belong to one cell.

    Source: Wolf et al. 2018 (The Mutex Watershed, ECCV) and 2020 (IEEE Transactions on Pattern Analysis
    and Machine Intelligence), implemented from the papers. Their network is a U-Net for electron
    microscopy that is trained from scratch; here its encoder has ImageNet weights. Further differences
    are described at [`Affinity`][cellbench.representations.affinity.Affinity].

    Weights: the ImageNet weights of the default encoder are Google's (EfficientNet-Lite), Apache-2.0. A
    checkpoint and its entry.yaml name the licence of the weights that were loaded.

    Args:
        encoder: name of an encoder in timm, such as ``tf_efficientnet_lite2``, ``resnet34`` or
            ``convnext_atto``.
        pretrained: load the ImageNet weights of the encoder. ``cellbench[pretrained]`` installs those
            of tf_efficientnet_lite0, lite1 and lite2; others are downloaded once.
        decoder_channels: number of decoder features at strides 16, 8, 4, 2 and 1. An encoder with
            another coarsest stride than 32 needs more or fewer numbers.
        **training: options of every dense model, see [`DenseModel`][cellbench.models.dense.DenseModel].
    """

    def __init__(
        self,
        encoder: str = "tf_efficientnet_lite0",
        pretrained: bool = True,
        decoder_channels: Sequence[int] = (256, 128, 64, 32, 32),
        **training: Any,
    ) -> None:
        network, representation = affinity(encoder, pretrained, decoder_channels)
        super().__init__(network=network, representation=representation, **training)
