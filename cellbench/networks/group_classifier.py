"""A classifier that finds the group of an image from a thumbnail."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from cellbench.networks.deferred_compiler import deferred_compiler

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, as in the original


class GroupClassifier(nn.Module):
    """ResNet18 by timm, from scratch, over thumbnails (Lou et al. 2023).

    Args:
        groups: number of groups.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, groups: int) -> None:
        with deferred_compiler():
            import timm

        super().__init__()
        self.body = timm.create_model("resnet18", pretrained=False, num_classes=groups)
        for name, values in (("mean", _MEAN), ("std", _STD)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    def forward(self, thumbnails: torch.Tensor) -> torch.Tensor:
        """Return the logits (B, groups) of thumbnails (B, 3, S, S) in 0 … 255."""
        logits: torch.Tensor = self.body((thumbnails.float() / 255 - self.mean) / self.std)
        return logits


def thumbnail(image: npt.NDArray[Any], side: int) -> npt.NDArray[np.uint8]:
    """Resize a whole image of any shape to a square.

    The original resizes to 256 pixels and crops the central 224; here nothing is cropped.

    Args:
        image: (H, W, 3), uint8, or floating in [0, 1].
        side: side of the thumbnail in pixels.

    Returns:
        (3, side, side).

    Examples:
        >>> thumbnail(np.ones((500, 30, 3)), 64).shape
        (3, 64, 64)
    """
    import cv2

    exact = image if image.dtype == np.uint8 else image.astype(np.float32, copy=False)
    small = cv2.resize(np.ascontiguousarray(exact), (side, side), interpolation=cv2.INTER_AREA)
    if small.dtype != np.uint8:
        small = np.rint(small * 255).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(small.transpose(2, 0, 1))


def rotated(thumbnails: torch.Tensor, start: int) -> torch.Tensor:
    """Rotate and flip each thumbnail of a batch differently, as augmentation.

    The eight orientations follow each other in order and are not random, so that a resumed run sees
    the same thumbnails as one that was not interrupted.

    Args:
        thumbnails: (B, 3, S, S).
        start: number of the orientation of the first thumbnail; the next ones follow.

    Examples:
        >>> rotated(torch.arange(12).reshape(1, 3, 2, 2), 1)[0, 0].tolist()
        [[1, 3], [0, 2]]
    """
    return torch.stack(
        [
            torch.rot90(each.flip(-1) if (start + index) // 4 % 2 else each, start + index, (1, 2))
            for index, each in enumerate(thumbnails)
        ]
    )
