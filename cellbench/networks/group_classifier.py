"""Which group an image belongs to, by a small picture of the whole."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, as in the original


class GroupClassifier(nn.Module):
    """ResNet18 by timm, from scratch, over thumbnails (Lou et al. 2023).

    Args:
        groups: how many groups there are.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, groups: int) -> None:
        import timm

        super().__init__()
        self.body = timm.create_model("resnet18", pretrained=False, num_classes=groups)
        for name, values in (("mean", _MEAN), ("std", _STD)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    def forward(self, thumbnails: torch.Tensor) -> torch.Tensor:
        """Give the logits (B, groups) of thumbnails (B, 3, S, S) in 0 … 255."""
        logits: torch.Tensor = self.body((thumbnails.float() / 255 - self.mean) / self.std)
        return logits


def thumbnail(image: npt.NDArray[Any], side: int) -> npt.NDArray[np.uint8]:
    """Shrink a whole image, whatever its shape, to a square.

    The original shrinks to 256 and cuts the middle 224 out; here nothing is cut off.

    Args:
        image: (H, W, 3), uint8, or floating in [0, 1].
        side: of the thumbnail in pixels.

    Returns:
        (3, side, side).

    Example:
        >>> thumbnail(np.ones((500, 30, 3)), 64).shape
        (3, 64, 64)
    """
    import cv2

    exact = image if image.dtype == np.uint8 else image.astype(np.float32, copy=False)
    small = cv2.resize(np.ascontiguousarray(exact), (side, side), interpolation=cv2.INTER_AREA)
    if small.dtype != np.uint8:
        small = np.rint(small * 255).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(small.transpose(2, 0, 1))


def turned(thumbnails: torch.Tensor, start: int) -> torch.Tensor:
    """Bring each thumbnail of a batch into another of the eight positions, as augmentation.

    The positions are counted, not drawn: a run that resumes sees the same as one that was not stopped.

    Args:
        thumbnails: (B, 3, S, S).
        start: the first one's position; those after it follow.

    Example:
        >>> turned(torch.arange(12).reshape(1, 3, 2, 2), 1)[0, 0].tolist()
        [[1, 3], [0, 2]]
    """
    return torch.stack(
        [
            torch.rot90(each.flip(-1) if (start + index) // 4 % 2 else each, start + index, (1, 2))
            for index, each in enumerate(thumbnails)
        ]
    )
