"""Images of any size for networks that halve the resolution several times."""

import torch
from torch.nn.functional import pad


def ceiling(side: int, divisor: int) -> int:
    """Return a side divided by a number and rounded up, also in an exported network.

    The usual ``-(-side // divisor)`` becomes a division in ONNX that rounds towards zero, and with it down.

    Args:
        side: number of pixels, at least 0.
        divisor: the number.

    Examples:
        >>> ceiling(33, 2)
        17
    """
    return (side + divisor - 1) // divisor


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
    # Written so that an exported network knows that the new sides are divisible.
    fewest = smallest // multiple
    sides = [max(ceiling(side, multiple), fewest) * multiple for side in image.shape[-2:]]
    missing = [new - side for new, side in zip(sides, image.shape[-2:], strict=True)]
    if not any(missing):
        return image
    return pad(image, (0, missing[1], 0, missing[0]), mode="replicate")
