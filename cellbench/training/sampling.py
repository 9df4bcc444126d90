"""How often training patches are cut from each image."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
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

    Examples:
        >>> sampling_weights([64 * 64, 128 * 128], ["DIC", "DIC"], 64).tolist()
        [0.3333333333333333, 0.6666666666666666]
    """
    weights = _area_weights(areas, crop_size)
    names = np.array(groups)
    for name in set(groups):
        weights[names == name] /= np.sqrt(weights[names == name].sum())
    return torch.from_numpy(weights / weights.sum())


def amplified_weights(
    areas: Sequence[int], groups: Sequence[str], crop_size: int, smallest_group: int
) -> torch.Tensor:
    """Return the probability of each image if small groups are drawn like groups of a fixed size.

    As in MEDIAR (Lee et al. 2022), the images of a group with fewer than ``smallest_group`` images are
    used again until there are so many. Large groups keep their number of images. Each use counts with
    the square root of the number of patches that fit into the image, as in [`sampling_weights`][], so
    that among groups of equal size those with larger images are drawn more often.

    Args:
        areas: pixels of each image.
        groups: the group of each image, such as its appearance.
        crop_size: side of a patch in pixels.
        smallest_group: number of images up to which groups are amplified.

    Returns:
        (N,) float64, sum 1.

    Examples:
        >>> amplified_weights([9, 9, 9], ["rare", "usual", "usual"], 3, smallest_group=2).tolist()
        [0.5, 0.25, 0.25]
    """
    _, numbers, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    weights = _area_weights(areas, crop_size) * np.maximum(1.0, smallest_group / sizes)[numbers]
    return torch.from_numpy(weights / weights.sum())


def _area_weights(areas: Sequence[int], crop_size: int) -> npt.NDArray[np.float64]:
    return np.sqrt(np.maximum(1.0, np.array(areas, dtype=float) / crop_size**2))


def shared_weights(
    parts: Sequence[int],
    shares: Sequence[float],
    weights_of: Callable[[Sequence[int]], torch.Tensor],
) -> torch.Tensor:
    """Return the probability of each image if every dataset has a fixed share of the patches.

    Args:
        parts: index of each image's dataset.
        shares: share of each dataset, sum 1.
        weights_of: returns the probabilities, sum 1, of the images of one dataset, from their indices.

    Returns:
        (N,) float64, sum 1.

    Examples:
        >>> shared_weights([0, 0, 1], [0.8, 0.2], lambda images: torch.ones(len(images)) / len(images))
        tensor([0.4000, 0.4000, 0.2000], dtype=torch.float64)
    """
    weights = torch.zeros(len(parts), dtype=torch.float64)
    for dataset, share in enumerate(shares):
        chosen = [index for index, part in enumerate(parts) if part == dataset]
        weights[chosen] = share * weights_of(chosen).double()
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
