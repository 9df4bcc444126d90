"""The U-Net with two decoders of KIT-GE (DU-Net)."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import nn

from cellbench.errors import UsageError
from cellbench.networks.padding import padded


class DoubleUNet(nn.Module):
    """A U-Net with one encoder and a decoder for each map (Scherr et al. 2020, PLoS ONE; DU-Net).

    Each level has two 3 × 3 convolutions, each followed by ReLU and then batch normalisation, in this
    order. Between the levels of the encoder, convolutions with stride 2 halve the resolution; in the
    decoders, transposed convolutions of 2 × 2 pixels double it and the encoder's features are joined.
    Each map is a 1 × 1 convolution of the finest features of its decoder.

    Differences from the original: the image has three colours and is scaled from [0, 1] to [−1, 1] by
    the same factor everywhere. The original converts it to gray, and its minimum and maximum become −1
    and 1.

    Args:
        maps: channels of each map to predict, by name.
        channels: number of features of each level, from the finest to the coarsest. The original has
            64, 128, 256, 512 and 1024, which makes 46 million parameters for two maps.

    Raises:
        UsageError: if ``channels`` has fewer than two numbers, or one is below 1.
    """

    def __init__(
        self, maps: Mapping[str, int], channels: Sequence[int] = (64, 128, 256, 512, 1024)
    ) -> None:
        if len(channels) < 2 or min(channels) < 1:
            raise UsageError(f"channels {list(channels)}: must be at least two numbers above 0")
        super().__init__()
        self.stride = 2 ** (len(channels) - 1)
        levels = [_block(3, channels[0])]
        for finer, coarser in pairwise(channels):
            halved = _convolution(finer, finer, stride=2)
            levels.append(nn.Sequential(halved, _block(finer, coarser)))
        self.encoder = nn.ModuleList(levels)
        self.decoders = nn.ModuleDict({name: _Decoder(channels, maps[name]) for name in maps})

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Predict the maps, before activation.

        Args:
            image: (B, 3, H, W) in [0, 1], of any size.

        Returns:
            (B, C, H, W) for each map of C channels.
        """
        height, width = image.shape[-2:]
        value = 2 * padded(image, self.stride, 2 * self.stride) - 1
        features = []
        for level in self.encoder:
            value = level(value)
            features.append(value)
        return {
            name: decoder(features)[..., :height, :width] for name, decoder in self.decoders.items()
        }


class _Decoder(nn.Module):
    """Go up from the coarsest features, joining those of the encoder at each level."""

    def __init__(self, channels: Sequence[int], out_channels: int) -> None:
        super().__init__()
        pairs = list(pairwise(reversed(channels)))
        self.doubled = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose2d(coarser, finer, 2, stride=2), nn.BatchNorm2d(finer))
            for coarser, finer in pairs
        )
        self.blocks = nn.ModuleList(_block(2 * finer, finer) for _, finer in pairs)
        self.output = nn.Conv2d(channels[0], out_channels, 1)

    def forward(self, features: Sequence[torch.Tensor]) -> torch.Tensor:
        value, *skips = reversed(features)
        for doubled, block, skip in zip(self.doubled, self.blocks, skips, strict=True):
            value = block(torch.cat([doubled(value), skip], dim=1))
        maps: torch.Tensor = self.output(value)
        return maps


def _block(in_channels: int, channels: int) -> nn.Sequential:
    return nn.Sequential(_convolution(in_channels, channels), _convolution(channels, channels))


def _convolution(in_channels: int, channels: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1),
        nn.ReLU(inplace=True),
        nn.BatchNorm2d(channels),
    )
