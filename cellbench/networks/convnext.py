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
    upsampled by two, joined with the encoder's features, and convolved twice. Normalisation is over
    groups of features, because the images of a batch differ too much to share statistics. At strides 2
    and 1, convolutions of the image itself are joined, so that outlines of small cells are as sharp as
    the image. The decoder stops at stride 1, or at stride 2 as in the original, see ``grid``. The
    original passes values from 0 to 255 and lets the network scale them; here the image is scaled to
    the mean and standard deviation with which the encoder's weights were trained.

    The weights that timm loads are Meta's ConvNeXt weights, Apache-2.0 according to timm; those named
    ``convnextv2`` are CC-BY-NC-4.0.

    Args:
        maps: channels of each map to predict, by name; each has its own head.
        encoder: name of a ConvNeXt in timm, such as ``convnext_atto``, with or without the tag of its
            weights; ``convnext_small.fb_in22k`` is the one of the paper.
        pretrained: load the encoder's weights, from a local cache or the Hugging Face hub.
        decoder_channels: number of features at strides 16, 8, 4, 2 and 1; without the last one, maps
            are predicted at stride 2.
        scales: factor on the outputs of a map, by name; 1 by default. An optimiser like Adam changes a
            weight by about the learning rate in each step, however large the error is: a map with
            values of tens of pixels would need thousands of steps.
        initial_outputs: approximate outputs of a map before training, before they are scaled; 0 by
            default.

    Attributes:
        grid: maps are predicted at pixels whose row and column are divisible by it, 1 or 2.

    Raises:
        UsageError: if timm has no such ConvNeXt, or ``decoder_channels`` has a wrong length.
        CellbenchError: if the encoder's weights cannot be loaded.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self,
        maps: Mapping[str, int],
        encoder: str = "convnext_small.fb_in22k",
        pretrained: bool = True,
        decoder_channels: Sequence[int] = (256, 128, 64, 32, 32),
        scales: Mapping[str, float] | None = None,
        initial_outputs: Mapping[str, float] | None = None,
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
            _UpBlock(deep, skip, out_channels)
            for (deep, out_channels), skip in zip(pairwise(widths), skips, strict=True)
        )
        self.heads = nn.ModuleDict(
            {name: nn.Conv2d(widths[-1], channels, 1) for name, channels in maps.items()}
        )
        self.scales = dict(scales or {})
        for name, value in (initial_outputs or {}).items():
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
        return {name: head(value) * self.scales.get(name, 1.0) for name, head in self.heads.items()}


def decoder_grid(decoder_channels: Sequence[int]) -> int:
    """Return the stride at which a decoder predicts its maps.

    Args:
        decoder_channels: number of features at strides 16, 8, 4, 2 and, for stride 1, a fifth one.

    Returns:
        1 or 2, the distance in pixels between two values of the maps.

    Raises:
        UsageError: if there are neither 4 nor 5 numbers.
    """
    if len(decoder_channels) not in (4, 5):
        raise UsageError(
            f"decoder_channels {list(decoder_channels)}: must be 5 numbers, or 4 for maps at every "
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
            f"encoder {name!r}: its weights cannot be downloaded and are not in the cache; to train "
            "without them, use --model.init_args.pretrained false"
        ) from error
    except RuntimeError as error:  # what timm raises for unknown names
        known = ", ".join(timm.list_models("convnext*"))
        raise UsageError(f"encoder {name!r}: {error}; choose from {known}") from error
    if not pretrained:
        _initialise(encoder)
    for block in encoder.modules():
        if isinstance(block, ConvNeXtBlock):
            block.conv_dw = _SinglePrecisionOnCPU(block.conv_dw)
    return encoder


def _initialise(encoder: nn.Module) -> None:
    """Initialise the weights so that each block contributes from the first step.

    timm initialises all weights at 0.02 and the scales of the blocks at a millionth, which suits
    hundreds of epochs on a million images. In a run of minutes the blocks would contribute almost
    nothing, and no pixel would get information about its surroundings.
    """
    for name, weights in encoder.named_parameters():
        if name.endswith("gamma"):
            nn.init.ones_(weights)
        elif weights.ndim > 1:
            gain = 2 if ".mlp.fc2." in name else 1  # a GELU halves the variance of its input
            nn.init.trunc_normal_(weights, std=(gain / weights[0].numel()) ** 0.5)


class _SinglePrecisionOnCPU(nn.Module):
    """A depthwise convolution; CPUs train it twice as fast in single precision as in half precision."""

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
