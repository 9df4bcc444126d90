"""The loss of affinities: cross-entropy, and Dice of the edges between cells (Wolf et al. 2018)."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from cellbench.representations.hover_loss import dice_loss

_BORDER_WEIGHT = 4.0
_SMOOTH = 1.0


def affinity_loss(
    outputs: Mapping[str, torch.Tensor],
    targets: Mapping[str, torch.Tensor],
    offsets: npt.NDArray[np.int32],
) -> torch.Tensor:
    """Return the losses of the foreground and of the affinities, both cross-entropy plus Dice.

    Args:
        outputs: ``foreground`` logits (B, 1, H, W) and ``affinities`` logits (B, K, H, W).
        targets: ``foreground`` and ``affinities``, 0 or 1, of the same shapes.
        offsets: (K, 2) rows and columns from the first pixel of an edge to the second.
    """
    logits, truth = outputs["affinities"].float(), targets["affinities"].float()
    foreground = targets["foreground"].float()
    ends = cells_at_ends(foreground, offsets)
    known = (ends > 0).float()
    weights = known + (_BORDER_WEIGHT - 1) * (ends == 2) * (1 - truth)
    cross_entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    edges = (weights * cross_entropy).sum() / (weights.sum() + _SMOOTH)
    pixels = outputs["foreground"].float()
    whole = functional.binary_cross_entropy_with_logits(pixels, foreground)
    return whole + dice_loss(pixels, foreground) + edges + different_dice(logits, truth, known)


def cells_at_ends(foreground: torch.Tensor, offsets: npt.NDArray[np.int32]) -> torch.Tensor:
    """Return at how many ends an edge has a cell, 0 to 2; 0 if it ends outside of the map.

    Args:
        foreground: (B, 1, H, W), 0 or 1.
        offsets: (K, 2) rows and columns from the first pixel of an edge to the second.

    Returns:
        (B, K, H, W).
    """
    batch, _, height, width = foreground.shape
    ends = foreground.new_zeros((batch, len(offsets), height, width))
    for channel, (down, right) in enumerate(offsets.tolist()):
        first, second = pair_slices(down, height), pair_slices(right, width)
        here = foreground[:, 0, first[0], second[0]]
        there = foreground[:, 0, first[1], second[1]]
        ends[:, channel, first[0], second[0]] = here + there
    return ends


def different_dice(logits: torch.Tensor, truth: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Return 1 − Dice of the edges between different cells: the mean over the maps of a batch.

    Args:
        logits: (B, K, H, W) of the affinities.
        truth: (B, K, H, W), 1 where both ends belong to one cell, otherwise 0.
        known: (B, K, H, W), 1 for edges that count, otherwise 0.
    """
    predicted, true = known * (-logits).sigmoid(), known * (1 - truth)
    both = (predicted * true).sum(dim=(0, 2, 3))
    total = (predicted.square() + true.square()).sum(dim=(0, 2, 3))
    return (1 - (2 * both + _SMOOTH) / (total + _SMOOTH)).mean()


def pair_slices(shift: int, size: int) -> tuple[slice, slice]:
    """Return the positions on one axis of all first ends and of all second ends of edges.

    Args:
        shift: how far the second end is from the first on this axis.
        size: length of the axis.
    """
    length = max(size - abs(shift), 0)
    first, second = max(-shift, 0), max(shift, 0)
    return slice(first, first + length), slice(second, second + length)
