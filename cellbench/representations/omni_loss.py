"""The loss of Omnipose's maps: weighted squared errors, lengths and divergence of flows, outlines."""

from collections.abc import Mapping

import torch
from torch.nn import functional

_EMPHASIS = 5.0  # weight 2 at a straight outline, 3 between two cells
_REACH = 2  # pixels to each side of an outline
_FLOW_WEIGHT = 0.5
_LENGTH_WEIGHT = 0.1
_DIVERGENCE_WEIGHT = 0.1
_SMALLEST_SQUARE = 1e-6  # the slope of a square root at 0 is infinite


def omni_loss(
    outputs: Mapping[str, torch.Tensor], targets: Mapping[str, torch.Tensor]
) -> torch.Tensor:
    """Return the sum of the losses of distances, flows, their lengths, their divergence, and outlines.

    Args:
        outputs: raw outputs of the network, (B, C, H, W) for each map.
        targets: encoded maps of the same shapes.
    """
    outline = targets["boundary"].float()
    weights = outline_weights(outline)
    predicted, true = outputs["flows"].float(), targets["flows"].float()
    error = predicted - true
    return (
        distance_loss(outputs["distance"].float(), targets["distance"].float(), weights)
        + _FLOW_WEIGHT * (weights * error.square()).mean()
        + _LENGTH_WEIGHT * (weights * (_lengths(predicted) - _lengths(true)).square()).mean()
        + _DIVERGENCE_WEIGHT * _mean(divergence(error).square())
        + functional.binary_cross_entropy_with_logits(outputs["boundary"].float(), outline)
    )


def outline_weights(outline: torch.Tensor) -> torch.Tensor:
    """Return weights that are 1 far from outlines and larger near them, most where they are dense.

    Args:
        outline: (B, 1, H, W), 1 on the outlines of cells, otherwise 0.
    """
    blurred = functional.avg_pool2d(outline, 2 * _REACH + 1, stride=1, padding=_REACH)
    return 1 + _EMPHASIS * blurred


def distance_loss(
    predicted: torch.Tensor, true: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Return the weighted mean of squared errors, relative to distances of more than one pixel.

    Absolute errors would be those of the largest cells. What counts is where the distance is 0.

    Args:
        predicted: (B, 1, H, W).
        true: (B, 1, H, W).
        weights: (B, 1, H, W).
    """
    return (weights * ((predicted - true) / true.clamp(min=1)).square()).mean()


def divergence(vectors: torch.Tensor) -> torch.Tensor:
    """Return the divergence by central differences, (B, H − 2, W − 2); empty where a side is below 3.

    Args:
        vectors: (B, 2, H, W), down and to the right.
    """
    down = vectors[:, 0, 2:, 1:-1] - vectors[:, 0, :-2, 1:-1]
    return (down + vectors[:, 1, 1:-1, 2:] - vectors[:, 1, 1:-1, :-2]) / 2


def _mean(values: torch.Tensor) -> torch.Tensor:
    """Return the mean, and 0 without a value: that of maps too small for central differences."""
    return values.mean() if values.numel() else values.sum()


def _lengths(vectors: torch.Tensor) -> torch.Tensor:
    return vectors.square().sum(1, keepdim=True).clamp(min=_SMALLEST_SQUARE).sqrt()
