"""A U-Net with an encoder of timm, and a decoder up to full resolution."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import log2

import torch
from torch import nn

from cellbench.errors import UsageError
from cellbench.networks.encoder import make_encoder, weights_licence
from cellbench.networks.padding import ceiling, padded

_GROUP = 16  # features that are normalised together
_IMAGE_FEATURES = (32, 16)  # of the skips at half and at full resolution


class EncoderUNet(nn.Module):
    """An encoder of timm, decoded as in the system of Lou et al. (2023).

    The encoder's features are normalised and decoded stride by stride: upsampled by two, joined with
    the encoder's features, and convolved twice. Normalisation is over groups of features, because the
    images of a batch differ too much to share statistics. At strides 2 and 1, where the encoder has no
    features, convolutions of the image itself are joined, so that outlines of small cells are as sharp
    as the image. The decoder stops at stride 1, or at stride 2 as in the original, see ``grid``. The
    original passes values from 0 to 255 and lets the network scale them; here the image is scaled to
    the mean and standard deviation with which the encoder's weights were trained.

    Args:
        maps: channels of each map to predict, by name; each has its own head.
        encoder: name of an encoder in timm, with or without the tag of its weights.
        pretrained: load the encoder's weights, see
            [`make_encoder`][cellbench.networks.encoder.make_encoder].
        decoder_channels: number of features at each stride, from half of the encoder's coarsest
            stride (16 for most encoders) to 1; without the last one, maps are predicted at stride 2.
        grids: values of ``grid`` that the maps may have.
        scales: factor on the outputs of a map, by name; 1 by default. An optimiser like Adam changes a
            weight by about the learning rate in each step, however large the error is: a map with
            values of tens of pixels would need thousands of steps.
        initial_outputs: approximate outputs of a map before training, before they are scaled; 0 by
            default.

    Attributes:
        grid: maps are predicted at pixels whose row and column are divisible by it, 1 or 2.
        weights_licence: licence of the encoder's pretrained weights; empty without them.

    Raises:
        UsageError: if timm has no such encoder, or it does not suit a U-Net, or ``decoder_channels``
            has a wrong length.
        CellbenchError: if the encoder's weights cannot be loaded.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self,
        maps: Mapping[str, int],
        encoder: str = "tf_efficientnet_lite0",
        pretrained: bool = True,
        decoder_channels: Sequence[int] = (256, 128, 64, 32, 32),
        grids: Sequence[int] = (1, 2),
        scales: Mapping[str, float] | None = None,
        initial_outputs: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__()
        self.encoder = make_encoder(encoder, pretrained)
        from timm.layers import LayerNorm2d  # after timm itself, which make_encoder imports

        self.weights_licence = weights_licence(self.encoder) if pretrained else ""
        strides: list[int] = self.encoder.feature_info.reduction()
        self.stride = strides[-1]
        self.grid = _decoder_grid(decoder_channels, self.stride, grids)
        for name in ("mean", "std"):
            values = torch.tensor(self.encoder.pretrained_cfg[name]).view(3, 1, 1)
            self.register_buffer(name, values, persistent=False)
        unused = strides.index(self.grid) if strides[0] < self.grid else 0
        depths: list[int] = self.encoder.feature_info.channels()[unused:]
        self.norms = nn.ModuleList(LayerNorm2d(depth) for depth in depths)
        half, full = _IMAGE_FEATURES
        self.full_skip = _convolution(3, full) if strides[0] > self.grid else None
        self.half_skip = _convolution(full, half, stride=2) if strides[0] > 2 else None
        image_skips = [half] if strides[0] > 2 else []
        image_skips += [full] if strides[0] > self.grid == 1 else []
        widths = [depths[-1], *decoder_channels]
        self.decoder = nn.ModuleList(
            _UpBlock(deep, skip, out_channels)
            for (deep, out_channels), skip in zip(
                pairwise(widths), [*reversed(depths[:-1]), *image_skips], strict=True
            )
        )
        self.heads = nn.ModuleDict(
            {name: nn.Conv2d(widths[-1], channels, 1) for name, channels in maps.items()}
        )
        self.scales = dict(scales or {})
        for name, value in (initial_outputs or {}).items():
            nn.init.constant_(self.heads[name].bias, value)  # type: ignore[arg-type]

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Predict the maps, before activation.

        Args:
            image: (B, 3, H, W) in [0, 1], of any size.

        Returns:
            (B, C, ⌈H / grid⌉, ⌈W / grid⌉) for each map of C channels.
        """
        height, width = image.shape[-2:]
        scaled = padded((image - self.mean) / self.std, self.stride)
        value, *skips = reversed(self._features(scaled))
        for block, skip in zip(self.decoder, [*skips, *self._image_skips(scaled)], strict=True):
            value = block(value, skip)
        rows, columns = (ceiling(side, self.grid) for side in (height, width))
        value = value[..., :rows, :columns]
        return {name: head(value) * self.scales.get(name, 1.0) for name, head in self.heads.items()}

    def _features(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Return the encoder's normalised features, from the finest stride to the coarsest."""
        features = self.encoder(image)[-len(self.norms) :]
        if getattr(self.encoder, "output_fmt", "NCHW") == "NHWC":
            features = [each.permute(0, 3, 1, 2) for each in features]
        return [norm(each) for norm, each in zip(self.norms, features, strict=True)]

    def _image_skips(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Return convolutions of the image at the strides, 2 and 1, that the encoder lacks."""
        if self.full_skip is None:
            return []
        full = self.full_skip(image)
        skips = [] if self.half_skip is None else [self.half_skip(full)]
        return skips if self.grid > 1 else [*skips, full]


def _decoder_grid(decoder_channels: Sequence[int], stride: int, grids: Sequence[int]) -> int:
    """Return the stride at which a decoder predicts its maps."""
    blocks = round(log2(stride))
    grid: int = 2 ** max(0, blocks - len(decoder_channels))
    if len(decoder_channels) > blocks or grid not in grids:
        fewer = f", or {blocks - 1} for maps at every second pixel" if 2 in grids else ""
        raise UsageError(
            f"decoder_channels {list(decoder_channels)}: must be {blocks} numbers{fewer}"
        )
    return grid


class _UpBlock(nn.Module):
    """Double the resolution, join the skip connection, convolve twice.

    A convolution of upsampled features joined with the skip equals the sum of two convolutions, one of
    each. The 3 × 3 convolution of the upsampled features is a special 4 × 4 transposed convolution of
    the features before upsampling. So nothing is upsampled, joined or copied, which makes a block about
    twice as fast.
    """

    def __init__(self, deep: int, skip: int, out_channels: int) -> None:
        super().__init__()
        self.from_deep = nn.ConvTranspose2d(deep, out_channels, 4, stride=2, padding=1, bias=False)
        self.from_skip = nn.Conv2d(skip, out_channels, 3, padding=1, bias=False)
        self.joined = _normalisation(out_channels)
        self.convolution = _convolution(out_channels, out_channels)

    def forward(self, deep: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        joined = self.joined(self.from_deep(deep) + self.from_skip(skip))
        value: torch.Tensor = self.convolution(joined)
        return value


def _convolution(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False),
        _normalisation(out_channels),
    )


def _normalisation(features: int) -> nn.Sequential:
    groups = 1 if features % _GROUP else features // _GROUP
    return nn.Sequential(nn.GroupNorm(groups, features), nn.ReLU(inplace=True))
