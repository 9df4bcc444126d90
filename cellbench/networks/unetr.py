"""The UNETR of the challenge's baseline."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import interpolate

from cellbench.errors import UsageError
from cellbench.networks.deferred_compiler import deferred_compiler
from cellbench.networks.padding import padded

_PATCH = 16  # pixels; MONAI's UNETR has no other size
_SMALLEST = 32  # maps are normalised over space, which needs more than one pixel
_TAPS = (3, 6, 9)  # the layers of the transformer whose tokens the decoder sees, as in MONAI


class UNETR(nn.Module):
    """MONAI's UNETR in 2-D (Hatamizadeh et al. 2022), trained from scratch.

    A vision transformer sees the image as patches of 16 x 16 pixels, and a convolutional decoder enlarges
    the tokens of four of its layers. Differences from MONAI's, which the challenge used:

    - An image may have any size. The learned position embeddings are made for ``window``; for another
      size, they are interpolated, as is usual for vision transformers (Dosovitskiy et al. 2021).
    - ``convolution_stem`` replaces the embedding of patches by convolutions.

    Args:
        maps: channels of each map to predict, by name.
        window: side in pixels of the images that the position embeddings are made for; it is rounded up
            to a multiple of 16.
        feature_size: number of features at full resolution; the official value is 16.
        hidden_size: number of features of a token; the official value is 768.
        mlp_size: number of hidden features between the attentions; the official value is 3072.
        heads: number of attention heads, which must divide ``hidden_size``; the official value is 12.
        convolution_stem: compute the tokens with residual convolutions that halve the resolution four
            times, see [`ConvolutionStem`][]. A vision transformer with such a stem learns in fewer
            steps (Xiao et al. 2021, Early convolutions help transformers see better). The official
            baseline has none.

    Raises:
        UsageError: if a number is below 1, or ``heads`` does not divide ``hidden_size``.
    """

    def __init__(
        self,
        maps: Mapping[str, int],
        window: int = 256,
        feature_size: int = 16,
        hidden_size: int = 768,
        mlp_size: int = 3072,
        heads: int = 12,
        convolution_stem: bool = False,
    ) -> None:
        with deferred_compiler():
            from monai.networks import nets

        _check(window, feature_size, hidden_size, mlp_size, heads)
        super().__init__()
        self.maps = dict(maps)
        self.grid = max(-(-window // _PATCH), _SMALLEST // _PATCH)
        self.body = nets.UNETR(
            in_channels=3,
            out_channels=sum(self.maps.values()),
            img_size=self.grid * _PATCH,
            feature_size=feature_size,
            hidden_size=hidden_size,
            mlp_dim=mlp_size,
            num_heads=heads,
            spatial_dims=2,
        )
        for block in self.body.vit.blocks:
            # MONAI has it also without cross-attention; training on several GPUs refuses idle weights.
            block.norm_cross_attn = nn.Identity()
        self.stem: nn.Module | None = None
        if convolution_stem:
            features = [feature_size * 2**level for level in range(4)]
            self.stem = ConvolutionStem([*features, hidden_size])
            self.body.vit.patch_embedding.patch_embeddings = nn.Identity()

    @property
    def encoder(self) -> nn.Module:
        """The vision transformer, without the convolution stem."""
        transformer: nn.Module = self.body.vit
        return transformer

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Predict the maps, before activation.

        Args:
            image: (B, 3, H, W) in [0, 1], of any size.

        Returns:
            (B, C, H, W) for each map of C channels.
        """
        height, width = image.shape[-2:]
        image = padded(image, _PATCH, _SMALLEST)
        finest = self.body.encoder1(image)
        coarser = [] if self.stem is None else self.stem(finest)
        embedded = (
            coarser.pop() if coarser else self.body.vit.patch_embedding.patch_embeddings(image)
        )
        features = self._decode(finest, coarser, self._transform(embedded))
        maps = self.body.out(features)[..., :height, :width]
        return dict(zip(self.maps, maps.split(list(self.maps.values()), dim=1), strict=True))

    def _transform(self, embedded: torch.Tensor) -> list[torch.Tensor]:
        """Return the tokens of four layers of the transformer, (B, C, H / 16, W / 16) as its input."""
        vit = self.body.vit
        grid = embedded.shape[-2:]
        tokens = (embedded + self._positions(*grid)).flatten(2).transpose(1, 2)
        seen = []
        for index, block in enumerate(vit.blocks):
            tokens = block(tokens)
            if index in _TAPS:
                seen.append(tokens)
        seen.append(vit.norm(tokens))
        return [each.transpose(1, 2).unflatten(2, grid) for each in seen]

    def _positions(self, rows: int, columns: int) -> torch.Tensor:
        """Return the position embeddings (1, C, rows, columns) of a grid of tokens."""
        embeddings = self.body.vit.patch_embedding.position_embeddings
        grid: torch.Tensor = embeddings.transpose(1, 2).unflatten(2, (self.grid, self.grid))
        if (rows, columns) == (self.grid, self.grid):
            return grid
        positions: torch.Tensor = interpolate(grid, (rows, columns), mode="bilinear")
        return positions

    def _decode(
        self, finest: torch.Tensor, levels: Sequence[torch.Tensor], tokens: Sequence[torch.Tensor]
    ) -> torch.Tensor:
        """Return features at full resolution; ``levels`` is empty where there is no stem."""
        body = self.body
        skips = [body.encoder2(tokens[0]), body.encoder3(tokens[1]), body.encoder4(tokens[2])]
        if levels:
            skips = [skip + level for skip, level in zip(skips, levels, strict=True)]
        features = body.decoder5(tokens[3], skips[2])
        features = body.decoder4(features, skips[1])
        features = body.decoder3(features, skips[0])
        decoded: torch.Tensor = body.decoder2(features, finest)
        return decoded


class ConvolutionStem(nn.Module):
    """Residual convolutions that halve the resolution four times, in place of the embedding of patches.

    Args:
        features: number of features of the input and at strides 2, 4, 8 and 16.
    """

    def __init__(self, features: Sequence[int]) -> None:
        from monai.networks.blocks.dynunet_block import UnetResBlock

        super().__init__()
        self.levels = nn.ModuleList(
            # Not convolutions with stride 2: with torch 2.15, the shortcut of such a block crashes in
            # bfloat16 on CPUs with channels_last and fewer than 16 features.
            nn.Sequential(nn.MaxPool2d(2), UnetResBlock(2, before, after, 3, 1, "instance"))
            for before, after in pairwise(features)
        )

    def forward(self, features: torch.Tensor) -> list[torch.Tensor]:
        """Return the maps at strides 2, 4, 8 and 16.

        Args:
            features: (B, C, H, W), whose sides are multiples of 16.
        """
        maps = []
        for level in self.levels:
            features = level(features)
            maps.append(features)
        return maps


def _check(window: int, feature_size: int, hidden_size: int, mlp_size: int, heads: int) -> None:
    numbers = {
        "window": window,
        "feature_size": feature_size,
        "hidden_size": hidden_size,
        "mlp_size": mlp_size,
        "heads": heads,
    }
    for name, number in numbers.items():
        if number < 1:
            raise UsageError(f"{name} {number}: must be at least 1")
    if hidden_size % heads:
        raise UsageError(f"heads {heads}: must divide hidden_size {hidden_size}")
