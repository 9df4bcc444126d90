"""The residual U-Net of the challenge's baseline."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from cellbench.networks.deferred_compiler import deferred_compiler
from cellbench.networks.padding import padded


class UNet(nn.Module):
    """MONAI's 2D residual U-Net, as in the challenge's model_training_3class.py.

    Args:
        maps: channels of each map to predict, by name.
        channels: number of features of each level; every level but the first halves the resolution.
        residual_units: number of convolutions in each residual block.
    """

    def __init__(
        self,
        maps: Mapping[str, int],
        channels: Sequence[int] = (16, 32, 64, 128, 256),
        residual_units: int = 2,
    ) -> None:
        with deferred_compiler():
            from monai.networks.nets import UNet as MonaiUNet

        super().__init__()
        self.maps = dict(maps)
        self.stride = 2 ** (len(channels) - 1)
        self.body = MonaiUNet(
            spatial_dims=2,
            in_channels=3,
            out_channels=sum(self.maps.values()),
            channels=tuple(channels),
            strides=(2,) * (len(channels) - 1),
            num_res_units=residual_units,
        )

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Predict the maps, before activation.

        Args:
            image: (B, 3, H, W) in [0, 1], of any size.

        Returns:
            (B, C, H, W) for each map of C channels.
        """
        height, width = image.shape[-2:]
        maps = self.body(padded(image, self.stride, 2 * self.stride))[..., :height, :width]
        return dict(zip(self.maps, maps.split(list(self.maps.values()), dim=1), strict=True))
