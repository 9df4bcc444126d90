"""The loss of HoVer-Net (Graham et al. 2019, equations 1–6; models/hovernet/utils.py)."""

from collections.abc import Mapping

import torch
from torch.nn import functional

_SMOOTH = 1e-3
_REACH = 2  # the gradient kernel is 5 × 5


def hover_loss(
    outputs: Mapping[str, torch.Tensor], targets: Mapping[str, torch.Tensor]
) -> torch.Tensor:
    """Return the sum of the four losses, each with weight 1.

    Args:
        outputs: ``foreground`` logits (B, 1, H, W) and ``hv`` (B, 2, H, W), raw.
        targets: ``foreground`` 0 or 1 and ``hv`` in [−1, 1], of the same shapes.
    """
    logits, truth = outputs["foreground"].float(), targets["foreground"].float()
    error = outputs["hv"].float() - targets["hv"].float()
    cross_entropy = functional.binary_cross_entropy_with_logits(logits, truth)
    distances = error.square().mean()
    return cross_entropy + dice_loss(logits, truth) + distances + gradient_loss(error, truth)


def dice_loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return 1 − Dice over the batch, of the foreground and of the background, summed.

    Args:
        logits: (B, 1, H, W).
        truth: (B, 1, H, W), 0 or 1.
    """
    probability = logits.sigmoid()
    loss = logits.new_zeros(())
    for predicted, true in ((probability, truth), (1 - probability, 1 - truth)):
        both = 2 * (predicted * true).sum() + _SMOOTH
        loss = loss + 1 - both / (predicted.sum() + true.sum() + _SMOOTH)
    return loss


def gradient_loss(error: torch.Tensor, foreground: torch.Tensor) -> torch.Tensor:
    """Return the mean squared error of the gradients, in the true foreground only.

    The horizontal map is differentiated horizontally and the vertical map vertically, as in the paper.
    The original code exchanges them: its kernels come from a ``meshgrid`` whose first index runs down,
    although the code calls it horizontal.

    Args:
        error: (B, 2, H, W), prediction minus truth; this is enough, because gradients are linear.
        foreground: (B, 1, H, W), 0 or 1.
    """
    steps = torch.arange(-_REACH, _REACH + 1, dtype=error.dtype, device=error.device)
    squared = (steps.square() + steps.square()[:, None]).clamp(min=1)
    across = steps / squared  # weight 1 / distance, split by direction
    kernels = torch.stack([across, across.T])[:, None]
    with torch.autocast(
        error.device.type, enabled=False
    ):  # small gradients vanish in half precision
        gradients = functional.conv2d(error, kernels, padding=_REACH, groups=2)
    return (foreground * gradients.square()).sum() / (2 * foreground.sum() + 1e-8)
