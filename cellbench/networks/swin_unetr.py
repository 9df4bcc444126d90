"""The Swin-UNETR of the challenge's baseline."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from cellbench.errors import UsageError
from cellbench.networks.deferred_compiler import deferred_compiler
from cellbench.networks.padding import padded

_STRIDE = 32
_SMALLEST = 64  # the deepest maps are normalised over space, which needs more than one pixel


class SwinUNETR(nn.Module):
    """MONAI's Swin-UNETR in 2-D (Hatamizadeh et al. 2022), trained from scratch.

    Args:
        maps: channels of each map to predict, by name.
        feature_size: number of features of the first level, a multiple of 12; the official value is 24.
        heads: number of attention heads of each of the four levels; each must divide the features of
            its level, which double from level to level. Fewer heads are faster.
        convolutions: add a residual convolution before each level of the transformer, as in
            Swin-UNETR-V2 (He et al. 2023); it learns in fewer steps. The official baseline has none.

    Raises:
        UsageError: if ``feature_size`` is not a multiple of 12, or a number of heads does not divide
            the features of its level.
    """

    def __init__(
        self,
        maps: Mapping[str, int],
        feature_size: int = 24,
        heads: Sequence[int] = (3, 6, 12, 24),
        convolutions: bool = False,
    ) -> None:
        with deferred_compiler():
            from monai.networks.nets import SwinUNETR as MonaiSwinUNETR

        _check(feature_size, heads)
        super().__init__()
        self.maps = dict(maps)
        self.body = MonaiSwinUNETR(
            in_channels=3,
            out_channels=sum(self.maps.values()),
            feature_size=feature_size,
            num_heads=tuple(heads),
            spatial_dims=2,
            use_v2=convolutions,
        )

    @property
    def encoder(self) -> nn.Module:
        """The Swin transformer."""
        transformer: nn.Module = self.body.swinViT
        return transformer

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Predict the maps, before activation.

        Args:
            image: (B, 3, H, W) in [0, 1], of any size.

        Returns:
            (B, C, H, W) for each map of C channels.
        """
        height, width = image.shape[-2:]
        maps = self.body(padded(image, _STRIDE, _SMALLEST))[..., :height, :width]
        return dict(zip(self.maps, maps.split(list(self.maps.values()), dim=1), strict=True))


def _check(feature_size: int, heads: Sequence[int]) -> None:
    if feature_size < 1 or feature_size % 12:
        raise UsageError(f"feature_size {feature_size}: must be a multiple of 12")
    features = [feature_size * 2**level for level in range(4)]
    if len(heads) != 4 or any(n < 1 or count % n for n, count in zip(heads, features, strict=True)):
        raise UsageError(f"heads {list(heads)}: must be four numbers that divide {features}")
