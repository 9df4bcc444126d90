"""MA-Net, the network of MEDIAR, on an encoder of timm or on a Mix Transformer."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from cellbench.errors import UsageError
from cellbench.networks.deferred_compiler import deferred_compiler
from cellbench.networks.encoder import make_encoder, weights_licence
from cellbench.networks.mit import LICENCE, make_mix_transformer
from cellbench.networks.padding import padded

# Number of times that the encoder halves the resolution.
_DEPTH = 5
_STRIDE = 2**_DEPTH
# The deepest features are normalised over space, which needs several pixels.
_SMALLEST = 2 * _STRIDE
# Mean and standard deviation of the colours of ImageNet.
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


class MANet(nn.Module):
    """MA-Net (Fan et al. 2020) with Mish and one head for each map, as in MEDIAR (Lee et al. 2022).

    The decoder is that of segmentation-models-pytorch: the deepest features pass a position-wise
    attention, and at each finer stride, upsampled features and the encoder's are weighted channel by
    channel before they are joined. As in MEDIAR, each ReLU of the decoder is replaced by Mish, and each
    map has a head of two 3 × 3 convolutions with Mish and batch normalisation between them, of half as
    many features as the decoder has at stride 1. Differences: the image is scaled to the mean and
    standard deviation with which the encoder's weights were trained, and an encoder of timm keeps its
    activations.

    Args:
        maps: channels of each map to predict, by name; each has its own head.
        encoder: a Mix Transformer, ``mit_b0`` to ``mit_b5``, or the name of an encoder in timm.
        pretrained: load the encoder's ImageNet weights, see
            [`make_encoder`][cellbench.networks.encoder.make_encoder] and
            [`make_mix_transformer`][cellbench.networks.mit.make_mix_transformer].
        decoder_channels: number of features at the strides 16, 8, 4, 2 and 1.
        attention_channels: number of features that the position-wise attention compares.

    Attributes:
        weights_licence: licence of the encoder's pretrained weights; empty without them.

    Raises:
        UsageError: if there is no such encoder, or its coarsest stride is not 32, or a number is out of
            its range.
        CellbenchError: if the encoder's weights cannot be loaded.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self,
        maps: Mapping[str, int],
        encoder: str = "tf_efficientnet_lite0",
        pretrained: bool = True,
        decoder_channels: Sequence[int] = (1024, 512, 256, 128, 64),
        attention_channels: int = 256,
    ) -> None:
        with deferred_compiler():
            from segmentation_models_pytorch.base.initialization import initialize_decoder
            from segmentation_models_pytorch.decoders.manet.decoder import MAnetDecoder

        _check(decoder_channels, attention_channels)
        super().__init__()
        if encoder.startswith("mit_"):
            self.encoder = make_mix_transformer(encoder, pretrained)
            depths = self.encoder.out_channels
            self._set_scale(*_IMAGENET)
            self.weights_licence = LICENCE if pretrained else ""
        else:
            self.encoder = make_encoder(encoder, pretrained)
            depths = _depths(encoder, self.encoder.feature_info)
            self._set_scale(self.encoder.pretrained_cfg["mean"], self.encoder.pretrained_cfg["std"])
            self.weights_licence = weights_licence(self.encoder) if pretrained else ""
        self.decoder = MAnetDecoder(
            depths, list(decoder_channels), _DEPTH, pab_channels=attention_channels
        )
        initialize_decoder(self.decoder)
        _replace_relu_by_mish(self.decoder)
        self.heads = nn.ModuleDict(
            {name: _head(decoder_channels[-1], channels) for name, channels in maps.items()}
        )

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Predict the maps, before activation.

        Args:
            image: (B, 3, H, W) in [0, 1], of any size.

        Returns:
            (B, C, H, W) for each map of C channels.
        """
        height, width = image.shape[-2:]
        scaled = padded((image - self.mean) / self.std, _STRIDE, _SMALLEST)
        value = self.decoder(self._features(scaled))
        return {name: head(value)[..., :height, :width] for name, head in self.heads.items()}

    def _set_scale(self, mean: Sequence[float], std: Sequence[float]) -> None:
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1), persistent=False)

    def _features(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Return an array for each of the strides 1 to 32; without channels where there are none."""
        features: list[torch.Tensor] = self.encoder(image)
        if getattr(self.encoder, "output_fmt", "NCHW") == "NHWC":
            features = [each.permute(0, 3, 1, 2) for each in features]
        missing = _DEPTH + 1 - len(features)
        absent = [image[:, :0, :: 2**level, :: 2**level] for level in range(missing)]
        return [*absent, *features]


def _check(decoder_channels: Sequence[int], attention_channels: int) -> None:
    if len(decoder_channels) != _DEPTH or min(decoder_channels) < 2:
        raise UsageError(
            f"decoder_channels {list(decoder_channels)}: must be {_DEPTH} numbers of at least 2"
        )
    if attention_channels < 1:
        raise UsageError(f"attention_channels {attention_channels}: must be at least 1")


def _depths(name: str, feature_info: Any) -> list[int]:  # noqa: ANN401  (timm ships no types)
    """Return the number of features of an encoder of timm at the strides 1 to 32; 0 where it has none."""
    strides: list[int] = feature_info.reduction()
    depths: list[int] = feature_info.channels()
    if strides[-1] != _STRIDE:
        raise UsageError(
            f"encoder {name!r}: its coarsest stride is {strides[-1]}, and MA-Net needs {_STRIDE}; "
            "choose another one, such as tf_efficientnet_lite0"
        )
    return [0] * (_DEPTH + 1 - len(depths)) + depths


def _head(in_channels: int, channels: int) -> nn.Sequential:
    width = in_channels // 2
    return nn.Sequential(
        nn.Conv2d(in_channels, width, 3, padding=1),
        nn.Mish(inplace=True),
        nn.BatchNorm2d(width),
        nn.Conv2d(width, channels, 3, padding=1),
    )


def _replace_relu_by_mish(network: nn.Module) -> None:
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.ReLU):
                setattr(module, name, nn.Mish(inplace=True))
