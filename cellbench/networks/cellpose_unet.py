"""The residual U-Net with a style vector of Cellpose."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import interpolate, max_pool2d, normalize

from cellbench.errors import UsageError
from cellbench.networks.padding import padded


class CellposeUNet(nn.Module):
    """The network of Cellpose (Stringer et al. 2021, Nature Methods; the same in Cellpose 2.0).

    Each level has one residual block on the way down, with maxima of 2 × 2 pixels between the levels,
    and one on the way up, with pixels repeated 2 × 2. A block has four 3 × 3 convolutions, each after
    batch normalisation and ReLU. The result of the first two is added to a 1 × 1 convolution of the
    block's input, after batch normalisation; the result of the other two is added to that sum.

    The style vector is the mean of the coarsest features over the image, scaled to length 1. It
    describes what kind of image this is. On the way up, linear maps of it are added to the inputs of
    the second, third and fourth convolution of each block. The features from the way down are added,
    not joined, to the input of the second one. The maps are a 1 × 1 convolution of the finest features,
    after batch normalisation and ReLU.

    Differences from Cellpose: the image has three colours, where Cellpose has two channels, cytoplasm
    and nuclei. Images are not rescaled to cells of 30 pixels.

    Args:
        maps: channels of each map to predict, by name.
        channels: number of features of each level, from the finest to the coarsest. Cellpose has 32,
            64, 128 and 256, which makes 6.6 million parameters.

    Raises:
        UsageError: if ``channels`` has fewer than two numbers, or one is below 1.
    """

    def __init__(
        self, maps: Mapping[str, int], channels: Sequence[int] = (32, 64, 128, 256)
    ) -> None:
        if len(channels) < 2 or min(channels) < 1:
            raise UsageError(f"channels {list(channels)}: must be at least two numbers above 0")
        super().__init__()
        self.maps = dict(maps)
        self.stride = 2 ** (len(channels) - 1)
        style = channels[-1]
        self.down = nn.ModuleList(
            _ResidualBlock(finer, coarser) for finer, coarser in pairwise([3, *channels])
        )
        self.up = nn.ModuleList(
            _ResidualBlock(coarser, finer, style)
            for coarser, finer in pairwise([style, *reversed(channels)])
        )
        self.output = _convolution(channels[0], sum(self.maps.values()), 1)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Predict the maps, before activation.

        Args:
            image: (B, 3, H, W) in [0, 1], of any size.

        Returns:
            (B, C, H, W) for each map of C channels.
        """
        height, width = image.shape[-2:]
        value = padded(image, self.stride, 2 * self.stride)
        skips = []
        for level, block in enumerate(self.down):
            value = block(value if level == 0 else max_pool2d(value, 2))
            skips.append(value)
        style = normalize(value.float().mean((-2, -1)))
        for level, block in enumerate(self.up):
            finer = value if level == 0 else interpolate(value, scale_factor=2.0)
            value = block(finer, skips.pop(), style)
        maps = self.output(value)[..., :height, :width]
        return dict(zip(self.maps, maps.split(list(self.maps.values()), dim=1), strict=True))


class _ResidualBlock(nn.Module):
    """Four convolutions with a shortcut around each two; on the way up with a skip and the style."""

    def __init__(self, in_channels: int, channels: int, style: int = 0) -> None:
        super().__init__()
        self.shortcut = nn.Sequential(
            nn.BatchNorm2d(in_channels), nn.Conv2d(in_channels, channels, 1)
        )
        self.first = _convolution(in_channels, channels)
        self.others = nn.ModuleList(_convolution(channels, channels) for _ in range(3))
        self.styles = nn.ModuleList(nn.Linear(style, channels) for _ in range(3 if style else 0))

    def forward(
        self,
        value: torch.Tensor,
        skip: torch.Tensor | None = None,
        style: torch.Tensor | None = None,
    ) -> torch.Tensor:
        second, third, fourth = self.others
        styles = [each(style)[..., None, None] for each in self.styles] or [0.0] * 3
        inner = self.first(value) if skip is None else self.first(value) + skip
        middle = self.shortcut(value) + second(inner + styles[0])
        result: torch.Tensor = middle + fourth(third(middle + styles[1]) + styles[2])
        return result


def _convolution(in_channels: int, channels: int, size: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm2d(in_channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(in_channels, channels, size, padding=size // 2),
    )
