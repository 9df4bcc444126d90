"""The system of T2-sribdmed, streams 1 and 2: ConvNeXt with star-convex cells."""

from collections.abc import Sequence
from typing import Any

from cellbench.models.stardist import StarDistUNet
from cellbench.networks.convnext import check_convnext


class ConvNextStarDist(StarDistUNet):
    """ConvNeXt U-Net with star-convex cells (StarDist).

    Source: Lou et al. 2023 (arXiv 2310.14226), team T2-sribdmed in the challenge.

    Weights: the encoder's ImageNet weights by Meta, distributed by timm under Apache-2.0; those named
    ``convnextv2`` are CC-BY-NC-4.0.

    Args:
        encoder: name of a ConvNeXt in timm. The default is the one of the paper.
        pretrained: load the ImageNet weights of the encoder; this needs a network connection or a
            cached copy.
        decoder_channels: number of decoder features at strides 16, 8, 4 and 2. A fifth number, for
            stride 1, predicts maps at every pixel instead of every second one, which takes four times
            the work.
        rays: number of directions in which the outline of a cell is measured, a multiple of four.
        **training: options of every dense model, see [`DenseModel`][cellbench.models.dense.DenseModel]. The
            paper's learning rate is 1e-4, for the encoder a tenth of it (``encoder_rate`` 0.1).
    """

    def __init__(
        self,
        encoder: str = "convnext_small.fb_in22k",
        pretrained: bool = True,
        decoder_channels: Sequence[int] = (256, 128, 64, 32),
        rays: int = 32,
        **training: Any,
    ) -> None:
        check_convnext(encoder)
        super().__init__(encoder, pretrained, decoder_channels, rays, **training)
