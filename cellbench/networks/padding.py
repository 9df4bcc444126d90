"""Images of any size for networks that halve the resolution several times."""

import torch
from torch.nn.functional import pad


def padded(image: torch.Tensor, multiple: int, smallest: int = 0) -> torch.Tensor:
    """Repeat the last row and column until both sides are multiples of a number.

    Args:
        image: (B, C, H, W).
        multiple: number that both sides are divisible by afterwards.
        smallest: smallest length of both sides, a multiple of ``multiple``.

    Examples:
        >>> padded(torch.zeros(1, 3, 33, 64), 32).shape
        torch.Size([1, 3, 64, 64])
    """
    missing = [max(-side % multiple, smallest - side) for side in image.shape[-2:]]
    if not any(missing):
        return image
    return pad(image, (0, missing[1], 0, missing[0]), mode="replicate")
