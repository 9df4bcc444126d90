"""The system of T2-sribdmed, streams 1 and 2: ConvNeXt with star-convex cells."""

from collections.abc import Sequence
from typing import Any

from cellbench.models.base import InstanceSegmentationModel
from cellbench.networks.convnext import ConvNextUNet, decoder_grid
from cellbench.representations import StarConvex

_RADIUS = 10.0  # pixels, of a cell of middling size
_RARE = -2.0  # the logit of .12: few pixels are central, and an untrained network proposes no cells


class ConvNextStarDist(InstanceSegmentationModel):
    """ConvNeXt U-Net with star-convex cells (Lou et al. 2023, T2 in the challenge).

    Args:
        encoder: timm's name of a ConvNeXt; the default is the paper's.
        pretrained: load the encoder's weights, Apache-2.0; needs a connection or a cached copy.
        decoder_channels: features at strides 16, 8, 4 and 2; a fifth number, at stride 1, gives maps at
            every pixel instead of every second: four times the work.
        rays: directions in which a cell's outline is measured, a multiple of four.
        **training: options of every model, see :class:`InstanceSegmentationModel`; the paper learns
            at 1e-4, the encoder at a tenth of it (``encoder_rate``).
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
            units={"distances": _RADIUS},
            first={"distances": 1.0, "probability": _RARE},
        )
        super().__init__(network=network, representation=representation, **training)
