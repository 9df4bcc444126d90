"""How often training patches are cut from each image."""

import math
from collections.abc import Sequence

import numpy as np
import torch

from cellbench.errors import UsageError


def sampling_weights(areas: Sequence[int], groups: Sequence[str], crop_size: int) -> torch.Tensor:
    """Return the probability with which a patch is cut from each image.

    Drawing in proportion to pixels would starve small images, drawing all images equally would waste
    large ones. An image therefore counts with the square root of the number of patches that fit into
    it, at least one. In the same way a group of images counts with the square root of the sum over
    its images, so that rare groups are seen.

    Args:
        areas: pixels of each image.
        groups: the group of each image, such as its modality.
        crop_size: side of a patch in pixels.

    Returns:
        (N,) float64, sum 1.

    Example:
        >>> sampling_weights([64 * 64, 128 * 128], ["DIC", "DIC"], 64).tolist()
        [0.3333333333333333, 0.6666666666666666]
    """
    weights = np.sqrt(np.maximum(1.0, np.array(areas, dtype=float) / crop_size**2))
    names = np.array(groups)
    for name in set(groups):
        weights[names == name] /= np.sqrt(weights[names == name].sum())
    return torch.from_numpy(weights / weights.sum())


def shared_weights(
    areas: Sequence[int],
    groups: Sequence[str],
    crop_size: int,
    places: Sequence[int],
    shares: Sequence[float],
) -> torch.Tensor:
    """Return the probability of each image if every dataset has a fixed share of the patches.

    Args:
        areas: pixels of each image.
        groups: the group of each image within its dataset, such as its modality.
        crop_size: side of a patch in pixels.
        places: index of each image's dataset.
        shares: share of each dataset, sum 1.

    Returns:
        (N,) float64, sum 1.

    Example:
        >>> shared_weights([9, 9, 9], ["", "", ""], 3, [0, 0, 1], [0.8, 0.2]).tolist()
        [0.4, 0.4, 0.2]
    """
    weights = torch.zeros(len(areas), dtype=torch.float64)
    for dataset, share in enumerate(shares):
        chosen = [index for index, place in enumerate(places) if place == dataset]
        weights[chosen] = share * sampling_weights(
            [areas[index] for index in chosen], [groups[index] for index in chosen], crop_size
        )
    return weights


def checked_weights(weights: torch.Tensor, images: int, datamodule: str) -> torch.Tensor:
    """Return the weights of a datamodule as they are, if patches can be drawn with them.

    Args:
        weights: what its ``train_weights`` returned.
        images: number of images that its ``train_items`` returned.
        datamodule: its name, for the error message.

    Raises:
        UsageError: if there are no images, or not one usable weight for each.
    """
    if images == 0:
        raise UsageError(f"{datamodule}.train_items: returns no image; it must return at least one")
    is_complete = isinstance(weights, torch.Tensor) and weights.shape == (images,)
    if is_complete and bool((weights >= 0).all()) and 0 < float(weights.sum()) < math.inf:
        return weights
    raise UsageError(
        f"{datamodule}.train_weights: must return a tensor of {images} numbers, one for each image, "
        "that are not negative and not all 0"
    )
