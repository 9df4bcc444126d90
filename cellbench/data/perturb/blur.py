"""Blur: a lens out of focus, and a stage that moves during the exposure."""

import math

import numpy as np
import numpy.typing as npt

from cellbench.data.perturb.pixels import Floats, Picture

_POINTS = 16  # samples in each direction of a pixel, and in each pixel of a path


def disc_kernel(radius: float) -> npt.NDArray[np.float64]:
    """Return the point spread function of a lens out of focus: an evenly bright disc.

    Args:
        radius: radius in pixels.

    Returns:
        (K, K) with odd K and the sum 1: the share of each pixel's area that is inside the disc, scaled.

    Examples:
        >>> disc_kernel(1.0).round(2).tolist()
        [[0.03, 0.15, 0.03], [0.15, 0.32, 0.15], [0.03, 0.15, 0.03]]
    """
    reach = math.ceil(radius - 0.5)
    side = 2 * reach + 1
    places = (np.arange(side * _POINTS) + 0.5) / _POINTS - side / 2
    inside = places[:, None] ** 2 + places**2 <= radius**2
    areas = inside.reshape(side, _POINTS, side, _POINTS).mean(axis=(1, 3))
    scaled: npt.NDArray[np.float64] = areas / areas.sum()
    return scaled


def path_kernel(length: float, angle: float) -> npt.NDArray[np.float64]:
    """Return the point spread function of an even motion along a straight path.

    Args:
        length: length of the path in pixels.
        angle: its direction in radians; 0 is along the rows, π/2 along the columns.

    Returns:
        (K, K) with odd K and the sum 1; points between pixels are shared by the four nearest ones.
    """
    reach = math.ceil(length / 2) + 1
    count = math.ceil(length * _POINTS)
    along = ((np.arange(count) + 0.5) / count - 0.5) * length
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    rows, columns = along * math.sin(angle) + reach, along * math.cos(angle) + reach
    row, column = np.floor(rows).astype(int), np.floor(columns).astype(int)
    for down, share in ((0, 1 - (rows - row)), (1, rows - row)):
        for right, part in ((0, 1 - (columns - column)), (1, columns - column)):
            np.add.at(kernel, (row + down, column + right), share * part)
    scaled: npt.NDArray[np.float64] = kernel / kernel.sum()
    return scaled


def defocus(picture: Picture, strength: float) -> Floats:
    """Blur an image with a disc.

    Args:
        picture: the image.
        strength: radius of the disc in pixels.

    Returns:
        (H, W, C).
    """
    return _filtered(picture.values, disc_kernel(strength))


def blur_motion(picture: Picture, strength: float, rng: np.random.Generator) -> Floats:
    """Blur an image along a straight path; all channels move alike.

    Args:
        picture: the image.
        strength: length of the path in pixels.
        rng: draws its direction.

    Returns:
        (H, W, C).
    """
    return _filtered(picture.values, path_kernel(strength, rng.uniform(0, math.pi)))


def _filtered(values: Floats, kernel: npt.NDArray[np.float64]) -> Floats:
    """Filter each channel; beyond its edges, the image is mirrored."""
    import cv2

    planes = [
        cv2.filter2D(np.ascontiguousarray(values[..., index]), -1, kernel)
        for index in range(values.shape[2])
    ]
    return np.stack(planes, axis=2)
