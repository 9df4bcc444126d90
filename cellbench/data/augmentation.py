"""Augmentation: flips and turns for image and labels, microscopy's own variations for the image."""

from typing import Any

import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional
from torchvision.tv_tensors import Image, wrap


class RandomQuarterTurn(v2.Transform):
    """Turn image and labels by 0, 90, 180 or 270 degrees."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the number of quarter turns."""
        return {"turns": int(torch.randint(4, ()))}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:  # noqa: ANN401
        """Turn one input (…, H, W) and keep its kind."""
        return _like(inpt, torch.rot90(inpt, params["turns"], (-2, -1)))


class RandomGamma(v2.Transform):
    """Raise intensities to a random power: faint cells become bright, and the other way.

    Args:
        largest: powers are drawn log-uniformly from 1 / largest to largest.
    """

    def __init__(self, largest: float = 2.0) -> None:
        super().__init__()
        self.largest = largest

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the power."""
        exponent = 2 * torch.rand(()) - 1
        return {"gamma": float(self.largest**exponent)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:  # noqa: ANN401
        """Change the image; labels stay."""
        return self._call_kernel(functional.adjust_gamma, inpt, gamma=params["gamma"])


def training_transform(strength: float = 1.0) -> v2.Transform:
    """Give the augmentation of training patches.

    It takes and gives an image (3, H, W) and a mask (1, H, W) as tv_tensors; the image comes out as
    float32 in [0, 1].

    Args:
        strength: factor on the probability of every change of intensity; 0 leaves flips and turns.
    """

    def sometimes(transform: v2.Transform, probability: float) -> v2.Transform:
        return v2.RandomApply([transform], p=min(1.0, probability * strength))

    return v2.Compose(
        [
            v2.RandomHorizontalFlip(),
            v2.RandomVerticalFlip(),
            RandomQuarterTurn(),
            v2.ToDtype({Image: torch.float32, "others": None}, scale=True),
            sometimes(RandomGamma(), 0.2),
            sometimes(v2.ColorJitter(brightness=0.3, contrast=0.3), 0.15),
            # These three change stained tissue only; a gray image has nothing that they could change.
            sometimes(v2.ColorJitter(saturation=0.5, hue=0.1), 0.4),
            sometimes(v2.RandomChannelPermutation(), 0.2),
            sometimes(v2.Grayscale(num_output_channels=3), 0.1),
            sometimes(v2.RandomInvert(p=1.0), 0.05),
            sometimes(v2.GaussianBlur(kernel_size=7, sigma=(0.5, 2.0)), 0.1),
            sometimes(v2.GaussianNoise(sigma=0.05), 0.1),
        ]
    )


def _like(original: Any, changed: torch.Tensor) -> Any:  # noqa: ANN401
    return wrap(changed, like=original)
