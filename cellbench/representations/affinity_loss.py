"""The loss of affinities: cross-entropy, and Dice of the edges between cells (Wolf et al. 2018)."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from cellbench.representations.hover_loss import dice_loss

_LARGEST_WEIGHT = 4.0
_SMOOTH = 1.0


def affinity_loss(
    outputs: Mapping[str, torch.Tensor],
    targets: Mapping[str, torch.Tensor],
    offsets: npt.NDArray[np.int32],
) -> torch.Tensor:
    """Return the losses of the foreground and of the affinities, both cross-entropy plus Dice.

    The papers use Dice of the affinities alone. The cross-entropy makes them probabilities, which decoding
    compares. Edges with at least one end in a cell count, see [`edge_weights`][] for how much.

    Args:
        outputs: ``foreground`` logits (B, 1, H, W) and ``affinities`` logits (B, K, H, W).
        targets: ``foreground`` and ``affinities``, 0 or 1, of the same shapes.
        offsets: (K, 2) rows and columns from the first pixel of an edge to the second.
    """
    logits, truth = outputs["affinities"].float(), targets["affinities"].float()
    foreground = targets["foreground"].float()
    ends = cells_at_ends(foreground, offsets)
    weights = edge_weights(ends, truth)
    cross_entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    edges = (weights * cross_entropy).sum() / (weights.sum() + _SMOOTH)
    pixels = outputs["foreground"].float()
    whole = functional.binary_cross_entropy_with_logits(pixels, foreground)
    return (
        whole
        + dice_loss(pixels, foreground)
        + edges
        + different_dice(logits, truth, (ends > 0).float())
    )


def edge_weights(ends: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return how much each edge counts: 1, or up to 4 where two cells are rarely different, or the same.

    Of the edges with two ends in cells, those in one cell and those between two cells shall count the
    same in each map of a batch, so the rarer ones get the ratio of their numbers as weight. Most direct
    neighbours are in the same cell, most distant pixels are not.

    Args:
        ends: (B, K, H, W) at how many ends there is a cell.
        truth: (B, K, H, W), 1 where both ends belong to one cell, otherwise 0.
    """
    same = truth * (ends == 2)
    different = (1 - truth) * (ends == 2)
    sames, differents = same.sum(dim=(0, 2, 3)) + _SMOOTH, different.sum(dim=(0, 2, 3)) + _SMOOTH
    of_same = (differents / sames).clamp(1, _LARGEST_WEIGHT)[:, None, None]
    of_different = (sames / differents).clamp(1, _LARGEST_WEIGHT)[:, None, None]
    return (ends > 0) + (of_same - 1) * same + (of_different - 1) * different


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
