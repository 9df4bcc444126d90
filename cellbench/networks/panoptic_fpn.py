"""A feature pyramid on an encoder of timm, with a head for each map."""

from collections.abc import Mapping, Sequence
from math import log2

import torch
from torch import nn
from torch.nn.functional import interpolate

from cellbench.errors import UsageError
from cellbench.networks.encoder import make_encoder, weights_licence
from cellbench.networks.padding import padded

_GROUP = 16  # features that are normalised together


class PanopticFPN(nn.Module):
    """A feature pyramid network with semantic heads (Kirillov et al. 2019), as in Mesmer (Greenwald 2022).

    The encoder's features of each stride are reduced to ``pyramid_channels``. From the coarsest stride to
    the finest, the features of the coarser stride are upsampled and added, and a 3 × 3 convolution gives
    the level of the pyramid. Each level is then upsampled to the encoder's finest stride, mostly 2, by
    steps of a 3 × 3 convolution and bilinear interpolation by two. The sum of all levels is upsampled to
    full resolution in the same way, and features of the image itself are added. Each map has a head of
    two convolutions. Differences from Mesmer's network:

    * The levels have the strides of the encoder, 2 to 32 in most. Mesmer's are 8 to 128, for larger
      patches.
    * A 3 × 3 convolution of the image is the level of stride 1, because the border of a cell is one pixel
      wide.
    * There are no coordinate channels. Mesmer adds the position of each pixel in the patch to the image.
      But where a window begins has nothing to do with cells: the same cell would have other maps in
      another window, or in a rotated image.
    * The levels are upsampled once for all maps, not for each map, which takes less time.
    * Features are normalised in groups, because the images of a batch differ too much to share
      statistics.

    Args:
        maps: channels of each map to predict, by name; each has its own head.
        encoder: name of an encoder in timm, with or without the tag of its weights.
        pretrained: load the encoder's weights, see
            [`make_encoder`][cellbench.networks.encoder.make_encoder].
        pyramid_channels: number of features of each level of the pyramid; 256 in Mesmer.
        head_channels: number of features of each level after upsampling; 128 in Kirillov et al. The
            features at full resolution are half as many.

    Attributes:
        weights_licence: licence of the encoder's pretrained weights; empty without them.

    Raises:
        UsageError: if timm has no such encoder, or it has unsuitable strides, or a number is out of its
            range.
        CellbenchError: if the encoder's weights cannot be loaded.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self,
        maps: Mapping[str, int],
        encoder: str = "tf_efficientnet_lite0",
        pretrained: bool = True,
        pyramid_channels: int = 256,
        head_channels: int = 128,
    ) -> None:
        _check(pyramid_channels=pyramid_channels, head_channels=head_channels)
        super().__init__()
        self.encoder = make_encoder(encoder, pretrained)
        self.weights_licence = weights_licence(self.encoder) if pretrained else ""
        for name in ("mean", "std"):
            values = torch.tensor(self.encoder.pretrained_cfg[name]).view(3, 1, 1)
            self.register_buffer(name, values, persistent=False)
        strides: list[int] = self.encoder.feature_info.reduction()
        self.stride = strides[-1]
        self.pyramid = _Pyramid(self.encoder.feature_info.channels(), pyramid_channels)
        self.levels = nn.ModuleList(
            _convolutions(pyramid_channels, head_channels, max(1, doublings))
            for doublings in range(len(strides))
        )
        full = head_channels // 2
        doublings = round(log2(strides[0]))
        self.full = _convolutions(head_channels, full, max(1, doublings))
        if doublings:
            self.full.append(_doubling())
        self.doubling = _doubling()
        self.image = _convolution(3, full)
        self.heads = nn.ModuleDict(
            {
                name: nn.Sequential(_convolution(full, full), nn.Conv2d(full, channels, 1))
                for name, channels in maps.items()
            }
        )

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Predict the maps, before activation.

        Args:
            image: (B, 3, H, W) in [0, 1], of any size.

        Returns:
            (B, C, H, W) for each map of C channels.
        """
        height, width = image.shape[-2:]
        scaled = padded((image - self.mean) / self.std, self.stride)
        features: list[torch.Tensor] = self.encoder(scaled)
        if getattr(self.encoder, "output_fmt", "NCHW") == "NHWC":
            features = [each.permute(0, 3, 1, 2) for each in features]
        finest, *coarser = (
            convolve(level)
            for convolve, level in zip(self.levels, self.pyramid(features), strict=True)
        )
        # Interpolation is linear: the sum of the coarser levels needs it once.
        levels = finest + self.doubling(sum(coarser[1:], coarser[0]))
        value = (self.full(levels) + self.image(scaled))[..., :height, :width]
        return {name: head(value) for name, head in self.heads.items()}


class _Pyramid(nn.Module):
    """Features of all strides with equally many channels, each with what the coarser strides know."""

    def __init__(self, depths: Sequence[int], channels: int) -> None:
        super().__init__()
        self.reductions = nn.ModuleList(
            nn.Sequential(nn.Conv2d(depth, channels, 1, bias=False), _group_norm(channels))
            for depth in depths
        )
        self.convolutions = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=1) for _ in depths
        )

    def forward(self, features: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        value: torch.Tensor | None = None
        levels = []
        for reduce, convolve, feature in zip(
            reversed(self.reductions), reversed(self.convolutions), reversed(features), strict=True
        ):
            reduced = reduce(feature)
            value = reduced if value is None else reduced + interpolate(value, scale_factor=2.0)
            levels.append(convolve(value))
        return levels[::-1]


def _check(**numbers: int) -> None:
    for name, value in numbers.items():
        if value < 2 or value % 2:
            raise UsageError(f"{name} {value}: must be an even number of at least 2")


def _convolutions(in_channels: int, out_channels: int, number: int) -> nn.Sequential:
    """Convolve so many times, and double the resolution in between."""
    layers: list[nn.Module] = [_convolution(in_channels, out_channels)]
    for _ in range(number - 1):
        layers += [_doubling(), _convolution(out_channels, out_channels)]
    return nn.Sequential(*layers)


def _doubling() -> nn.Module:
    return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)


def _convolution(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        _group_norm(out_channels),
        nn.ReLU(inplace=True),
    )


def _group_norm(features: int) -> nn.GroupNorm:
    groups = 1 if features % _GROUP else features // _GROUP
    return nn.GroupNorm(groups, features)
