"""The system of T2-sribdmed, streams 3 and 4: ConvNeXt with distances to cell centres."""

from collections.abc import Sequence
from typing import Any

from cellbench.models.hover import HoVerUNet
from cellbench.networks.convnext import check_convnext


class ConvNextHoVer(HoVerUNet):
    """ConvNeXt U-Net with HoVer-Net's maps: foreground and distances to cell centres.

    Source: Lou et al. 2023 (arXiv 2310.14226), team T2-sribdmed in the challenge. T2's code applies a
    sigmoid and then a softmax to the foreground, which keeps its probabilities between 0.27 and 0.73;
    here it is one sigmoid. Cell centres are exact, so that the maps of a rotated image are the rotated
    maps.

    Weights: the encoder's ImageNet weights by Meta, distributed by timm under Apache-2.0; those named
    ``convnextv2`` are CC-BY-NC-4.0.

    Args:
        encoder: name of a ConvNeXt in timm. The default is the one of the paper.
        pretrained: load the ImageNet weights of the encoder; this needs a network connection or a
            cached copy.
        decoder_channels: number of decoder features at strides 16, 8, 4, 2 and 1.
        smallest_target: smallest number of pixels of a cell whose distances are learned. HoVer-Net's
            value is 30.
        **training: options of every dense model, see [`DenseModel`][cellbench.models.dense.DenseModel]. The
            paper's learning rate is 1e-4.
    """

    def __init__(
        self,
        encoder: str = "convnext_small.fb_in22k",
        pretrained: bool = True,
        decoder_channels: Sequence[int] = (256, 128, 64, 32, 32),
        smallest_target: int = 30,
        **training: Any,
    ) -> None:
        check_convnext(encoder)
        super().__init__(encoder, pretrained, decoder_channels, smallest_target, **training)
