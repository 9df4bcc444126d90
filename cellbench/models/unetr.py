"""The challenge's UNETR baseline: a vision transformer that predicts interior and boundary."""

from typing import Any

from cellbench.models.dense import DenseModel
from cellbench.models.parts import unetr


class UNETRBoundary(DenseModel):
    """UNETR that predicts background, interior and boundary: a baseline of the challenge.

    Source: NeurIPS-CellSeg, baseline/model_training_3class.py (Ma et al. 2024, Nature Methods), with
    MONAI's network in place of the script's copy. The default sizes are the official ones, with 87.7
    million parameters. There are no pretrained weights. A vision transformer that starts from random
    weights learns slowly from few images, hence the option of a convolution stem, which the official
    baseline does not have. With the sizes of configs/model/unetr.yaml, the mean training loss on the
    built-in sample from step 640 to 960 was 0.65 with the stem and 1.01 without.

    Args:
        feature_size: number of features at full resolution.
        hidden_size: number of features of each of the transformer's tokens.
        mlp_size: number of hidden features of the transformer's fully connected layers.
        heads: number of attention heads, which must divide ``hidden_size``.
        convolution_stem: compute the tokens with residual convolutions, whose maps the decoder sees
            too.
        window: side in pixels of the windows in which whole images are segmented. The transformer
            learns an embedding of each position in such a window, so training patches should be as
            large; for patches and images of other sizes, the embeddings are interpolated.
        smallest_interior: smallest number of pixels of a predicted cell interior; smaller ones are
            removed. The official value is 16. Training targets keep interiors of 4 pixels and more,
            because the official limit of 16 hides every nucleus of less than about 60 pixels.
        **training: options of every dense model, see [`DenseModel`][cellbench.models.dense.DenseModel].
    """

    def __init__(
        self,
        feature_size: int = 16,
        hidden_size: int = 768,
        mlp_size: int = 3072,
        heads: int = 12,
        convolution_stem: bool = False,
        window: int = 256,
        smallest_interior: int = 16,
        **training: Any,
    ) -> None:
        network, representation = unetr(
            feature_size, hidden_size, mlp_size, heads, convolution_stem, window, smallest_interior
        )
        super().__init__(network=network, representation=representation, window=window, **training)
