"""The system of T2-sribdmed, streams 3 and 4: ConvNeXt with distances to cell centres."""

from collections.abc import Sequence
from typing import Any

from cellbench.models.base import InstanceSegmentationModel
from cellbench.networks.convnext import ConvNextUNet
from cellbench.representations import HoVer


class ConvNextHoVer(InstanceSegmentationModel):
    """ConvNeXt U-Net with HoVer-Net's maps (Lou et al. 2023, T2 in the challenge).

    T2's code takes a sigmoid of the foreground and then a softmax, which keeps its probabilities
    between .27 and .73; here it is one sigmoid. Centres are exact, so that the maps of a turned image are
    the turned maps.

    Args:
        encoder: timm's name of a ConvNeXt; the default is the paper's.
        pretrained: load the encoder's weights, Apache-2.0; needs a connection or a cached copy.
        decoder_channels: features at strides 16, 8, 4, 2 and 1.
        smallest_target: cells of fewer pixels have no distances to learn; HoVer-Net's 30.
        **training: options of every model, see :class:`InstanceSegmentationModel`; the paper learns
            at 1e-4.
    """

    def __init__(
        self,
        encoder: str = "convnext_small.fb_in22k",
        pretrained: bool = True,
        decoder_channels: Sequence[int] = (256, 128, 64, 32, 32),
        smallest_target: int = 30,
        **training: Any,
    ) -> None:
        representation = HoVer(smallest_target=smallest_target, exact_centres=True)
        network = ConvNextUNet(representation.channels, encoder, pretrained, decoder_channels)
        super().__init__(network=network, representation=representation, **training)
