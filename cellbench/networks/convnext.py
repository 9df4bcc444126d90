"""A ConvNeXt encoder with a U-Net decoder up to full resolution."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from cellbench.errors import CellbenchError, UsageError
from cellbench.networks.padding import padded

_STEM = 4
_GROUP = 16  # features that are normalised together
_IMAGE_FEATURES = (32, 16)  # of the skips at half and at full resolution


class ConvNextUNet(nn.Module):
    """ConvNeXt by timm (Liu et al. 2022), decoded as in the system of Lou et al. (2023).

    The encoder's features at strides 4, 8, 16 and 32 are normalised and decoded stride by stride:
    doubled, joined with the encoder's, two convolutions, normalised in groups of features, for images of
    a batch are too unlike to share statistics. At strides 2 and 1 convolutions of the image itself are
    joined, so that outlines of small cells are as sharp as the image. The decoder stops at stride 1, or
    at stride 2 as the original's, see ``grid``. The original feeds 0–255 and lets the network scale
    them; here the image is brought to the mean and deviation with which the encoder's weights were
    trained.

    The weights that timm loads are Meta's ConvNeXt ones, Apache-2.0 as timm states; those named
    ``convnextv2`` are CC-BY-NC-4.0.

    Args:
        maps: channels of each map to predict, by name; each has its own head.
        encoder: timm's name of a ConvNeXt, such as ``convnext_atto``, with the tag of its weights or
            without; ``convnext_small.fb_in22k`` is the paper's.
        pretrained: load the encoder's weights, from a local cache or the Hugging Face hub.
        decoder_channels: features at strides 16, 8, 4, 2 and 1, or no more than 2.
        units: what an output of 1 stands for in a map, where that is not 1. An optimiser like Adam
            moves a weight by its learning rate whatever the error: maps of tens of pixels would be
            thousands of steps away.
        first: about what the outputs of a map are before training, in its unit; 0 unless given.

    Attributes:
        grid: maps are given at pixels with row and column divisible by it, 1 or 2.

    Raises:
        UsageError: if timm knows no such ConvNeXt, or the decoder stops elsewhere.
        CellbenchError: if its weights cannot be had.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self,
        maps: Mapping[str, int],
        encoder: str = "convnext_small.fb_in22k",
        pretrained: bool = True,
        decoder_channels: Sequence[int] = (256, 128, 64, 32, 32),
        units: Mapping[str, float] | None = None,
        first: Mapping[str, float] | None = None,
    ) -> None:
        from timm.layers import LayerNorm2d

        super().__init__()
        self.encoder = _make_encoder(encoder, pretrained)
        depths: list[int] = self.encoder.feature_info.channels()
        statistics = self.encoder.pretrained_cfg
        for name in ("mean", "std"):
            values = torch.tensor(statistics[name]).view(3, 1, 1)
            self.register_buffer(name, values, persistent=False)
        self.norms = nn.ModuleList(LayerNorm2d(depth) for depth in depths)
        half, full = _IMAGE_FEATURES
        self.full_skip = _convolution(3, full)
        self.half_skip = _convolution(full, half, stride=2)
        self.grid = decoder_grid(decoder_channels)
        skips = [*reversed(depths[:-1]), half, full][: len(decoder_channels)]
        widths = [depths[-1], *decoder_channels]
        self.decoder = nn.ModuleList(
            _UpBlock(deep, skip, made)
            for (deep, made), skip in zip(pairwise(widths), skips, strict=True)
        )
        self.heads = nn.ModuleDict(
            {name: nn.Conv2d(widths[-1], channels, 1) for name, channels in maps.items()}
        )
        self.units = dict(units or {})
        for name, value in (first or {}).items():
            nn.init.constant_(self.heads[name].bias, value)  # type: ignore[arg-type]
        self.stride = _STEM * 2 ** (len(depths) - 1)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Predict the maps, before activation.

        Args:
            image: (B, 3, H, W) in [0, 1], of any size.

        Returns:
            (B, C, ⌈H / grid⌉, ⌈W / grid⌉) for each map of C channels.
        """
        height, width = image.shape[-2:]
        scaled = padded((image - self.mean) / self.std, self.stride)
        features = [norm(each) for norm, each in zip(self.norms, self.encoder(scaled), strict=True)]
        full = self.full_skip(scaled)
        value = features.pop()
        skips = [*reversed(features), self.half_skip(full), full]
        for block, skip in zip(self.decoder, skips, strict=False):
            value = block(value, skip)
        value = value[..., : -(-height // self.grid), : -(-width // self.grid)]
        return {name: head(value) * self.units.get(name, 1.0) for name, head in self.heads.items()}


def decoder_grid(decoder_channels: Sequence[int]) -> int:
    """Give the pixels between two values of the maps, by where the decoder stops.

    Raises:
        UsageError: if the decoder stops neither at stride 1 nor at stride 2.
    """
    if len(decoder_channels) not in (4, 5):
        raise UsageError(
            f"decoder_channels {list(decoder_channels)}: give 5 numbers, or 4 for maps at every "
            "second pixel"
        )
    return int(2 ** (5 - len(decoder_channels)))


def _make_encoder(name: str, pretrained: bool) -> Any:  # noqa: ANN401  (timm ships no types)
    import timm
    from timm.models.convnext import ConvNeXtBlock

    if not name.startswith("convnext"):
        raise UsageError(f"encoder {name!r}: not a ConvNeXt; try convnext_atto or convnext_small")
    try:
        encoder = timm.create_model(name, pretrained=pretrained, features_only=True)
    except OSError as error:  # no connection and no cached copy
        raise CellbenchError(
            f"encoder {name!r}: its weights can neither be downloaded nor found in the cache; train "
            "without them: --model.init_args.pretrained false"
        ) from error
    except RuntimeError as error:  # timm's word for names it does not know
        known = ", ".join(timm.list_models("convnext*"))
        raise UsageError(f"encoder {name!r}: {error}; choose from {known}") from error
    if not pretrained:
        _start_afresh(encoder)
    for block in encoder.modules():
        if isinstance(block, ConvNeXtBlock):
            block.conv_dw = _SinglePrecisionOnCPU(block.conv_dw)
    return encoder


def _start_afresh(encoder: nn.Module) -> None:
    """Start weights so that each block counts from the first step.

    Timm starts all weights at .02 and the blocks' scales at a millionth, for hundreds of epochs over a
    million images: in a run of minutes the blocks would hardly say anything, and nothing would tell a
    pixel of what surrounds it.
    """
    for name, weights in encoder.named_parameters():
        if name.endswith("gamma"):
            nn.init.ones_(weights)
        elif weights.ndim > 1:
            gain = 2 if ".mlp.fc2." in name else 1  # what comes from a GELU has lost half
            nn.init.trunc_normal_(weights, std=(gain / weights[0].numel()) ** 0.5)


class _SinglePrecisionOnCPU(nn.Module):
    """A depthwise convolution, which processors learn twice as fast in single precision as in half."""

    def __init__(self, convolution: nn.Module) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor
        if value.device.type == "cpu":
            with torch.autocast("cpu", enabled=False):
                result = self.convolution(value.float())
        else:
            result = self.convolution(value)
        return result


class _UpBlock(nn.Module):
    """Double the resolution, join the skip, convolve twice.

    A convolution of the doubled features joined with the skip is the sum of one of each, and that of the
    doubled ones, 3 × 3, is a special transposed convolution, 4 × 4, of the features as they are: nothing
    is doubled, joined or copied, which makes a block about twice as fast.
    """

    def __init__(self, deep: int, skip: int, made: int) -> None:
        super().__init__()
        self.from_deep = nn.ConvTranspose2d(deep, made, 4, stride=2, padding=1, bias=False)
        self.from_skip = nn.Conv2d(skip, made, 3, padding=1, bias=False)
        self.joined = _normalisation(made)
        self.convolution = _convolution(made, made)

    def forward(self, deep: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        joined = self.joined(self.from_deep(deep) + self.from_skip(skip))
        value: torch.Tensor = self.convolution(joined)
        return value


def _convolution(given: int, made: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(given, made, 3, stride=stride, padding=1, bias=False), _normalisation(made)
    )


def _normalisation(features: int) -> nn.Sequential:
    groups = 1 if features % _GROUP else features // _GROUP
    return nn.Sequential(nn.GroupNorm(groups, features), nn.ReLU(inplace=True))
