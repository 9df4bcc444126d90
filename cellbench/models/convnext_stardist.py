"""The system of T2-sribdmed, streams 1 and 2: ConvNeXt with star-convex cells."""

from collections.abc import Sequence
from typing import Any

from cellbench.models.dense import DenseModel
from cellbench.networks.convnext import ConvNextUNet, decoder_grid
from cellbench.representations import StarConvex

_TYPICAL_RADIUS = 10.0  # pixels
_CENTRE_LOGIT = (
    -2.0
)  # probability 0.12: few pixels are central, so an untrained network finds no cell


class ConvNextStarDist(DenseModel):
    """ConvNeXt U-Net with star-convex cells (StarDist).

    Source: Lou et al. 2023 (arXiv 2308.05864), team T2-sribdmed in the challenge.

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
        **training: options of every dense model, see :class:`~cellbench.models.dense.DenseModel`. The
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
        representation = StarConvex(rays=rays, grid=decoder_grid(decoder_channels))
        network = ConvNextUNet(
            representation.channels,
            encoder,
            pretrained,
            decoder_channels,
            scales={"distances": _TYPICAL_RADIUS},
            initial_outputs={"distances": 1.0, "probability": _CENTRE_LOGIT},
        )
        super().__init__(network=network, representation=representation, **training)
