"""Maps that a network predicts at every second pixel, or fewer, interpolated to all pixels."""

from collections.abc import Mapping, Sequence

import torch
from torch.nn import functional


def between_grid(
    maps: Mapping[str, torch.Tensor], grid: int, size: Sequence[int]
) -> dict[str, torch.Tensor]:
    """Interpolate maps linearly between the pixels with row and column divisible by ``grid``.

    Values on the grid do not change; the last ones are repeated to the border of the image.

    Args:
        maps: (B, C, ⌈H / grid⌉, ⌈W / grid⌉) for each map.
        grid: distance in pixels between two values.
        size: H and W of the image.

    Returns:
        (B, C, H, W) for each map.

    Examples:
        >>> coarse = torch.tensor([[[[0.0, 4.0, 6.0]]]])
        >>> between_grid({"depth": coarse}, 2, (1, 5))["depth"].tolist()
        [[[[0.0, 2.0, 4.0, 5.0, 6.0]]]]
    """
    if grid == 1:
        return dict(maps)
    height, width = size
    enlarged = {}
    for name, coarse in maps.items():
        repeated = functional.pad(coarse, (0, 1, 0, 1), mode="replicate")
        rows, columns = ((side - 1) * grid + 1 for side in repeated.shape[-2:])
        fine = functional.interpolate(
            repeated, size=(rows, columns), mode="bilinear", align_corners=True
        )
        enlarged[name] = fine[..., :height, :width]
    return enlarged
