"""Mix Transformers, the encoders of SegFormer and MEDIAR, from segmentation-models-pytorch."""

from typing import Any

from cellbench.errors import UsageError
from cellbench.networks.deferred_compiler import deferred_compiler
from cellbench.networks.encoder import CONNECT, unavailable_weights

MIX_TRANSFORMERS = tuple(f"mit_b{size}" for size in range(6))
"""Names of the Mix Transformers (Xie et al. 2021), from the smallest to the largest."""

LICENCE = "NVIDIA Source Code License for SegFormer (non-commercial)"
"""Licence of the Mix Transformers, code and ImageNet weights: for research and evaluation only."""


def make_mix_transformer(name: str, pretrained: bool = True) -> Any:  # noqa: ANN401
    """Build a Mix Transformer that returns its features at the strides 1, 2, 4, 8, 16 and 32.

    Pretrained weights are downloaded once from the Hugging Face hub, then taken from its cache.

    Args:
        name: one of [`MIX_TRANSFORMERS`][].
        pretrained: load the ImageNet weights, which are for non-commercial use only.

    Returns:
        The module of segmentation-models-pytorch, (B, 3, H, W) to six arrays: the image, one without
        channels at stride 2, and (B, C, H / stride, W / stride) for the strides from 4 to 32.
        ``out_channels`` has their numbers of channels.

    Raises:
        UsageError: if there is no Mix Transformer of this name.
        CellbenchError: if the weights can be loaded neither from the cache nor from the hub.
    """
    if name not in MIX_TRANSFORMERS:
        raise UsageError(f"encoder {name!r}: choose from {', '.join(MIX_TRANSFORMERS)}")
    with deferred_compiler():
        from segmentation_models_pytorch.encoders import get_encoder

    try:
        return get_encoder(name, weights="imagenet" if pretrained else None)
    except OSError as error:  # no connection and no cached copy
        raise unavailable_weights(name, CONNECT) from error
