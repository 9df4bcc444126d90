"""The losses of a Contour Proposal Network (Upschulte et al. 2022, and their entry of the challenge)."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch.nn import functional

from cellbench.representations.contour_maps import UNDECIDED

BACKGROUND_WEIGHT = 2.0
CONTOUR_WEIGHT = 1.5
"""Weights of T3; all other losses have the weight 1."""

LARGEST_DEVIATION = 7.0
"""Standard deviation in pixels of a side of a box whose uncertainty is 1, as in T3."""

_FIRST_HARMONIC, _LAST_HARMONIC = 5.0, 1.0  # weights of the absolute errors of coefficients
_LEAST_VARIANCE = 0.01  # outlines are drawn in pixels: no side is known better than by 0.1 px
_LEAST_SIDE = 1e-3
_LEAST_WEIGHT = 1e-3


class Pixels(NamedTuple):
    """Values of the central pixels of a batch.

    Attributes:
        score: (N,) logits.
        offset: (N, 2).
        fourier: (N, 4 · order).
        uncertainty: (N, 4) in [0, 1], of the top, bottom, left and right sides.
    """

    score: torch.Tensor
    offset: torch.Tensor
    fourier: torch.Tensor
    uncertainty: torch.Tensor


def contour_loss(
    logits: torch.Tensor,
    maps: Mapping[str, torch.Tensor],
    targets: Mapping[str, torch.Tensor],
    basis: torch.Tensor,
    most_pixels: int,
) -> torch.Tensor:
    """Return the sum of all losses.

    Args:
        logits: ``score``, raw (B, 1, h, w).
        maps: the activated maps, float32 (B, C, h, w).
        targets: the true maps, of the same shapes.
        basis: (2 · order, samples) cosines and sines at the points where outlines are compared.
        most_pixels: if there are more central pixels, so many of them, evenly spread, are compared.
    """
    truth = targets["score"].float()
    background = functional.softplus(logits)[truth == 0]
    loss = BACKGROUND_WEIGHT * _mean(background) + refinement_loss(
        maps["refinement"], targets["refinement"].float()
    )
    central = (truth[:, 0] > UNDECIDED).nonzero()
    central = central[:: max(1, -(-len(central) // most_pixels))]
    if len(central) == 0:
        return loss + 0 * sum(each.sum() for each in maps.values())
    found = _gathered({**maps, "score": logits}, central)
    true = _gathered(targets, central)
    return loss + pixel_losses(found, true, basis)


def pixel_losses(found: Pixels, true: Pixels, basis: torch.Tensor) -> torch.Tensor:
    """Return the sum of the losses of central pixels.

    Args:
        found: values that were predicted.
        true: the true values.
        basis: as in [`contour_loss`][].
    """
    outline, true_outline = sampled(found, basis), sampled(true, basis)
    box, true_box = boxes(outline), boxes(true_outline)
    overlap, generalised = box_overlaps(box, true_box)
    score = functional.binary_cross_entropy_with_logits(found.score, overlap.detach().clamp(0, 1))
    offset = (found.offset - true.offset).abs().mean()
    contour = (outline - true_outline).abs().mean()
    deviation = box_deviation_loss(found.uncertainty, (box - true_box).detach(), overlap.detach())
    return (
        score
        + offset
        + coefficient_loss(found.fourier - true.fourier)
        + CONTOUR_WEIGHT * contour
        + (1 - generalised).mean()
        + deviation
    )


def coefficient_loss(error: torch.Tensor) -> torch.Tensor:
    """Return the mean absolute error of coefficients, weighted from 5 (first harmonic) to 1 (last).

    Args:
        error: (N, 4 · order) in pixels.
    """
    harmonics = error.view(len(error), -1, 4)
    order = harmonics.shape[1]
    late = torch.arange(order, device=error.device) / max(order - 1, 1)
    weights = _LAST_HARMONIC + (_FIRST_HARMONIC - _LAST_HARMONIC) * (1 - late) ** 2
    loss: torch.Tensor = (weights[:, None] * harmonics.abs()).mean()
    return loss


def refinement_loss(found: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return the mean absolute error of the vectors to the outlines, at pixels that have one.

    Args:
        found: (B, 2, h, w) in pixels.
        truth: the same shape; 0 far from the outlines.
    """
    near = (truth != 0).any(dim=1, keepdim=True)
    return ((found - truth).abs() * near).sum() / (2 * near.sum()).clamp(min=1)


