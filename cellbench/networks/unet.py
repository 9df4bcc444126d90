"""The residual U-Net of the challenge's baseline."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import torch
from torch import nn

from cellbench.errors import UsageError
from cellbench.networks.padding import padded


class UNet(nn.Module):
    """MONAI's 2D residual U-Net (Kerfoot et al. 2018), as in the challenge's model_training_3class.py.

    It has MONAI's names of weights, initial weights and outputs. It is written here because importing
    MONAI takes longer than segmenting an image.

    Args:
        maps: channels of each map to predict, by name.
        channels: number of features of each level; every level but the first halves the resolution.
        residual_units: number of convolutions in each residual block.

    Raises:
        UsageError: if ``channels`` has fewer than two numbers, or a number is below 1.
    """

    def __init__(
        self,
        maps: Mapping[str, int],
        channels: Sequence[int] = (16, 32, 64, 128, 256),
        residual_units: int = 2,
    ) -> None:
        if len(channels) < 2 or min(channels) < 1:
            raise UsageError(f"channels {list(channels)}: must be at least two numbers above 0")
        if residual_units < 1:
            raise UsageError(f"residual_units {residual_units}: must be 1 or more")
        super().__init__()
        self.maps = dict(maps)
        self.stride = 2 ** (len(channels) - 1)
        self.body = nn.ModuleDict(
            {"model": _level(3, sum(self.maps.values()), channels, residual_units, is_finest=True)}
        )

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Predict the maps, before activation.

        Args:
            image: (B, 3, H, W) in [0, 1], of any size.

        Returns:
            (B, C, H, W) for each map of C channels.
        """
        height, width = image.shape[-2:]
        value = padded(image, self.stride, 2 * self.stride)
        maps = self.body["model"](value)[..., :height, :width]
        return dict(zip(self.maps, maps.split(list(self.maps.values()), dim=1), strict=True))


def _level(
    in_channels: int,
    out_channels: int,
    channels: Sequence[int],
    residual_units: int,
    is_finest: bool = False,
) -> nn.Sequential:
    """Build one level and all coarser ones: halve the resolution, join what they return, double it."""
    own, coarser, *rest = channels
    inner: nn.Module = (
        _level(own, own, channels[1:], residual_units)
        if rest
        else _ResidualBlock(own, coarser, 1, residual_units)
    )
    joined = own + (own if rest else coarser)
    down = _ResidualBlock(in_channels, own, 2, residual_units)
    upsampling = nn.ConvTranspose2d(joined, out_channels, 3, stride=2, padding=1, output_padding=1)
    up = nn.Sequential(
        _activated(upsampling, out_channels),
        _ResidualBlock(out_channels, out_channels, 1, 1, is_output=is_finest),
    )
    return nn.Sequential(down, _Skip(inner), up)


class _Skip(nn.Module):
    """Join the input of coarser levels and their output."""

    def __init__(self, submodule: nn.Module) -> None:
        super().__init__()
        self.submodule = submodule

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        return torch.cat([value, self.submodule(value)], dim=1)


class _ResidualBlock(nn.Module):
    """Convolutions, and a shortcut that is a convolution where the shape changes."""

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, units: int, is_output: bool = False
    ) -> None:
        super().__init__()
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for index in range(units):
            convolution = nn.Conv2d(
                out_channels if index else in_channels,
                out_channels,
                3,
                stride=1 if index else stride,
                padding=1,
            )
            is_raw = is_output and index == units - 1
            layers[f"unit{index}"] = (
                nn.Sequential(OrderedDict(conv=convolution))
                if is_raw
                else _activated(convolution, out_channels)
            )
        self.conv = nn.Sequential(layers)
        self.residual: nn.Module = nn.Identity()
        if stride > 1 or in_channels != out_channels:
            size = 3 if stride > 1 else 1
            self.residual = nn.Conv2d(
                in_channels, out_channels, size, stride=stride, padding=size // 2
            )

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.conv(value) + self.residual(value)
        return result


def _activated(convolution: nn.Module, channels: int) -> nn.Sequential:
    """Add instance normalisation and PReLU, under MONAI's names."""
    after = OrderedDict[str, nn.Module](N=nn.InstanceNorm2d(channels), A=nn.PReLU())
    return nn.Sequential(OrderedDict[str, nn.Module](conv=convolution, adn=nn.Sequential(after)))
