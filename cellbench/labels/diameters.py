"""How large cells are: the diameter of a disc with the area of the cell."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from cellbench.labels.maps import LabelMap, relabel

_PERCENTILES = (25, 50, 75)


def cell_diameters(labels: LabelMap) -> npt.NDArray[np.float64]:
    """Return the diameter of each cell, of a disc with the cell's area.

    Args:
        labels: (H, W) label map.

    Returns:
        (N,) pixels, in the order of the ids.

    Example:
        >>> cell_diameters(np.repeat([[0, 7, 7]], 2, axis=0)).round(2).tolist()
        [2.26]
    """
    return disc_diameters(np.bincount(relabel(labels).ravel())[1:])


def disc_diameters(pixels: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    """Return the diameter of a disc with the area of each cell.

    Args:
        pixels: (N,) number of pixels of each cell.
    """
    return np.asarray(2 * np.sqrt(pixels / np.pi))


def median_diameters(label_maps: Iterable[LabelMap]) -> tuple[float, float, float] | None:
    """Return how large the cells in many label maps are.

    The diameter of an image is the median of its cells, so that images with many cells do not decide
    alone.

    Args:
        label_maps: label maps, each (H, W).

    Returns:
        The lower quartile, median and upper quartile over the images, in pixels; None if there is no
        cell.

    Example:
        >>> median_diameters([np.ones((side, side), int) for side in (10, 20, 40)])
        (16.93, 22.57, 33.85)
    """
    found = [cell_diameters(labels) for labels in label_maps]
    medians = [float(np.median(each)) for each in found if each.size]
    if not medians:
        return None
    lower, median, upper = (round(float(each), 2) for each in np.percentile(medians, _PERCENTILES))
    return lower, median, upper