def box_deviation_loss(
    uncertainty: torch.Tensor, error: torch.Tensor, overlap: torch.Tensor
) -> torch.Tensor:
    """Return the negative log-likelihood of normally distributed sides of boxes, times the IoU.

    A side with the uncertainty u has a standard deviation of 7 u pixels. The IoU as a weight is the
    "IoU-power" likelihood (Lee et al. 2020, arXiv 2006.15607): boxes that miss their cell do not
    determine the uncertainty. The sum is divided by the sum of the weights; in celldetection it is
    divided by the number of boxes, so that the loss rises while the boxes improve. The constant of the
    normal distribution, which changes no gradient, is left out.

    Args:
        uncertainty: (N, 4) in [0, 1].
        error: (N, 4) errors of the sides in pixels.
        overlap: (N,) IoU of predicted and true boxes.
    """
    variance = (LARGEST_DEVIATION * uncertainty).square() + _LEAST_VARIANCE
    unlikely = error.square() / variance + variance.log()
    weights = overlap / overlap.sum().clamp(min=_LEAST_WEIGHT)
    return (weights * unlikely.sum(dim=1) / 2).sum()


def sampled(pixels: Pixels, basis: torch.Tensor) -> torch.Tensor:
    """Return points of outlines, (N, 2, samples), seen from the pixels.

    Args:
        pixels: offsets and coefficients.
        basis: as in [`contour_loss`][].
    """
    count = len(pixels.fourier)
    axes = pixels.fourier.view(count, -1, 2, 2).transpose(1, 2).reshape(count, 2, -1)
    points: torch.Tensor = pixels.offset[:, :, None] + axes @ basis
    return points


def boxes(outline: torch.Tensor) -> torch.Tensor:
    """Return top, bottom, left and right of outlines, (N, 4).

    Args:
        outline: (N, 2, samples).
    """
    low, high = outline.amin(dim=2), outline.amax(dim=2)
    return torch.stack([low[:, 0], high[:, 0], low[:, 1], high[:, 1]], dim=1)


def box_overlaps(box: torch.Tensor, truth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return IoU and generalised IoU (Rezatofighi et al. 2019) of pairs of boxes, each (N,).

    Args:
        box: (N, 4), top, bottom, left and right.
        truth: (N, 4).
    """
    low, high = torch.maximum(box, truth), torch.minimum(box, truth)
    shared = _area(low[:, 0], high[:, 1], low[:, 2], high[:, 3])
    around = _area(high[:, 0], low[:, 1], high[:, 2], low[:, 3])
    union = _area(*box.unbind(1)) + _area(*truth.unbind(1)) - shared
    overlap = shared / union
    return overlap, overlap - (around - union) / around


def _area(
    top: torch.Tensor, bottom: torch.Tensor, left: torch.Tensor, right: torch.Tensor
) -> torch.Tensor:
    return (bottom - top).clamp(min=_LEAST_SIDE) * (right - left).clamp(min=_LEAST_SIDE)


def _gathered(maps: Mapping[str, torch.Tensor], places: torch.Tensor) -> Pixels:
    image, row, column = places.unbind(1)
    values = {
        name: maps[name][image, :, row, column].float()
        for name in ("score", "offset", "fourier", "uncertainty")
    }
    return Pixels(**{**values, "score": values["score"][:, 0]})


def _mean(values: torch.Tensor) -> torch.Tensor:
    return values.sum() / max(values.numel(), 1)
